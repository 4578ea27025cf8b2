"""What a way into a course run must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from flask_babel.speaklater import LazyString

from lms.accounts.models import User
from lms.core.registry import Registered
from lms.courses.models import CourseRun


@dataclass(frozen=True)
class ShownPrice:
    """What a place costs a reader, in words. note: why; link, link_text: where it is explained."""

    text: str
    note: str = ""
    link: str = ""
    link_text: str = ""


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

    def prices(
        self, runs: Sequence[CourseRun], user: User | None, *, is_list: bool
    ) -> Mapping[int, ShownPrice]:
        """What a place costs by this way, by id of the run; runs that it leaves out show their list
        price. Asked once for all runs of a page. is_list: for a list that all readers see alike.
        """
        return {}


enrolment_methods: Registered[EnrolmentMethod] = Registered("enrolment_methods", EnrolmentMethod)  # type: ignore[type-abstract]


def shown_prices(
    runs: Sequence[CourseRun], user: User | None = None, *, is_list: bool = False
) -> dict[int, ShownPrice]:
    """What all ways into the runs say of their prices, by id of the run."""
    priced = [run for run in runs if run.price]
    found: dict[int, ShownPrice] = {}
    for method in enrolment_methods.values() if priced else ():
        found |= method.prices(priced, user, is_list=is_list)
    return found
