"""The way into runs that cost nothing."""

from __future__ import annotations

from flask import url_for
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.courses.enrolment_methods.base import EnrolmentMethod
from lms.courses.models import CourseRun


class FreeEnrolment(EnrolmentMethod):
    """Confirm, and study."""

    name = "free"
    label = lazy_gettext("Enrol for free")

    def is_open(self, run: CourseRun, user: User | None) -> bool:
        """Whether the run is free of charge."""
        return not run.price

    def start_url(self, run: CourseRun) -> str:
        """The page that asks for confirmation."""
        return url_for("courses.enrol", run_id=run.id)
