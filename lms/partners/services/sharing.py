"""Shares in the ledger: posted with what was earned, taken back with what was given back.

Each time something changes, what a partner should have of a sale is computed anew and the
difference is posted: nothing is added up twice, and a fee that is told late is made good.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.courses.services.enrolment import lock_run
from lms.directory.models import Organisation
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post
from lms.partners import queries
from lms.partners.models import Agreement
from lms.partners.queries import ToldSale
from lms.partners.services.agreements import today
from lms.partners.shares import earned_shares
from lms.payments.events import SaleTakenBack, WeekEarned


@dataclass(frozen=True)
class MissingShare:
    """How much a partner should have more of a sale than the ledger tells; negative: less."""

    told: ToldSale
    organisation: Organisation
    minor: int


def missing_shares(sales: Sequence[ToldSale]) -> Iterator[MissingShare]:
    """What the ledger does not tell yet of the shares in these sales."""
    versions = queries.signed_versions({told.run.course_id for told in sales})
    if not versions:
        return
    organisations = {
        party.organisation_id: party.organisation
        for version in versions
        for party in version.parties
    }
    booked = queries.booked_shares([told.about for told in sales])
    for told in sales:
        version = queries.version_for(versions, told.run, told.sold_on)
        due = earned_shares(queries.terms_of(version), told.sale) if version else {}
        for key, organisation in sorted(organisations.items()):
            has = booked.get((told.about, queries.payable_account(organisation)), 0)
            if minor := due.get(key, 0) - has:
                yield MissingShare(told, organisation, minor)


def share(sales: Sequence[ToldSale], day: date) -> int:
    """Post what is missing of the shares in these sales; how many entries were made."""
    made = 0
    for missing in missing_shares(sales):
        told, amount = missing.told, Money(missing.minor, missing.told.sale.currency)
        post(
            EntryKind.SHARE if amount.minor > 0 else EntryKind.SHARE_BACK,
            f"{told.about}:{missing.organisation.slug}:{uuid.uuid4()}",
            day,
            {
                Account.PARTNER_SHARE: amount,
                queries.payable_account(missing.organisation): -amount,
            },
            about=told.about,
            product=f"run:{told.run.id}",
            country=told.country,
            rail=told.rail,
        )
        made += 1
    return made


def share_week(event: WeekEarned) -> None:
    """A week was earned: the partners' shares in it are earned at the same moment."""
    if queries.signed_versions([event.run.course_id]):
        share(queries.told_sales(event.earned), event.day)


def take_back(event: SaleTakenBack) -> None:
    """A part of a sale was taken back, or holds after all: the shares follow."""
    run = event.order.run
    if run is not None and queries.signed_versions([run.course_id]):
        share(queries.told_sales([event.order.id]), event.day)


def runs_with_agreements() -> Iterable[CourseRun]:
    """Runs of courses that have an agreement."""
    return db.session.scalars(
        select(CourseRun)
        .where(CourseRun.course_id.in_(select(Agreement.course_id)))
        .order_by(CourseRun.id)
    ).all()


def share_run(run: CourseRun) -> int:
    """Post what is missing in a run, such as after a fee that was told late."""
    lock_run(run)
    return share(queries.told_sales(run_ids=[run.id]), today())
