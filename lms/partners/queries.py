"""Reads: agreements, sales as the ledger tells them, statements, balances."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import CourseRun
from lms.directory.models import Organisation, OrganisationRole, OrganisationRoleName
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.partners.models import (
    Agreement,
    AgreementParty,
    AgreementVersion,
)
from lms.partners.shares import PartyTerms, Sale, Terms
from lms.payments.models import Order, OrderRevenue


def payable_account(organisation: Organisation) -> str:
    """What the seller owes the partner."""
    return Account.PARTNER_PAYABLE.of(organisation.slug)


def receivable_account(organisation: Organisation) -> str:
    """What the partner collected for the seller."""
    return Account.PARTNER_RECEIVABLE.of(organisation.slug)


def managed_by(user: User) -> Select[int]:
    """Ids of the organisations that the person manages."""
    return select(OrganisationRole.organisation_id).where(
        OrganisationRole.user_id == user.id,
        OrganisationRole.role == OrganisationRoleName.MANAGER,
    )


def manages_a_party(user: User, version: AgreementVersion) -> bool:
    """Whether the person manages a partner of the version."""
    own = set(db.session.scalars(managed_by(user)))
    return any(party.organisation_id in own for party in version.parties)


def manages_a_partner(user: User) -> bool:
    """Whether the person manages a partner of any agreement."""
    found = exists().where(AgreementParty.organisation_id.in_(managed_by(user)))
    return bool(db.session.scalar(select(found)))


def managers_of(organisation_id: int) -> Sequence[User]:
    """Who manages an organisation, and can be told."""
    return db.session.scalars(
        select(User)
        .join(OrganisationRole, OrganisationRole.user_id == User.id)
        .where(
            OrganisationRole.organisation_id == organisation_id,
            OrganisationRole.role == OrganisationRoleName.MANAGER,
            User.closed_at.is_(None),
        )
        .order_by(User.id)
    ).all()


def list_agreements(user: User | None = None) -> Select[Agreement]:
    """Agreements, the newest first: all, or those of partners that a person manages."""
    statement = (
        select(Agreement)
        .options(
            joinedload(Agreement.course),
            joinedload(Agreement.run),
            selectinload(Agreement.versions)
            .selectinload(AgreementVersion.parties)
            .joinedload(AgreementParty.organisation),
        )
        .order_by(Agreement.id.desc())
    )
    if user is not None:
        own = (
            select(AgreementVersion.agreement_id)
            .join(AgreementParty, AgreementParty.version_id == AgreementVersion.id)
            .where(AgreementParty.organisation_id.in_(managed_by(user)))
        )
        statement = statement.where(Agreement.id.in_(own))
    return statement


def get_agreement(agreement_uuid: uuid.UUID) -> Agreement:
    """One agreement. Raises NotFound."""
    found = db.session.scalar(select(Agreement).where(Agreement.uuid == agreement_uuid))
    if found is None:
        raise NotFound
    return found


def get_version(agreement: Agreement, number: int) -> AgreementVersion:
    """One version of an agreement. Raises NotFound."""
    for version in agreement.versions:
        if version.number == number:
            return version
    raise NotFound


def find_agreement(course_id: int, run_id: int | None) -> Agreement | None:
    """The agreement about exactly this course, or exactly this run."""
    statement = select(Agreement)
    if run_id is None:
        statement = statement.where(Agreement.course_id == course_id, Agreement.run_id.is_(None))
    else:
        statement = statement.where(Agreement.run_id == run_id)
    return db.session.scalar(statement)


def terms_of(version: AgreementVersion) -> Terms:
    """A version as the rule of shares reads it."""
    return Terms(
        version.basis,
        version.refunds_borne_by,
        version.currency,
        [
            PartyTerms(
                one.organisation_id, one.percent_hundredths, one.fixed_minor, one.least_minor
            )
            for one in version.parties
        ],
    )


def signed_versions(course_ids: Iterable[int]) -> list[AgreementVersion]:
    """Versions that all have signed, of these courses and their runs, in the order they rule."""
    return list(
        db.session.scalars(
            select(AgreementVersion)
            .join(AgreementVersion.agreement)
            .where(
                Agreement.course_id.in_(list(course_ids)),
                AgreementVersion.in_force_from.is_not(None),
            )
            .options(
                joinedload(AgreementVersion.agreement),
                selectinload(AgreementVersion.parties).joinedload(AgreementParty.organisation),
            )
            .order_by(
                Agreement.run_id.is_(None).desc(),
                AgreementVersion.in_force_from,
                AgreementVersion.number,
            )
        )
    )


def version_for(
    versions: Iterable[AgreementVersion], run: CourseRun, sold_on: date
) -> AgreementVersion | None:
    """The version that rules a sale: the run's own before the course's, the newest that began."""
    ruling = None
    for version in versions:  # in the order of signed_versions: later ones rule
        agreement = version.agreement
        about_it = agreement.run_id == run.id or (
            agreement.run_id is None and agreement.course_id == run.course_id
        )
        if about_it and version.in_force_from is not None and version.in_force_from <= sold_on:
            ruling = version
    return ruling


@dataclass(frozen=True)
class ToldSale:
    """A sale with its order's facts and the day of the sale, as the ledger tells them."""

    order_id: int
    about: str
    run: CourseRun
    country: str | None
    rail: str | None
    sold_on: date
    sale: Sale


