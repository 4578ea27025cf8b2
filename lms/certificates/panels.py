"""Fragments of the certificates on pages of the courses."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from markupsafe import Markup

from lms.accounts.permissions import can
from lms.certificates import queries
from lms.certificates.models import Credential
from lms.certificates.views.shared import state_of
from lms.courses.models import Course, CourseRun, Enrolment
from lms.directory.models import Organisation


def _mine(enrolment: Enrolment) -> Credential | None:
    """The enrolment's certificate; one query for all enrolments of the page."""
    found: dict[int, Credential] | None = g.get("my_certificates")
    if found is None:
        newest_first = queries.list_of_holder(enrolment.user)
        found = g.my_certificates = {}
        for credential in newest_first:
            found.setdefault(credential.enrolment_id, credential)
    return found.get(enrolment.id)


def my_course(enrolment: Enrolment, **values: Any) -> Markup | None:
    """On "my courses": the link to the certificate, once there is one."""
    credential = _mine(enrolment)
    if credential is None:
        return None
    page = render_template(
        "certificates/_my_course.html", credential=credential, state=state_of(credential)
    )
    return Markup(page)  # noqa: S704 - rendered by our own template


def run_links(run: CourseRun, **values: Any) -> Markup | None:
    """On the pages of a run for its staff: the link to its certificates."""
    if not can("certificates.see_run", run):
        return None
    page = render_template("certificates/_run_link.html", run=run)
    return Markup(page)  # noqa: S704 - rendered by our own template


def course_links(course: Course, **values: Any) -> Markup | None:
    """On the pages of a course for its authors: the look of its certificates."""
    page = render_template("certificates/_course_link.html", course=course)
    return Markup(page)  # noqa: S704 - rendered by our own template


def organisation_links(organisation: Organisation, **values: Any) -> Markup | None:
    """On an organisation's page, for its managers: their layouts."""
    if not can("certificates.design", organisation):
        return None
    page = render_template("certificates/_organisation_link.html", organisation=organisation)
    return Markup(page)  # noqa: S704 - rendered by our own template
