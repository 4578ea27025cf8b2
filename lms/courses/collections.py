"""Statements that belong together: those of a course run, a course, an organisation's courses."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask_babel import lazy_gettext
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.templating import format_days
from lms.core.text import in_language
from lms.courses.models import Course, CourseRun, Enrolment
from lms.courses.queries.teaching import list_taught_courses
from lms.directory.models import Organisation
from lms.xapi.collections import Member, StatementCollection
from lms.xapi.vocabulary import activity_iri

_MOST = 500  # members offered in a list


def _run_activities(value: uuid.UUID) -> Sequence[str]:
    return [activity_iri("run", value)]


def _run_registrations(value: uuid.UUID) -> Select[uuid.UUID]:
    return select(Enrolment.registration).join(Enrolment.run).where(CourseRun.uuid == value)


def _runs(user: User) -> Sequence[Member]:
    courses = list_taught_courses(user).with_only_columns(Course.id).order_by(None)
    found = (
        select(CourseRun)
        .where(CourseRun.course_id.in_(courses))
        .options(joinedload(CourseRun.course))
        .order_by(CourseRun.starts_on.desc(), CourseRun.id.desc())
        .limit(_MOST)
    )
    return [
        Member(
            run.uuid, f"{in_language(run.course.title)}, {format_days(run.starts_on, run.ends_on)}"
        )
        for run in db.session.scalars(found)
    ]


def _course_activities(value: uuid.UUID) -> Sequence[str]:
    return [activity_iri("course", value)]


def _course_registrations(value: uuid.UUID) -> Select[uuid.UUID]:
    return (
        select(Enrolment.registration)
        .join(Enrolment.run)
        .join(CourseRun.course)
        .where(Course.uuid == value)
    )


def _courses(user: User) -> Sequence[Member]:
    rows = db.session.scalars(list_taught_courses(user).limit(_MOST))
    return [Member(course.uuid, in_language(course.title)) for course in rows]


def _organisation_activities(value: uuid.UUID) -> Sequence[str]:
    owned = select(Course.uuid).join(Course.owner).where(Organisation.uuid == value)
    return [activity_iri("course", course) for course in db.session.scalars(owned)]


def _organisation_registrations(value: uuid.UUID) -> Select[uuid.UUID]:
    return (
        select(Enrolment.registration)
        .join(Enrolment.run)
        .join(CourseRun.course)
        .join(Course.owner)
        .where(Organisation.uuid == value)
    )


def _organisations(user: User) -> Sequence[Member]:
    owners = list_taught_courses(user).with_only_columns(Course.owner_id).order_by(None)
    rows = db.session.scalars(
        select(Organisation)
        .where(Organisation.id.in_(owners))
        .order_by(Organisation.slug)
        .limit(_MOST)
    )
    return [Member(owner.uuid, in_language(owner.name)) for owner in rows]


COLLECTIONS = [
    StatementCollection(
        "organisation",
        lazy_gettext("Courses of an organisation"),
        _organisation_activities,
        _organisation_registrations,
        _organisations,
    ),
    StatementCollection(
        "course", lazy_gettext("Course"), _course_activities, _course_registrations, _courses
    ),
    StatementCollection(
        "run",
        lazy_gettext("Course run"),
        _run_activities,
        _run_registrations,
        _runs,
        can_browse=True,
    ),
]
