"""What a kind of activity must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flask_babel.speaklater import LazyString
from markupsafe import Markup
from wtforms import Form

from lms.accounts.models import User
from lms.core.registry import Registered
from lms.courses.models import Activity, CourseRun, Enrolment, Progress


@dataclass(frozen=True)
class StudyContext:
    """Everything an activity needs to show itself on the study page.

    enrolment and progress are None in the preview of an instructor, who leaves no traces.
    """

    activity: Activity
    run: CourseRun | None
    user: User
    enrolment: Enrolment | None
    progress: Progress | None
    values: Mapping[str, Any] = field(default_factory=dict)  # query parameters of the page

    @property
    def is_preview(self) -> bool:
        """Whether an instructor looks at it as a learner would."""
        return self.enrolment is None


class ActivityType(ABC):
    """One kind of activity. A plugin gives one instance through the hook `activity_types`."""

    name: ClassVar[str]  # as in Activity.kind
    label: ClassVar[str | LazyString]  # "Reading"
    icon: ClassVar[str] = "page"
    completion_rules: ClassVar[Mapping[str, str | LazyString]]  # name -> label; first is default
    is_graded: ClassVar[bool] = False
    xapi_type: ClassVar[str] = "http://adlnet.gov/expapi/activities/lesson"

    @abstractmethod
    def render(self, context: StudyContext) -> Markup:
        """The activity's own part of the study page."""

    def settings_form(self, activity: Activity | None) -> type[Form] | None:
        """Form class of this kind's settings on the authoring page, None when it has none.

        Field names equal the keys of `Activity.settings`.
        """
        return None

    def authoring_links(self, activity: Activity) -> list[tuple[str | LazyString, str]]:
        """Further authoring pages of this activity: (label, address)."""
        return []

    def check_settings(self, settings: Mapping[str, Any], where: str) -> dict[str, Any]:
        """The settings in their kept form, from a package or a form.

        Raises PackageError that names `where` and the wrong key.
        """
        return dict(settings)

    def import_extra(self, activity: Activity, document: Mapping[str, Any], where: str) -> None:
        """Take what the activity's package file holds beside the common keys (`questions`).

        Called when the activity has its id, and again on each new import of the same course: it
        replaces what was there without losing learners' work. Raises PackageError.
        """

    def export_extra(self, activity: Activity) -> dict[str, Any]:
        """The opposite of `import_extra`: further keys of the activity's package file."""
        return {}

    def problems(self, activity: Activity) -> list[str]:
        """What keeps the activity from being published, as sentences for its author."""
        return []

    def outline_note(self, activity: Activity) -> str | None:
        """A few words beside the title in the course outline: "10 questions"."""
        return None

    def copy_for_run(self, activity: Activity, run: CourseRun) -> None:
        """Prepare what this kind keeps for each run (forums start empty: nothing to do)."""


activity_types: Registered[ActivityType] = Registered("activity_types", ActivityType)  # type: ignore[type-abstract]
