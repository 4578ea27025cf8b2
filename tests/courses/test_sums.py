"""Sums of who enrolled say what the enrolments say, whatever happens and whenever they are made."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import func, select

from lms.core.db import db
from lms.courses.models import Enrolment, Module, Progress
from lms.courses.queries.completions import MEASURES, Wanted, completions
from lms.courses.services import sums
from lms.courses.sum_models import EnrolmentMark
from tests.factories.accounts import make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_module,
    make_run,
)

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
LAST = datetime(2027, 3, 1, tzinfo=UTC)


def told(wanted: Wanted) -> dict[tuple, tuple[int, ...]]:
    """What reports read, by run, country and how far; without what sums to nobody."""
    lines = completions(wanted)
    by = [lines.c.run_id, lines.c.country, lines.c.reached]
    rows = db.session.execute(
        select(*by, *(func.sum(lines.c[name]) for name in MEASURES)).group_by(*by)
    )
    found = {tuple(row[:3]): tuple(map(int, row[3:])) for row in rows}
    return {key: values for key, values in found.items() if any(values)}


def said(wanted: Wanted) -> dict[tuple, tuple[int, ...]]:
    """The same, learner by learner."""
    found: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in db.session.scalars(select(Enrolment).where(Enrolment.enrolled_at.is_not(None))):
        is_wanted = (
            (wanted.since is None or wanted.since <= one.enrolled_at)
            and (wanted.until is None or one.enrolled_at < wanted.until)
            and wanted.run_id in (None, one.run_id)
            and wanted.course_id in (None, one.run.course_id)
            and wanted.country in (None, one.user.country or "")
        )
        if not is_wanted:
            continue
        positions = [row.activity.module.position for row in one.progress]
        if one.completed_at is not None:
            positions = [module.position for module in one.run.course.modules]
        reached = max(positions, default=0) if one.last_seen_at is not None else 0
        line = found[one.run_id, one.user.country or "", reached]
        values = (1, one.last_seen_at is not None, one.completed_at is not None)
        for index, value in enumerate(values):
            line[index] += value
    return {key: tuple(values) for key, values in found.items()}


class Life:
    """What happens to learners, one thing after the other, by chance."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.courses = [make_course(), make_course()]
        for course in self.courses:
            for _number in range(3):
                make_activity(make_module(course))
        self.runs = [make_run(self.courses[0]), *(make_run(course) for course in self.courses)]
        self.enrolments: list[Enrolment] = []

    def instant(self) -> datetime:
        return FIRST + (LAST - FIRST) * self.chance.random()

    def enrol(self) -> None:
        country = self.chance.choice(["BO", "CA", None])
        at = self.instant() if self.chance.random() < 0.8 else None
        state = "active" if at else "waitlisted"
        run, learner = self.chance.choice(self.runs), make_user(country=country)
        self.enrolments.append(make_enrolment(run, learner, state=state, enrolled_at=at))

    def change(self) -> None:
        if not self.enrolments:
            return
        chance = self.chance
        one = chance.choice(self.enrolments)
        match chance.choice(["seen", "open", "done", "active", "home", "gone", "module", "forget"]):
            case "seen":
                one.last_seen_at = self.instant()
            case "open":
                self._open(one)
            case "done":
                one.completed_at = self.instant() if one.completed_at is None else None
            case "active":
                one.enrolled_at = one.enrolled_at or self.instant()
            case "home":
                one.user.country = chance.choice(["BO", "PE", None])
            case "gone":
                self.enrolments.remove(one)
                db.session.delete(one)
            case "module":
                self._change_course()
            case "forget" if one.progress:
                db.session.delete(one.progress[0])
        db.session.flush()
        db.session.expire_all()

    def _open(self, one: Enrolment) -> None:
        known = {row.activity_id for row in one.progress}
        activities = [a for module in one.run.course.modules for a in module.activities]
        free = [activity for activity in activities if activity.id not in known]
        if free:
            one.last_seen_at = self.instant()
            db.session.add(Progress(enrolment=one, activity=self.chance.choice(free)))

    def _change_course(self) -> None:
        course = self.chance.choice(self.courses)
        modules = db.session.scalars(select(Module).where(Module.course_id == course.id)).all()
        first, last = self.chance.sample(modules, 2)
        if self.chance.random() < 0.5 and first.activities:
            first.activities[0].module_id = last.id
        else:
            first.position, last.position = last.position, first.position


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_sums_say_what_the_enrolments_say_whenever_they_are_made(app, seed):
    life = Life(seed)
    for number in range(80):
        if life.chance.random() < 0.35:
            life.enrol()
        else:
            life.change()
        if life.chance.random() < 0.15:
            sums.count_enrolments()
        if number % 5 == 4:
            since, until = sorted([life.instant(), life.instant()])
            for wanted in (
                Wanted(),
                Wanted(since=since),
                Wanted(until=until),
                Wanted(since, until),
                Wanted(since, until, run_id=life.runs[0].id),
                Wanted(course_id=life.courses[0].id, country="BO"),
                Wanted(since, country=""),
            ):
                assert told(wanted) == said(wanted)

    sums.count_enrolments()
    assert db.session.scalar(select(func.count()).select_from(EnrolmentMark)) == 0
    assert told(Wanted()) == said(Wanted())
