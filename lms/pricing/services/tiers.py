"""Tiers and exceptions: the first ones, and their changes by administrators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import func, or_, select

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import ByLanguage, db
from lms.pricing import queries
from lms.pricing.defaults import EXCEPTIONS, PERCENT
from lms.pricing.errors import AlreadyEnded, ExceptionOverlaps
from lms.pricing.income_groups import LIST_TIER
from lms.pricing.models import PriceException, PriceTier


def ensure_tiers() -> None:
    """Make the tiers that are missing; the first exceptions with the first tiers."""
    known = {tier.name for tier in queries.tiers()}
    for position, (name, percent) in enumerate(PERCENT.items(), start=1):
        if name not in known:
            db.session.add(PriceTier(name=name, percent=percent, position=position))
    db.session.flush()
    if not known:
        for country, tier, reason in EXCEPTIONS:
            db.session.add(
                PriceException(
                    country=country, tier=tier, reason=dict(reason), valid_from=queries.today()
                )
            )
        db.session.flush()


def set_percents(percents: Mapping[str, int], by: User) -> None:
    """Change what the tiers propose; amounts that are stored stay. The list price stays whole."""
    for tier in queries.tiers():
        percent = 100 if tier.name == LIST_TIER else percents.get(tier.name, tier.percent)
        if percent != tier.percent:
            old, tier.percent = tier.percent, percent
            record("pricing.change_tier", tier, by.id, tier=tier.name, old=old, new=percent)


def add_exception(
    country: str,
    tier: str | None,
    reason: ByLanguage,
    by: User,
    *,
    valid_from: date,
    valid_until: date | None = None,
) -> PriceException:
    """Let a country go by another tier, or by none. Raises ExceptionOverlaps."""
    overlapping = (
        select(func.count())
        .select_from(PriceException)
        .where(
            PriceException.country == country,
            or_(PriceException.valid_until.is_(None), PriceException.valid_until >= valid_from),
        )
    )
    if valid_until is not None:
        overlapping = overlapping.where(PriceException.valid_from <= valid_until)
    if db.session.scalar(overlapping):
        raise ExceptionOverlaps
    row = PriceException(
        country=country,
        tier=tier,
        reason=reason,
        valid_from=valid_from,
        valid_until=valid_until,
        made_by_id=by.id,
    )
    db.session.add(row)
    record("pricing.add_exception", row, by.id, country=country, tier=tier)
    return row


def end_exception(row: PriceException, last_day: date, by: User) -> None:
    """Let an exception hold until this day, the last one. Raises AlreadyEnded."""
    if row.valid_until is not None and row.valid_until <= last_day:
        raise AlreadyEnded
    if last_day < row.valid_from:
        db.session.delete(row)  # it never came to hold
    else:
        row.valid_until = last_day
    record("pricing.end_exception", row, by.id, country=row.country, last_day=last_day.isoformat())
