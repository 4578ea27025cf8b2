"""Fragments of the room on pages of others."""

from __future__ import annotations

from typing import Any

from flask import render_template
from markupsafe import Markup

from lms.accounts.permissions import can
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import db
from lms.directory.models import Organisation
from lms.recognition import queries


def association(organisation: Organisation, **values: Any) -> Markup | None:
    """On an association's public page: its rules, accreditations and trusted issuers of today."""
    if not organisation.is_association:
        return None
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
