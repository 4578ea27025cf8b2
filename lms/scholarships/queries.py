"""Reads of funds and applications.

get_* raises NotFound, find_* may return None, list_* returns a select.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.text import fold
from lms.courses.models import Course, CourseRun, PublicationState
from lms.directory.models import OrganisationRole
from lms.pricing.queries import tiers_of
from lms.pricing.services.quotes import PriceBook
from lms.scholarships.criteria import Facts, unmet
from lms.scholarships.models import WAITS, Application, ApplicationState, Fund


def today() -> date:
    """The day by which funds open and awards expire."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def get_fund(key: str) -> Fund:
    """The fund of this key. Raises NotFound."""
    found = db.session.scalar(select(Fund).where(Fund.key == key))
    if found is None:
        raise NotFound
    return found


def list_funds() -> Select[Fund]:
    """All funds, the newest first."""
    return select(Fund).order_by(Fund.id.desc())


def open_funds(day: date) -> Sequence[Fund]:
    """Funds to which one can apply on this day and that have something left."""
    return db.session.scalars(select(Fund).where(_is_open(day)).order_by(Fund.id)).all()


def _is_open(day: date) -> ColumnElement[bool]:
    return and_(
        Fund.opens_on <= day,
        or_(Fund.closes_on.is_(None), Fund.closes_on >= day),
        Fund.balance_minor > Fund.reserved_minor,
    )


def get_run(key: uuid.UUID) -> CourseRun:
    """The course run with this uuid, with its course. Raises NotFound."""
    run = db.session.scalar(
        select(CourseRun).where(CourseRun.uuid == key).options(joinedload(CourseRun.course))
    )
    if run is None:
        raise NotFound
    return run


def runs_to_apply_for(course: Course, day: date) -> Sequence[CourseRun]:
    """The runs of a course that cost something and are not over."""
    return db.session.scalars(
        select(CourseRun)
        .where(
            CourseRun.course_id == course.id,
            CourseRun.state == PublicationState.PUBLISHED,
            CourseRun.__table__.c.price_minor > 0,
            CourseRun.ends_on >= day,
        )
        .order_by(CourseRun.starts_on, CourseRun.id)
    ).all()


def facts_of(user: User, run: CourseRun) -> Facts:
    """What the criteria of funds ask of a learner and a run."""
    country = user.country
    roles = select(OrganisationRole.organisation_id).where(OrganisationRole.user_id == user.id)
    return Facts(
        country=country,
        tier=tiers_of([country])[country].tier if country else None,
        organisations=frozenset(db.session.scalars(roles)),
        course=run.course_id,
        run=run.id,
        hours=float(run.course.hours or 0),
    )


def funds_for(user: User, run: CourseRun) -> list[Fund]:
    """The open funds that fit the learner and have a price to pay in their currency."""
    facts, funds = facts_of(user, run), open_funds(today())
    fitting = [fund for fund in funds if not unmet(fund.criteria, facts)]
    return [fund for fund in fitting if price_in(user, run, fund.currency) is not None]


def price_in(user: User, run: CourseRun, currency: str) -> Money | None:
    """What the run costs this person before reductions, None without a price in the currency.

    Without what holds for early buyers alone: an award may be used later.
    """
    terms = PriceBook([run], user).terms(run, currency)
    return terms.tier_price if terms.currency == currency else None


def percents_for(user: User, run: CourseRun, fund: Fund) -> list[int]:
    """What the person can ask of the fund: who cannot pay at all is helped by the whole alone."""
    if PriceBook([run], user).terms(run, fund.currency).refuses_payment:
        return [percent for percent in fund.percents if percent == 100]
    return list(fund.percents)


_WITH_RUN = joinedload(Application.run).joinedload(CourseRun.course)


def get_application(key: uuid.UUID) -> Application:
    """The application with this uuid. Raises NotFound."""
    found = db.session.scalar(
        select(Application)
        .where(Application.uuid == key)
        .options(_WITH_RUN, joinedload(Application.fund), joinedload(Application.user))
    )
    if found is None:
        raise NotFound
    return found


def find_waiting(user: User, run: CourseRun) -> Application | None:
    """The person's application or award for the run; there is at most one."""
    return db.session.scalar(
        select(Application).where(
            Application.user_id == user.id,
            Application.run_id == run.id,
            Application.state.in_(WAITS),
        )
    )


def standing(user: User, run: CourseRun) -> tuple[Application | None, bool]:
    """The award that the person can use today for the run, and whether any fund is open."""
    day = today()
    one = select(literal(1).label("one")).subquery()
    usable = and_(
        Application.user_id == user.id,
        Application.run_id == run.id,
        Application.state == ApplicationState.AWARDED,
        or_(Application.expires_on.is_(None), Application.expires_on >= day),
    )
    award, is_open = db.session.execute(
        select(Application, exists().where(_is_open(day)))
        .select_from(one)
        .outerjoin(Application, usable)
    ).one()
    return award, is_open


def find_award(user: User, run: CourseRun) -> Application | None:
    """The award that the person can use today for the run."""
    return standing(user, run)[0]


def list_applications_of(user: User) -> Select[Application]:
    """The person's applications, the newest first."""
    return (
        select(Application)
        .where(Application.user_id == user.id)
        .options(_WITH_RUN, joinedload(Application.fund))
        .order_by(Application.created_at.desc(), Application.id.desc())
    )


def list_applications(
    *, words: str = "", state: str = "", fund_id: int | None = None
) -> Select[Application]:
    """Applications for administrators; of those that wait the longest first, else the newest."""
    found = select(Application).options(
        _WITH_RUN, joinedload(Application.fund), joinedload(Application.user)
    )
    if state:
        found = found.where(Application.state == state)
    if fund_id is not None:
        found = found.where(Application.fund_id == fund_id)
    if words.strip():
        found = found.where(_matches(words.strip()))
    if state == ApplicationState.ASKED:
        return found.order_by(Application.created_at, Application.id)
    return found.order_by(Application.created_at.desc(), Application.id.desc())


def _matches(words: str) -> ColumnElement[bool]:
    """By name or address of the learner, or course."""
    inside = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    people = select(User.id).where(
        or_(
            User.name.ilike(inside, escape="\\"),
            User.email_folded.like(inside.casefold(), escape="\\"),
        )
    )
    runs = (
        select(CourseRun.id)
        .join(Course)
        .where(Course.search_text.like(f"%{fold(words)}%"), Course.search_text != "")
    )
    return or_(Application.user_id.in_(people), Application.run_id.in_(runs))


def over(day: date) -> Sequence[int]:
    """Ids of awards whose last day is past, and of applications for runs that are over."""
    return db.session.scalars(
        select(Application.id)
        .join(CourseRun, CourseRun.id == Application.run_id)
        .where(
            or_(
                (Application.state == ApplicationState.AWARDED) & (Application.expires_on < day),
                Application.state.in_(WAITS) & (CourseRun.ends_on < day),
            )
        )
        .order_by(Application.id)
        .limit(500)
    ).all()
