"""Reads for those who write and teach courses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.text import fold
from lms.courses.models import (
    HOLDS_SEAT,
    STUDIES,
    Activity,
    Course,
    CourseMedia,
    CourseRun,
    CourseStaff,
    Enrolment,
    EnrolmentState,
    Module,
    Progress,
    course_partners,
)
from lms.directory.models import Organisation, OrganisationRole, OrganisationRoleName

SORTS = ("name", "done", "seen", "grade", "state")


def teaches(user: User) -> bool:
    """Whether the person may write courses: teaches one already, or manages an organisation."""
    staff = exists().where(CourseStaff.user_id == user.id)
    manager = exists().where(
        OrganisationRole.user_id == user.id, OrganisationRole.role == OrganisationRoleName.MANAGER
    )
    return bool(db.session.scalar(select(staff | manager)))


def _managed(user: User) -> Select[Any]:
    return select(OrganisationRole.organisation_id).where(
        OrganisationRole.user_id == user.id, OrganisationRole.role == OrganisationRoleName.MANAGER
    )


def manages_owner(user: User, course: Course) -> bool:
    """Whether the person manages the organisation that owns the course."""
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    OrganisationRole.user_id == user.id,
                    OrganisationRole.organisation_id == course.owner_id,
                    OrganisationRole.role == OrganisationRoleName.MANAGER,
                )
            )
        )
    )


def list_taught_courses(user: User, query: str = "") -> Select[Any]:
    """The courses that the person may edit, those changed last first; all for administrators."""
    found = select(Course).order_by(Course.updated_at.desc(), Course.id.desc())
    if not user.is_administrator:
        managed = _managed(user)
        found = found.where(
            or_(
                exists().where(CourseStaff.course_id == Course.id, CourseStaff.user_id == user.id),
                Course.owner_id.in_(managed),
                exists().where(
                    course_partners.c.course_id == Course.id,
                    course_partners.c.organisation_id.in_(managed),
                ),
            )
        )
    for word in fold(query).split()[:8]:
        found = found.where(Course.search_text.contains(word, autoescape=True))
    return found.options(selectinload(Course.runs), joinedload(Course.owner))


def learner_counts(course_ids: Sequence[int]) -> dict[int, int]:
    """How many people study or studied in all runs of each course."""
    rows = db.session.execute(
        select(CourseRun.course_id, func.count())
        .join(Enrolment, Enrolment.run_id == CourseRun.id)
        .where(CourseRun.course_id.in_(course_ids), Enrolment.state.in_(STUDIES))
        .group_by(CourseRun.course_id)
    )
    return {course_id: count for course_id, count in rows}  # noqa: C416


def organisations_for(user: User) -> list[Organisation]:
    """The organisations for which the person may own a course; all for administrators."""
    return [organisation for organisation, _is_managed in _acts_for(user)]


def owners_and_partners(
    course: Course, user: User
) -> tuple[list[Organisation], list[Organisation]]:
    """What the person may choose as owner of the course and, besides its partners, as partner.

    Managers of a partner see the learners of the course, so nobody names an organisation but its
    own managers and administrators.
    """
    rows = _acts_for(user)
    managed = [organisation for organisation, is_managed in rows if is_managed]
    partners = {*course.partners, *managed}
    return [row[0] for row in rows], sorted(partners, key=lambda organisation: organisation.slug)


def _acts_for(user: User) -> list[tuple[Organisation, bool]]:
    """Organisations that the person manages (True) or teaches for; all for administrators."""
    if user.is_administrator:
        return [(organisation, True) for organisation in list_organisations()]
    is_managed = Organisation.id.in_(_managed(user))
    taught = select(CourseStaff.organisation_id).where(
        CourseStaff.user_id == user.id, CourseStaff.organisation_id.is_not(None)
    )
    rows = db.session.execute(
        select(Organisation, is_managed)
        .where(or_(is_managed, Organisation.id.in_(taught)))
        .order_by(Organisation.slug)
    )
    return [(organisation, bool(manages)) for organisation, manages in rows]


def list_organisations() -> list[Organisation]:
    """All organisations."""
    return list(db.session.scalars(select(Organisation).order_by(Organisation.slug)))


def get_course_for_authoring(slug: str) -> Course:
    """The course with its modules, activities, runs and staff. Raises NotFound."""
    course = db.session.scalar(
        select(Course)
        .where(Course.slug == slug)
        .options(
            joinedload(Course.topic),
            joinedload(Course.owner),
            selectinload(Course.modules).selectinload(Module.activities),
            selectinload(Course.runs),
            selectinload(Course.staff).joinedload(CourseStaff.user),
        )
    )
    if course is None:
        raise NotFound
    return course


def get_module_of(course: Course, module_id: int) -> Module:
    """A module of the course. Raises NotFound."""
    module = db.session.get(Module, module_id)
    if module is None or module.course_id != course.id:
        raise NotFound
    return module


def get_activity_of(course: Course, activity_id: int) -> Activity:
    """An activity of the course, kept back or not. Raises NotFound."""
    activity = db.session.get(Activity, activity_id)
    if activity is None or activity.course_id != course.id:
        raise NotFound
    return activity


def get_run_of(course: Course, run_id: int) -> CourseRun:
    """A run of the course. Raises NotFound."""
    run = db.session.get(CourseRun, run_id)
    if run is None or run.course_id != course.id:
        raise NotFound
    return run


def get_staff_of(course: Course, staff_id: int) -> CourseStaff:
    """An instructor of the course. Raises NotFound."""
    row = db.session.get(CourseStaff, staff_id)
    if row is None or row.course_id != course.id:
        raise NotFound
    return row


def get_media_of(course: Course, media_id: int) -> CourseMedia:
    """A picture or file of the course. Raises NotFound."""
    media = db.session.get(CourseMedia, media_id)
    if media is None or media.course_id != course.id:
        raise NotFound
    return media


def get_enrolment_of(run: CourseRun, enrolment_id: int) -> Enrolment:
    """An enrolment in the run, with the person and their progress. Raises NotFound."""
    enrolment = db.session.scalar(
        select(Enrolment)
        .where(Enrolment.id == enrolment_id, Enrolment.run_id == run.id)
        .options(joinedload(Enrolment.user), selectinload(Enrolment.progress))
    )
    if enrolment is None:
        raise NotFound
    return enrolment


def count_required(course: Course) -> int:
    """How many activities count for completion: the required ones, or all when none is."""
    shown = [Activity.course_id == course.id, Activity.is_published]
    counted = select(func.count().filter(Activity.is_required), func.count()).where(*shown)
    required, every = db.session.execute(counted).one()
    return int(required or every)


def list_learners(
    run: CourseRun, *, query: str = "", group: str = "", sort: str = "name", down: bool = False
) -> Select[Any]:
    """Rows of enrolment and how many required activities are done.

    group: "" for those who study, "waiting" for the waiting list in its order, "left" for those
    who left. sort: one of SORTS.
    """
    done = (
        select(func.count())
        .select_from(Progress)
        .join(Activity, Activity.id == Progress.activity_id)
        .where(
            Progress.enrolment_id == Enrolment.id,
            Progress.counts(),
            Activity.is_published,
            Activity.is_required,
        )
        .correlate(Enrolment)
        .scalar_subquery()
        .label("done")
    )
    found = (
        select(Enrolment, done)
        .join(Enrolment.user)
        .where(Enrolment.run_id == run.id, _in_group(group))
        .options(joinedload(Enrolment.user))
    )
    text = query.strip()
    if text:
        found = found.where(
            or_(
                func.lower(User.name).contains(text.lower(), autoescape=True),
                User.email_folded.contains(text.casefold(), autoescape=True),
            )
        )
    if group == "waiting":
        return found.order_by(Enrolment.waiting_since, Enrolment.id)
    columns: dict[str, ColumnElement[Any]] = {
        "name": func.lower(User.name).expression,
        "done": done.element,
        "seen": Enrolment.last_seen_at.expression,
        "grade": Enrolment.grade.expression,
        "state": Enrolment.state.expression,
    }
    column = columns.get(sort, columns["name"])
    order = column.desc().nulls_last() if down else column.asc().nulls_first()
    return found.order_by(order, func.lower(User.name), Enrolment.id)


def _in_group(group: str) -> ColumnElement[bool]:
    if group == "waiting":
        return Enrolment.state == EnrolmentState.WAITLISTED
    if group == "left":
        return Enrolment.state.in_(
            (EnrolmentState.WITHDRAWN, EnrolmentState.REFUNDED, EnrolmentState.EXPIRED)
        )
    return Enrolment.state.in_(HOLDS_SEAT)


def count_groups(run: CourseRun) -> dict[str, int]:
    """How many people study, wait and left, for the tabs of the list."""
    rows = db.session.execute(
        select(Enrolment.state, func.count())
        .where(Enrolment.run_id == run.id)
        .group_by(Enrolment.state)
    )
    counts = {"": 0, "waiting": 0, "left": 0}
    for state, count in rows:
        if state in HOLDS_SEAT:
            counts[""] += count
        elif state == EnrolmentState.WAITLISTED:
            counts["waiting"] += count
        else:
            counts["left"] += count
    return counts
