"""What a way into a course run must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from flask_babel.speaklater import LazyString

from lms.accounts.models import User
from lms.core.registry import Registered
from lms.courses.models import CourseRun


class EnrolmentMethod(ABC):
    """One way into a course run, offered on the course page."""

    name: ClassVar[str]  # kept in Enrolment.method
    label: ClassVar[str | LazyString]  # on the button: "Enrol for free"

    @abstractmethod
    def is_open(self, run: CourseRun, user: User | None) -> bool:
        """Whether this way leads into the run for this person (None: a stranger)."""

    @abstractmethod
    def start_url(self, run: CourseRun) -> str:
        """Where the button leads: a page that asks what is needed and then enrols."""


enrolment_methods: Registered[EnrolmentMethod] = Registered("enrolment_methods", EnrolmentMethod)  # type: ignore[type-abstract]
