"""How far a learner is: the outline of a run with what is done, due, open and next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from lms.core import clock
from lms.courses.models import Activity, Course, CourseRun, Enrolment, Module, Progress


@dataclass(frozen=True)
class Step:
    """An activity as this learner finds it. `is_open`: its module has opened."""

    activity: Activity
    progress: Progress | None
    due_at: datetime | None
    is_open: bool

    @property
    def is_done(self) -> bool:
        """Whether its completion rule is met, or it is waived."""
        return self.progress is not None and (
            self.progress.completed_at is not None or self.progress.waived_at is not None
        )

    @property
    def is_waived(self) -> bool:
        """Whether it counts without having been done."""
        return self.progress is not None and self.progress.is_waived

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been done by now."""
        return not self.is_done and self.due_at is not None and self.due_at < now


@dataclass(frozen=True)
class Week:
    """A module in its run. Days and opening are None in a preview without a run."""

    module: Module
    steps: list[Step]
    first_day: date | None
    last_day: date | None
    opens_at: datetime | None
    is_open: bool

    @cached_property
    def required(self) -> list[Step]:
        """The steps that the course asks for; all of them when it asks for none."""
        return [step for step in self.steps if step.activity.is_required] or self.steps

    @property
    def done(self) -> int:
        """How many of the required steps are done."""
        return sum(step.is_done for step in self.required)


@dataclass(frozen=True)
class Outline:
    """A whole course as one learner finds it now."""

    course: Course
    run: CourseRun | None
    weeks: list[Week]
    now: datetime

    @cached_property
    def steps(self) -> list[Step]:
        """All steps in order."""
        return [step for week in self.weeks for step in week.steps]

    @cached_property
    def required(self) -> list[Step]:
        """The steps that count for completion, in order."""
        return [step for step in self.steps if step.activity.is_required] or self.steps

    @property
    def total(self) -> int:
        """How many steps count for completion."""
        return len(self.required)

    @property
    def done(self) -> int:
        """How many of them are done."""
        return sum(step.is_done for step in self.required)

    @property
    def overdue(self) -> list[Step]:
        """Required steps past their date and not done, the oldest first."""
        late = [step for step in self.required if step.is_overdue(self.now)]
        return sorted(late, key=lambda step: step.due_at or self.now)

    @property
    def next_due(self) -> Step | None:
        """The required step whose date comes next."""
        coming = [s for s in self.required if not s.is_done and s.due_at and s.due_at >= self.now]
        return min(coming, key=lambda step: step.due_at or self.now, default=None)

    @property
    def next_step(self) -> Step | None:
        """The first open step that is not done: required ones before all others."""
        open_steps = [step for step in self.steps if step.is_open and not step.is_done]
        return next((s for s in open_steps if s.activity.is_required), None) or next(
            iter(open_steps), None
        )

    @property
    def next_opening(self) -> Week | None:
        """The first week that has not opened yet."""
        return next((week for week in self.weeks if not week.is_open), None)

    def week_of(self, activity: Activity) -> Week:
        """The week that holds an activity of this course."""
        return next(week for week in self.weeks if week.module.id == activity.module_id)

    def around(self, activity: Activity) -> tuple[Step | None, Step | None]:
        """The steps before and after an activity."""
        steps = self.steps
        index = next(i for i, step in enumerate(steps) if step.activity.id == activity.id)
        before = steps[index - 1] if index else None
        after = steps[index + 1] if index + 1 < len(steps) else None
        return before, after


def outline_of(enrolment: Enrolment, progress: Iterable[Progress] | None = None) -> Outline:
    """The outline of an enrolment; reads course and progress where they are not loaded yet."""
    rows = enrolment.progress if progress is None else progress
    return make_outline(enrolment.run.course, enrolment.run, rows)


def make_outline(
    course: Course,
    run: CourseRun | None,
    progress: Iterable[Progress] = (),
    *,
    all_open: bool = False,
) -> Outline:
    """The outline of a course, in a run or without one.

    all_open: as in a preview, where nothing waits for its day.
    """
    now = clock.now()
    by_activity = {row.activity_id: row for row in progress}
    modules = [m for m in course.modules if any(a.is_published for a in m.activities)]
    starts = [_first_day(run, module) for module in modules]
    weeks = []
    for index, module in enumerate(modules):
        opens_at = run.released_at(module) if run else None
        is_open = all_open or opens_at is None or opens_at <= now
        following = starts[index + 1] if index + 1 < len(modules) else None
        weeks.append(
            Week(
                module=module,
                steps=[
                    Step(
                        activity=activity,
                        progress=by_activity.get(activity.id),
                        due_at=run.due_at(activity) if run else None,
                        is_open=is_open,
                    )
                    for activity in module.activities
                    if activity.is_published
                ],
                first_day=starts[index],
                last_day=_last_day(run, starts[index], following),
                opens_at=opens_at,
                is_open=is_open,
            )
        )
    return Outline(course, run, weeks, now)


def _first_day(run: CourseRun | None, module: Module) -> date | None:
    if run is None:
        return None
    day = module.release_day or 7 * (module.position - 1) + 1
    return min(run.starts_on + timedelta(days=day - 1), run.ends_on)


def _last_day(run: CourseRun | None, first: date | None, following: date | None) -> date | None:
    if run is None or first is None:
        return None
    return run.ends_on if following is None else max(first, following - timedelta(days=1))
