"""Applications: sent, decided on, withdrawn, expired."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db, insert_if_new
from lms.courses.events import CourseRunCancelled
from lms.courses.models import CourseRun, PublicationState
from lms.notifications.services import tell
from lms.scholarships import queries
from lms.scholarships.errors import (
    AlreadyApplied,
    AlreadyDecided,
    DoesNotFit,
    FundExhausted,
    NoPriceInCurrency,
    NotOffered,
)
from lms.scholarships.models import WAITS, Application, ApplicationState, Fund
from lms.scholarships.services.funds import move


def apply(run: CourseRun, user: User, fund: Fund, percent: int, statement: str) -> Application:
    """Ask a fund for a part of the price, and tell the administrators.

    Raises DoesNotFit, NotOffered or AlreadyApplied.
    """
    if fund.id not in {one.id for one in queries.funds_for(user, run)}:
        raise DoesNotFit
    if percent not in queries.percents_for(user, run, fund):
        raise NotOffered
    is_new = insert_if_new(
        Application,
        fund_id=fund.id,
        run_id=run.id,
        user_id=user.id,
        country=user.country,
        statement=statement,
        asked_percent=percent,
        version=1,
    )
    application = queries.find_waiting(user, run)
    if not is_new or application is None:
        raise AlreadyApplied
    administrators = db.session.scalars(
        select(User).where(User.is_administrator, User.closed_at.is_(None))
    ).all()
    for administrator in administrators:
        tell(administrator, "scholarships.asked", **facts_for_messages(application))
    return application


def facts_for_messages(application: Application) -> dict[str, Any]:
    """What messages about an application say, as JSON."""
    last_day = application.expires_on
    return {
        "application": str(application.uuid),
        "run": str(application.run.uuid),
        "course": dict(application.run.course.title),
        "fund": dict(application.fund.name),
        "donor": application.fund.public_donor,
        "percent": application.percent or application.asked_percent,
        "last_day": last_day.isoformat() if last_day else None,
        "answer": application.answer,
    }


def lock(application: Application, *states: str) -> Application:
    """The application as it is now, locked until the end of the transaction; its fund comes after.

    Raises AlreadyDecided when it is in none of the states any more.
    """
    found = db.session.execute(
        select(Application)
        .where(Application.id == application.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    if found.state not in states:
        raise AlreadyDecided
    return found


def award(
    application: Application, percent: int, expires_on: date, answer: str, by: User
) -> Application:
    """Award a part of the price and hold it in the fund.

    Raises NotOffered, NoPriceInCurrency, AlreadyDecided or FundExhausted; nothing is changed then.
    """
    application = lock(application, ApplicationState.ASKED)
    fund, user = application.fund, application.user
    if percent not in fund.percents:
        raise NotOffered
    price = queries.price_in(user, application.run, fund.currency) if user else None
    if price is None or user is None:
        raise NoPriceInCurrency
    amount = price.minor * percent // 100
    if not move(fund, reserved=amount):
        raise FundExhausted
    application.state = ApplicationState.AWARDED
    application.percent, application.reserved_minor = percent, amount
    application.expires_on, application.answer = expires_on, answer
    application.decided_at, application.decided_by_id = clock.now(), by.id
    record("scholarships.award", application, by.id, percent=percent, fund=fund.key)
    tell(user, "scholarships.awarded", **facts_for_messages(application))
    return application


def decline(application: Application, answer: str, by: User) -> None:
    """Award nothing, and say why. Raises AlreadyDecided."""
    application = lock(application, ApplicationState.ASKED)
    application.decided_at, application.decided_by_id = clock.now(), by.id
    application.answer = answer
    _end(application, ApplicationState.DECLINED)
    record("scholarships.decline", application, by.id, fund=application.fund.key)
    if application.user is not None:
        tell(application.user, "scholarships.declined", **facts_for_messages(application))


def withdraw(application: Application) -> None:
    """The learner gives an application or an unused award up. Raises AlreadyDecided."""
    _end(lock(application, *WAITS), ApplicationState.WITHDRAWN)


def take_back(application: Application, answer: str, by: User) -> None:
    """An administrator takes an unused award back, with a reason. Raises AlreadyDecided."""
    application = lock(application, ApplicationState.AWARDED)
    application.answer = answer
    _end(application, ApplicationState.WITHDRAWN)
    record("scholarships.take_back", application, by.id, fund=application.fund.key)
    if application.user is not None:
        tell(application.user, "scholarships.taken_back", **facts_for_messages(application))


def expire(application: Application) -> None:
    """The last day of an award is past, or the run is over. Safe to repeat."""
    try:
        application = lock(application, *WAITS)
    except AlreadyDecided:
        return
    was_awarded = application.state == ApplicationState.AWARDED
    _end(application, ApplicationState.EXPIRED)
    if application.user is not None:
        facts = facts_for_messages(application)
        tell(application.user, "scholarships.expired", was_awarded=was_awarded, **facts)


def _end(application: Application, to: ApplicationState) -> None:
    """Nothing comes of it any more: what it held in the fund is free again."""
    held, application.reserved_minor = application.reserved_minor, 0
    application.state, application.ended_at = to, clock.now()
    db.session.flush()
    if held:
        move(application.fund, reserved=-held)


def end_for_cancelled_run(event: CourseRunCancelled) -> None:
    """A run does not take place: nothing waits for it any more."""
    waiting = db.session.scalars(
        select(Application).where(Application.run_id == event.run.id, Application.state.in_(WAITS))
    ).all()
    for application in waiting:
        expire(application)


def may_apply_for(run: CourseRun) -> bool:
    """Whether scholarships are given for the run at all."""
    is_open = run.state == PublicationState.PUBLISHED and run.course.is_published
    return is_open and bool(run.price) and run.ends_on >= queries.today()
