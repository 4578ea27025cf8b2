from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import (
    Activity,
    Course,
    CourseRun,
    CourseStaff,
    Enrolment,
    Module,
    Topic,
)
from tests.factories.accounts import make_user
from tests.factories.directory import make_organisation

_numbers = itertools.count(1)


def make_topic(**values: Any) -> Topic:
    number = next(_numbers)
    values.setdefault("slug", f"topic-{number}")
    values.setdefault("name", {"en": f"Topic {number}"})
    topic = Topic(**values)
    db.session.add(topic)
    db.session.commit()
    return topic


def make_course(**values: Any) -> Course:
    """A published course without modules."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "slug": f"course-{number}",
        "title": {"en": f"Course {number}", "es": f"Curso {number}"},
        "summary": {"en": "A summary.", "es": "Un resumen."},
        "outcomes": [{"en": "Map actors", "es": "Mapear actores"}],
        "hours": 12.0,
        "weeks": 3,
        "languages": ["en", "es"],
        "state": "published",
    }
    if "owner" not in values:
        values["owner"] = make_organisation()
    if "topic" not in values:
        values["topic"] = make_topic()
    course = Course(**(defaults | values))
    db.session.add(course)
    db.session.commit()
    return course


def make_module(course: Course | None = None, **values: Any) -> Module:
    course = course or make_course()
    position = len(course.modules) + 1
    values.setdefault("slug", f"module-{position}")
    values.setdefault("title", {"en": f"Module {position}", "es": f"Módulo {position}"})
    module = Module(course=course, position=position, **values)
    db.session.add(module)
    db.session.commit()
    return module


def make_activity(module: Module | None = None, **values: Any) -> Activity:
    """A page, unless `kind` says otherwise."""
    module = module or make_module()
    number = next(_numbers)
    values.setdefault("kind", "page")
    values.setdefault("slug", f"activity-{number}")
    values.setdefault("title", {"en": f"Activity {number}", "es": f"Actividad {number}"})
    values.setdefault("text", {"en": "Some *text*.", "es": "Un *texto*."})
    activity = Activity(
        course_id=module.course_id, module=module, position=len(module.activities) + 1, **values
    )
    db.session.add(activity)
    db.session.commit()
    return activity


def make_run(course: Course | None = None, **values: Any) -> CourseRun:
    """A published free run that began three days ago and lasts 21 days, all modules open."""
    number = next(_numbers)
    today = clock.now().date()
    values.setdefault("starts_on", today - timedelta(days=3))
    values.setdefault("ends_on", values["starts_on"] + timedelta(days=20))
    values.setdefault("slug", f"run-{number}")
    values.setdefault("time_zone", "America/La_Paz")
    values.setdefault("language", "en")
    values.setdefault("price", Money(0, "CAD"))
    values.setdefault("release", "at_once")
    values.setdefault("state", "published")
    run = CourseRun(course=course or make_course(), **values)
    db.session.add(run)
    db.session.commit()
    return run


def make_enrolment(
    run: CourseRun | None = None, user: User | None = None, **values: Any
) -> Enrolment:
    """An active enrolment."""
    values.setdefault("state", "active")
    values.setdefault("method", "free")
    values.setdefault("enrolled_at", clock.now())
    enrolment = Enrolment(run=run or make_run(), user=user or make_user(), **values)
    db.session.add(enrolment)
    db.session.commit()
    return enrolment


def make_instructor(course: Course, **values: Any) -> User:
    """A person who writes and teaches the course."""
    user = make_user(**values)
    db.session.add(CourseStaff(course=course, user=user))
    db.session.commit()
    return user
