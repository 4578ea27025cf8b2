"""Fragments of the room on pages of others."""

from __future__ import annotations

import uuid
from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.accounts.permissions import can, signed_in
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import db
from lms.core.web import seldom_asked
from lms.courses.models import Course
from lms.directory import queries as directory
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.models import Endorsement
from lms.recognition.services.prior_learning import fees


def association(organisation: Organisation, **values: Any) -> Markup | None:
    """On an organisation's public page: an association's rules, accreditations and trusted issuers
    of today; of all others, who endorses them."""
    if not organisation.is_association:
        return _endorsed(queries.endorsements_of_provider(organisation, clock.now()))
    today = clock.now().date()
    rules = [(rule, rule.version_on(today)) for rule in queries.list_rules(organisation)]
    accreditations = db.session.scalars(queries.list_accreditations(organisation).limit(100))
    page = render_template(
        "recognition/_association.html",
        association=organisation,
        rules=[(rule, version) for rule, version in rules if version is not None],
        accreditations=[one for one in accreditations if one.held_on(today)],
        issuers=[one for one in queries.list_issuers(organisation) if one.held_on(today)],
        is_officer=can("recognition.keep", organisation),
    )
    return Markup(page)  # noqa: S704 - rendered by our own template


def _endorsed(found: list[Endorsement], **values: bool) -> Markup | None:
    if not found:
        return None
    page = render_template("recognition/_endorsements.html", endorsements=found, **values)
    return Markup(page)  # noqa: S704 - rendered by our own template


def course(course: Course, **values: Any) -> Markup:
    """On a course's public page: who endorses it or those who give it, and the way to having
    prior learning recognised."""
    found, takes_requests = queries.found_for_course_page(course, clock.now())
    shown = _endorsed(found, in_course=True) or Markup()
    if takes_requests and course.is_published:
        page = render_template("recognition/_prior_learning.html", course=course)
        shown += Markup(page)  # noqa: S704 - rendered by our own template
    return shown


def course_link(course: Course, **values: Any) -> Markup | None:
    """At the head of a course in teaching: requests, for who manages its organisation; for
    administrators the fee."""
    if signed_in().is_administrator and fees.can_be_paid():
        page = render_template("recognition/_prior_learning_fee_link.html", course=course)
        return Markup(page)  # noqa: S704 - rendered by our own template
    if not seldom_asked("manages", lambda: directory.is_manager_of_any(signed_in())):
        return None
    if not can("recognition.offer_prior_learning", course):
        return None
    page = render_template("recognition/_prior_learning_link.html", course=course)
    return Markup(page)  # noqa: S704 - rendered by our own template


def endorsed(facts: dict[str, Any] | None = None, **values: Any) -> Markup | None:
    """On the page that verifies: endorsements of the day of the award that hold to this day."""
    named = [uuid.UUID(one["uuid"]) for one in (facts or {}).get("endorsements") or []]
    if not named:
        return None
    return _endorsed(queries.endorsements_by_uuid(named, clock.now()), as_terms=True)


def verdict(facts: dict[str, Any] | None = None, **values: Any) -> Markup | None:
    """On the page that verifies: the accreditations that held on the day of the award."""
    found = (facts or {}).get("accreditations")
    if not found:
        return None
    page = render_template("recognition/_verdict.html", accreditations=found)
    return Markup(page)  # noqa: S704 - rendered by our own template


def evidence(credential: Credential, **values: Any) -> Markup:
    """On "my certificates": the way to showing the evidence."""
    page = render_template("recognition/_evidence_link.html", credential=credential)
    return Markup(page)  # noqa: S704 - rendered by our own template