def told_sales(
    order_ids: Iterable[int] | None = None,
    *,
    run_ids: Iterable[int] | None = None,
    since: date | None = None,
) -> list[ToldSale]:
    """Sales as the ledger tells them: of some orders, of some runs, or all; by order."""
    statement = (
        select(Order, OrderRevenue.deferred_minor, LedgerEntry.happened_on)
        .join(OrderRevenue, OrderRevenue.order_id == Order.id)
        .join(LedgerEntry, LedgerEntry.about == "order:" + Order.number)
        .where(LedgerEntry.kind == EntryKind.SALE)
        .options(joinedload(Order.run))
        .order_by(Order.id)
    )
    if order_ids is not None:
        statement = statement.where(Order.id.in_(list(order_ids)))
    if run_ids is not None:
        statement = statement.where(Order.run_id.in_(list(run_ids)))
    if since is not None:
        statement = statement.where(LedgerEntry.happened_on >= since)
    rows = db.session.execute(statement).all()
    wanted = statement.with_only_columns(LedgerEntry.about).order_by(None).subquery()
    told: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    totals = (
        select(
            LedgerEntry.about,
            LedgerEntry.kind,
            LedgerPosting.account,
            LedgerPosting.currency,
            func.sum(LedgerPosting.amount_minor),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(LedgerEntry.about.in_(select(wanted.c.about)))
        .group_by(
            LedgerEntry.about, LedgerEntry.kind, LedgerPosting.account, LedgerPosting.currency
        )
    )
    currencies = {f"order:{order.number}": order.currency for order, _left, _day in rows}
    for about, kind, account, currency, minor in db.session.execute(totals):
        if currencies[about] == currency:
            told[about][kind, account] += int(minor)
    return [_told_sale(order, int(left), day, told) for order, left, day in rows]


def _told_sale(
    order: Order, deferred: int, day: date, told: dict[str, dict[tuple[str, str], int]]
) -> ToldSale:
    about = f"order:{order.number}"
    sums = told[about]
    net = -sums[EntryKind.SALE, Account.DEFERRED]
    still_sold = -sum(minor for (_kind, code), minor in sums.items() if code == Account.DEFERRED)
    sale = Sale(
        order.currency,
        gross=sums[EntryKind.SALE, Account.RECEIVABLE],
        net=net,
        fees=sum(minor for (_kind, account), minor in sums.items() if account == Account.PROCESSOR),
        earned=still_sold - deferred,
        taken_back=sum(
            minor for (_kind, account), minor in sums.items() if account == Account.REFUNDS
        ),
    )
    return ToldSale(order.id, about, order.run, order.country, order.gateway, day, sale)


def booked_shares(abouts: Iterable[str]) -> dict[tuple[str, str], int]:
    """What partners have of some sales by the ledger: minor units by document and account."""
    found = db.session.execute(
        select(LedgerEntry.about, LedgerPosting.account, func.sum(LedgerPosting.amount_minor))
        .join(LedgerEntry, LedgerEntry.id == LedgerPosting.entry_id)
        .where(
            LedgerEntry.about.in_(list(abouts)),
            LedgerEntry.kind.in_([EntryKind.SHARE, EntryKind.SHARE_BACK]),
            LedgerPosting.account.startswith(f"{Account.PARTNER_PAYABLE.value}:"),
        )
        .group_by(LedgerEntry.about, LedgerPosting.account)
    )
    return {(about, account): -int(minor) for about, account, minor in found}


def runs_of(agreement: Agreement) -> list[int]:
    """The runs that an agreement is about."""
    if agreement.run_id is not None:
        return [agreement.run_id]
    return list(
        db.session.scalars(select(CourseRun.id).where(CourseRun.course_id == agreement.course_id))
    )


def partners() -> list[Organisation]:
    """Organisations of any agreement, by slug."""
    return list(
        db.session.scalars(
            select(Organisation)
            .where(Organisation.id.in_(select(AgreementParty.organisation_id)))
            .order_by(Organisation.slug)
        )
    )
