"""Reads of stored amounts, contracts, requests and quotes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import CourseRun, PublicationState
from lms.directory.models import OrganisationRole
from lms.pricing.models import (
    OrganisationContract,
    PriceRequest,
    PriceTier,
    Quote,
    RunChoice,
    TierPrice,
)


def get_run(key: uuid.UUID) -> CourseRun:
    """The course run with this uuid, with its course. Raises NotFound."""
    run = db.session.scalar(
        select(CourseRun).where(CourseRun.uuid == key).options(joinedload(CourseRun.course))
    )
    if run is None:
        raise NotFound
    return run


def runs_with_price() -> Sequence[CourseRun]:
    """Runs with a price that are not over, with their courses."""
    return db.session.scalars(
        select(CourseRun)
        .where(
            CourseRun.__table__.c.price_minor > 0,
            CourseRun.ends_on >= clock.now().date(),
        )
        .options(joinedload(CourseRun.course))
        .order_by(CourseRun.course_id, CourseRun.starts_on)
    ).all()


def amounts_of(run_ids: Sequence[int], at: datetime) -> dict[int, list[TierPrice]]:
    """Stored amounts of each run that hold at this instant or will later."""
    found: dict[int, list[TierPrice]] = defaultdict(list)
    rows = db.session.scalars(
        select(TierPrice)
        .where(
            TierPrice.run_id.in_(run_ids),
            or_(TierPrice.valid_until.is_(None), TierPrice.valid_until > at),
        )
        .order_by(TierPrice.currency, TierPrice.valid_from)
    )
    for row in rows:
        found[row.run_id].append(row)
    return found


def choice_of(run_ids: Sequence[int]) -> dict[int, RunChoice]:
    """The runs in which people choose what they pay."""
    rows = db.session.scalars(select(RunChoice).where(RunChoice.run_id.in_(run_ids)))
    return {row.run_id: row for row in rows}


def contracts_of(user: User, day: date) -> Sequence[OrganisationContract]:
    """Contracts that hold on this day, of the organisations in which the person has a role."""
    roles = select(OrganisationRole.organisation_id).where(OrganisationRole.user_id == user.id)
    return db.session.scalars(
        select(OrganisationContract)
        .where(
            OrganisationContract.organisation_id.in_(roles),
            OrganisationContract.valid_from <= day,
            or_(
                OrganisationContract.valid_until.is_(None),
                OrganisationContract.valid_until >= day,
            ),
        )
        .options(joinedload(OrganisationContract.organisation))
        .order_by(OrganisationContract.id)
    ).all()


def list_contracts() -> Select[OrganisationContract]:
    """All contracts, the newest first."""
    return (
        select(OrganisationContract)
        .options(
            joinedload(OrganisationContract.organisation),
            joinedload(OrganisationContract.course),
            joinedload(OrganisationContract.run).joinedload(CourseRun.course),
        )
        .order_by(OrganisationContract.id.desc())
    )


def get_contract(contract_id: int) -> OrganisationContract:
    """The contract with this id. Raises NotFound."""
    found = db.session.get(OrganisationContract, contract_id)
    if found is None:
        raise NotFound
    return found


def list_requests() -> Select[PriceRequest]:
    """Who asked for a price, the newest first."""
    return (
        select(PriceRequest)
        .options(
            joinedload(PriceRequest.user),
            joinedload(PriceRequest.run).joinedload(CourseRun.course),
        )
        .order_by(PriceRequest.asked_at.desc(), PriceRequest.id.desc())
    )


def find_quote(key: uuid.UUID) -> Quote | None:
    """The quote with this uuid."""
    return db.session.scalar(select(Quote).where(Quote.uuid == key))


def runs_with_gaps(at: datetime, limit: int = 100) -> list[tuple[CourseRun, list[str]]]:
    """Open runs that have amounts for some tiers and none for others: there people read "price on
    request". With the tiers that are missing.
    """
    day = clock.local_date(at, "UTC")
    rows = db.session.execute(
        select(TierPrice.run_id, TierPrice.tier)
        .join(CourseRun, CourseRun.id == TierPrice.run_id)
        .where(
            CourseRun.ends_on >= day,
            CourseRun.state == PublicationState.PUBLISHED,
            TierPrice.is_early_bird.is_(False),
            TierPrice.valid_from <= at,
            or_(TierPrice.valid_until.is_(None), TierPrice.valid_until > at),
        )
        .distinct()
    )
    priced: dict[int, set[str]] = defaultdict(set)
    for run_id, tier in rows:
        priced[run_id].add(tier)
    every = db.session.scalars(select(PriceTier).order_by(PriceTier.position)).all()
    needed = [tier.name for tier in every if tier.percent < 100]
    gaps = {
        run_id: [name for name in needed if name not in tiers]
        for run_id, tiers in priced.items()
        if not tiers.issuperset(needed)
    }
    runs = db.session.scalars(
        select(CourseRun)
        .where(CourseRun.id.in_(list(gaps)[:limit]))
        .options(joinedload(CourseRun.course))
        .order_by(CourseRun.starts_on, CourseRun.id)
    )
    return [(run, gaps[run.id]) for run in runs]
