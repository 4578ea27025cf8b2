"""Reads of courses, runs and activities, one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.strategy_options import _AbstractLoad

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.fragments import find_kept, keep
from lms.core.stamps import Stamp, watch
from lms.courses.models import (
    Activity,
    Course,
    CourseCredit,
    CourseMedia,
    CourseRun,
    CourseStaff,
    Enrolment,
    Module,
    PublicationState,
    course_partners,
)
from lms.directory.models import Organisation

STRUCTURE = "course structure"  # the stamp of modules and activities
watch(STRUCTURE, Module, Activity)


def get_course(slug: str) -> Course:
    """The course with this slug, whatever its state. Raises NotFound."""
    course = db.session.scalar(select(Course).where(Course.slug == slug))
    if course is None:
        raise NotFound
    return course


def get_course_for_page(slug: str) -> Course:
    """The course with all that its public page shows but the runs. Raises NotFound."""
    course = db.session.scalar(
        select(Course)
        .where(Course.slug == slug)
        .options(
            joinedload(Course.topic),
            joinedload(Course.owner),
            selectinload(Course.partners),
            selectinload(Course.credits).joinedload(CourseCredit.organisation),
            selectinload(Course.staff).options(
                joinedload(CourseStaff.user), joinedload(CourseStaff.organisation)
            ),
            selectinload(Course.modules).joinedload(Module.activities),
        )
    )
    if course is None:
        raise NotFound
    return course


def get_course_for_study(slug: str) -> Course:
    """The course with its modules and activities. Raises NotFound."""
    course = db.session.scalar(
        select(Course)
        .where(Course.slug == slug)
        .options(selectinload(Course.modules).joinedload(Module.activities))
    )
    if course is None:
        raise NotFound
    return course


def get_run(run_id: int) -> CourseRun:
    """The run with its course. Raises NotFound."""
    run = db.session.scalar(
        select(CourseRun).where(CourseRun.id == run_id).options(joinedload(CourseRun.course))
    )
    if run is None:
        raise NotFound
    return run


def course_of_run() -> _AbstractLoad:
    """Loads a run's course without its long texts: for pages that show its title."""
    return (
        joinedload(CourseRun.course)
        .defer(Course.summary)
        .defer(Course.outcomes)
        .defer(Course.signatories)
        .defer(Course.description)
        .defer(Course.audience)
        .defer(Course.requirements)
        .defer(Course.faq)
        .defer(Course.search_text)
    )


# Made once: the study page is the page that learners open most.
_RUN = (
    select(CourseRun)
    .where(CourseRun.id == bindparam("run_id"))
    .options(course_of_run().selectinload(Course.modules).joinedload(Module.activities))
)
_PLACE = (
    select(
        CourseRun,
        Activity,
        Enrolment,
        select(Stamp.word).where(Stamp.name == STRUCTURE).scalar_subquery(),
    )
    .outerjoin(
        Activity,
        and_(
            Activity.course_id == CourseRun.course_id,
            Activity.slug == bindparam("slug"),
            Activity.is_published,
        ),
    )
    .outerjoin(
        Enrolment,
        and_(Enrolment.run_id == CourseRun.id, Enrolment.user_id == bindparam("user_id")),
    )
    .where(CourseRun.id == bindparam("run_id"))
    .options(course_of_run())
)
_MODULES = (
    select(Module)
    .where(Module.course_id == bindparam("course_id"))
    .order_by(Module.position)
    .options(selectinload(Module.activities).defer(Activity.text))
)
_SIGNS = 600  # that a module or an activity takes in memory without its text, roughly


def get_run_for_study(run_id: int) -> CourseRun:
    """The run with the modules and activities of its course. Raises NotFound."""
    run = db.session.scalar(_RUN, {"run_id": run_id})
    if run is None:
        raise NotFound
    return run


@dataclass(frozen=True)
class Place:
    """An activity of a run, None when there is none of that name, and a person's enrolment."""

    run: CourseRun
    activity: Activity | None
    enrolment: Enrolment | None


def get_place(run_id: int, slug: str, user: User) -> Place:
    """What a study page needs, to be read and not changed. Raises NotFound for the run.

    The modules of its course, and their activities without texts, are shared by all readers until
    a course changes; the activity itself is the session's own.
    """
    row = db.session.execute(_PLACE, {"run_id": run_id, "slug": slug, "user_id": user.id}).first()
    if row is None:
        raise NotFound
    run, activity, enrolment, stamp = row
    db.session.info[STRUCTURE] = stamp  # read before all that is kept under it
    set_committed_value(run.course, "modules", _modules(run.course, stamp))
    return Place(run, activity, enrolment)


def _modules(course: Course, stamp: str | None) -> list[Module]:
    key = ("modules", stamp, course.id)
    known: list[Module] | None = find_kept(key) if stamp else None
    if known is not None:
        return list(known)
    with Session(db.session.connection()) as reading:  # they are of no session afterwards
        found = list(reading.scalars(_MODULES, {"course_id": course.id}))
        for module in found:
            for activity in module.activities:
                set_committed_value(activity, "module", module)
        reading.expunge_all()
    if stamp:
        keep(key, found, _SIGNS * sum(1 + len(module.activities) for module in found))
    return list(found)


def find_activity(course: Course, slug: str) -> Activity | None:
    """The published activity with this slug, found without a query when modules are loaded."""
    for module in course.modules:
        for activity in module.activities:
            if activity.slug == slug and activity.is_published:
                return activity
    return None


def get_activity(course: Course, slug: str) -> Activity:
    """The published activity with this slug. Raises NotFound."""
    activity = find_activity(course, slug)
    if activity is None:
        raise NotFound
    return activity


def get_media(course_slug: str, name: str) -> CourseMedia:
    """A picture or file of a course, with the course. Raises NotFound."""
    media = db.session.scalar(
        select(CourseMedia)
        .join(CourseMedia.course)
        .where(Course.slug == course_slug, CourseMedia.name == name)
        .options(joinedload(CourseMedia.course))
    )
    if media is None:
        raise NotFound
    return media


def find_media(course_id: int, names: set[str]) -> dict[str, CourseMedia]:
    """Those of the course's files that have one of the names, by name."""
    if not names:
        return {}
    found = db.session.scalars(
        select(CourseMedia).where(CourseMedia.course_id == course_id, CourseMedia.name.in_(names))
    )
    return {media.name: media for media in found}


def list_courses_of(organisation: Organisation, limit: int = 24) -> list[Course]:
    """The published courses that an organisation owns or shares."""
    shared = select(course_partners.c.course_id).where(
        course_partners.c.organisation_id == organisation.id
    )
    return list(
        db.session.scalars(
            select(Course)
            .where(
                Course.state == PublicationState.PUBLISHED,
                (Course.owner_id == organisation.id) | Course.id.in_(shared),
            )
            .order_by(Course.slug)
            .limit(limit)
            .options(joinedload(Course.topic), selectinload(Course.credits))
        )
    )


def list_published_courses() -> list[Course]:
    """All courses that the public sees, for the sitemap."""
    return list(
        db.session.scalars(
            select(Course).where(Course.state == PublicationState.PUBLISHED).order_by(Course.slug)
        )
    )
