"""What is stored for a run: amounts by tier and currency, and whether people choose."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.core.stamps import touch
from lms.courses.events import CourseRunCopied
from lms.courses.models import CourseRun
from lms.courses.queries.catalogue import STAMP
from lms.pricing.errors import AlreadyEnded
from lms.pricing.income_groups import LIST_TIER
from lms.pricing.models import RunChoice, TierPrice


def set_amounts(
    run: CourseRun,
    amounts: Mapping[str, Money],
    by: User | None,
    *,
    starts_on: date | None = None,
    early_until: date | None = None,
) -> list[TierPrice]:
    """Store what tiers pay from the beginning of a day in the run's zone; from now on when None.

    amounts: tier -> amount. early_until: the last day, in the run's zone, of amounts for early
    buyers. What was to hold then ends or is replaced; what held before is kept. The list price
    stands with the run, so it is stored for other currencies only.
    """
    now = clock.now()
    begins = now if starts_on is None else clock.start_of_day(starts_on, run.time_zone)
    begins = max(begins, now)
    ends = _end_of(early_until, run)
    if ends is not None and ends <= begins:
        raise AlreadyEnded
    is_early = ends is not None
    made = []
    for tier, amount in amounts.items():
        if tier == LIST_TIER and amount.currency == run.price.currency and not is_early:
            continue
        _give_way(run, tier, amount.currency, is_early, begins)
        row = TierPrice(
            run_id=run.id,
            tier=tier,
            currency=amount.currency,
            amount_minor=amount.minor,
            is_early_bird=is_early,
            valid_from=begins,
            valid_until=ends,
            made_by_id=by.id if by else None,
        )
        db.session.add(row)
        made.append(row)
    db.session.flush()
    touch(STAMP)
    record(
        "pricing.set_amounts",
        run,
        by.id if by else None,
        amounts={tier: [amount.minor, amount.currency] for tier, amount in amounts.items()},
        begins=begins.isoformat(),
        ends=ends.isoformat() if ends else None,
    )
    return made


def copy_amounts(event: CourseRunCopied) -> None:
    """Let a run that is planned like another one cost the same, unless its list price differs.

    Amounts for early buyers are not taken along: their last day belongs to the other dates.
    """
    run, source, now = event.run, event.source, clock.now()
    if run.price != source.price or not run.price:
        return
    rows = db.session.scalars(select(TierPrice).where(TierPrice.run_id == source.id))
    for row in rows.all():
        if row.holds_at(now) and not row.is_early_bird:
            set_amounts(run, {row.tier: row.amount}, None)
    choice = db.session.get(RunChoice, source.id)
    if choice is not None:
        db.session.add(
            RunChoice(
                run_id=run.id,
                minimum_percent=choice.minimum_percent,
                suggested_percent=choice.suggested_percent,
            )
        )


def _end_of(day: date | None, run: CourseRun) -> datetime | None:
    """The first instant after a day in the run's zone."""
    if day is None:
        return None
    return clock.start_of_day(date.fromordinal(day.toordinal() + 1), run.time_zone)


def _give_way(run: CourseRun, tier: str, currency: str, is_early: bool, begins: datetime) -> None:
    """End the amount that holds then, and forget those that would begin later."""
    rows = db.session.scalars(
        select(TierPrice).where(
            TierPrice.run_id == run.id,
            TierPrice.tier == tier,
            TierPrice.currency == currency,
            TierPrice.is_early_bird.is_(is_early),
        )
    )
    for row in rows:
        if row.valid_from >= begins:
            db.session.delete(row)
        elif row.valid_until is None or row.valid_until > begins:
            row.valid_until = begins
    db.session.flush()


def end_amount(row: TierPrice, by: User) -> None:
    """Let an amount hold no longer; one that has not begun is forgotten. Raises AlreadyEnded."""
    now = clock.now()
    if row.valid_until is not None and row.valid_until <= now:
        raise AlreadyEnded
    if row.valid_from >= now:
        db.session.delete(row)
    else:
        row.valid_until = now
    touch(STAMP)
    amount = [row.amount_minor, row.currency]
    record("pricing.end_amount", row, by.id, run=row.run_id, tier=row.tier, amount=amount)


def let_choose(run: CourseRun, minimum_percent: int, suggested_percent: int, by: User) -> None:
    """Let people choose what they pay for the run."""
    row = db.session.merge(
        RunChoice(
            run_id=run.id, minimum_percent=minimum_percent, suggested_percent=suggested_percent
        )
    )
    touch(STAMP)
    record("pricing.let_choose", run, by.id, minimum=row.minimum_percent)


def end_choice(run: CourseRun, by: User) -> None:
    """Let people pay the price. Safe to repeat."""
    row = db.session.get(RunChoice, run.id)
    if row is not None:
        db.session.delete(row)
        touch(STAMP)
        record("pricing.end_choice", run, by.id)
