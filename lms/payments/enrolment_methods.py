"""The way into runs that cost something."""

from __future__ import annotations

from flask import url_for
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.courses.enrolment_methods.base import EnrolmentMethod
from lms.courses.models import CourseRun


class PaymentEnrolment(EnrolmentMethod):
    """The checkout: a voucher, a way to pay, and then study."""

    name = "payment"
    label = lazy_gettext("Enrol and pay")

    def is_open(self, run: CourseRun, user: User | None) -> bool:
        """Whether the run has a price."""
        return bool(run.price)

    def start_url(self, run: CourseRun) -> str:
        """The checkout."""
        return url_for("payments.checkout", run_uuid=run.uuid)
