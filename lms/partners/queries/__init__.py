"""Reads: agreements, statements, balances; sales as the ledger tells them are in `sales`."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.directory.models import Organisation, OrganisationRole, OrganisationRoleName
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry, LedgerPosting
from lms.partners.collecting_models import Collector
from lms.partners.models import (
    Agreement,
    AgreementParty,
    AgreementVersion,
    PartnerStatement,
    StatementLine,
)
from lms.partners.queries.sales import ToldSale, booked_shares, told_sales
from lms.partners.shares import PartyTerms, Terms

__all__ = ["ToldSale", "booked_shares", "told_sales"]  # from the parts of this folder


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


def runs_of(agreement: Agreement) -> list[int]:
    """The runs that an agreement is about."""
    if agreement.run_id is not None:
        return [agreement.run_id]
    return list(
        db.session.scalars(select(CourseRun.id).where(CourseRun.course_id == agreement.course_id))
    )


def partners() -> list[Organisation]:
    """Organisations of any agreement, and those that collect, by slug."""
    return list(
        db.session.scalars(
            select(Organisation)
            .where(
                or_(
                    Organisation.id.in_(select(AgreementParty.organisation_id)),
                    Organisation.id.in_(select(Collector.organisation_id)),
                )
            )
            .order_by(Organisation.slug)
        )
    )


def last_statement(organisation: Organisation, currency: str) -> PartnerStatement | None:
    """The partner's latest statement in a currency."""
    return db.session.scalar(
        select(PartnerStatement)
        .where(
            PartnerStatement.organisation_id == organisation.id,
            PartnerStatement.currency == currency,
        )
        .order_by(PartnerStatement.month.desc())
        .limit(1)
    )


def _of_partner(organisation: Organisation, currency: str) -> ColumnElement[bool]:
    accounts = [payable_account(organisation), receivable_account(organisation)]
    return and_(LedgerPosting.account.in_(accounts), LedgerPosting.currency == currency)


def unstated_entries(
    organisation: Organisation, currency: str, month: str
) -> list[tuple[LedgerEntry, int]]:
    """Entries up to the end of a month that no statement holds; more owed is positive."""
    amounts = (
        select(LedgerPosting.entry_id, func.sum(-LedgerPosting.amount_minor).label("minor"))
        .where(_of_partner(organisation, currency))
        .group_by(LedgerPosting.entry_id)
        .subquery()
    )
    stated = (
        select(StatementLine.id)
        .join(PartnerStatement, PartnerStatement.id == StatementLine.statement_id)
        .where(
            StatementLine.entry_id == LedgerEntry.id,
            PartnerStatement.organisation_id == organisation.id,
            PartnerStatement.currency == currency,
        )
    )
    found = db.session.execute(
        select(LedgerEntry, amounts.c.minor)
        .join(amounts, amounts.c.entry_id == LedgerEntry.id)
        .where(LedgerEntry.month <= month, ~stated.exists())
        .order_by(LedgerEntry.effective_on, LedgerEntry.id)
    )
    return [(entry, int(minor)) for entry, minor in found]


def differing_lines(organisation: Organisation, currency: str) -> list[tuple[str, int, int]]:
    """Lines of a partner's statements that the ledger tells otherwise: month, entry, difference."""
    told = func.coalesce(func.sum(-LedgerPosting.amount_minor), 0)
    found = db.session.execute(
        select(PartnerStatement.month, StatementLine.entry_id, told - StatementLine.amount_minor)
        .join(StatementLine, StatementLine.statement_id == PartnerStatement.id)
        .outerjoin(
            LedgerPosting,
            and_(
                LedgerPosting.entry_id == StatementLine.entry_id,
                _of_partner(organisation, currency),
            ),
        )
        .where(
            PartnerStatement.organisation_id == organisation.id,
            PartnerStatement.currency == currency,
        )
        .group_by(
            PartnerStatement.month,
            StatementLine.id,
            StatementLine.entry_id,
            StatementLine.amount_minor,
        )
        .having(told != StatementLine.amount_minor)
    )
    return [(month, entry, int(minor)) for month, entry, minor in found]


def sales_and_refunds(organisation: Organisation, currency: str, month: str) -> tuple[int, int]:
    """What the courses shared with a partner sold in a month, and what was taken back of it."""
    agreed = (
        select(Agreement.course_id)
        .join(AgreementVersion, AgreementVersion.agreement_id == Agreement.id)
        .join(AgreementParty, AgreementParty.version_id == AgreementVersion.id)
        .where(
            AgreementParty.organisation_id == organisation.id,
            AgreementVersion.in_force_from.is_not(None),
        )
    )
    runs = db.session.scalars(select(CourseRun.id).where(CourseRun.course_id.in_(agreed)))
    found = db.session.execute(
        select(LedgerEntry.kind, func.sum(LedgerPosting.amount_minor))
        .join(LedgerPosting, LedgerPosting.entry_id == LedgerEntry.id)
        .where(
            LedgerEntry.product.in_([f"run:{run}" for run in runs]),
            LedgerEntry.month == month,
            LedgerEntry.kind.in_(
                [EntryKind.SALE, EntryKind.CREDIT_NOTE, EntryKind.CREDIT_NOTE_UNDONE]
            ),
            LedgerPosting.account == Account.RECEIVABLE.value,
            LedgerPosting.currency == currency,
        )
        .group_by(LedgerEntry.kind)
    )
    sums = {kind: int(minor) for kind, minor in found}
    sales = sums.pop(EntryKind.SALE, 0)
    return sales, -sum(sums.values())


def account_balances(organisation: Organisation, currency: str) -> tuple[int, int]:
    """What is owed to a partner, and what it collected for the seller, in minor units."""
    found = db.session.execute(
        select(LedgerPosting.account, func.sum(LedgerPosting.amount_minor))
        .where(_of_partner(organisation, currency))
        .group_by(LedgerPosting.account)
    )
    sums = {account: int(minor) for account, minor in found}
    payable = -sums.get(payable_account(organisation), 0)
    return payable, sums.get(receivable_account(organisation), 0)


@dataclass(frozen=True)
class PartnerBalance:
    """What a partner and the seller owe each other in a currency, in minor units."""

    organisation: Organisation
    currency: str
    payable_minor: int
    receivable_minor: int

    @property
    def owed(self) -> Money:
        """What is owed to the partner; negative when the partner owes."""
        return Money(self.payable_minor - self.receivable_minor, self.currency)


def partner_balances(only: Iterable[Organisation] | None = None) -> list[PartnerBalance]:
    """Balances of all partners, or of some, by slug and currency."""
    own = partners() if only is None else list(only)
    by_account = {payable_account(one): (one, 0) for one in own}
    by_account |= {receivable_account(one): (one, 1) for one in own}
    found = db.session.execute(
        select(LedgerPosting.account, LedgerPosting.currency, func.sum(LedgerPosting.amount_minor))
        .where(LedgerPosting.account.in_(list(by_account)))
        .group_by(LedgerPosting.account, LedgerPosting.currency)
    )
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for account, currency, minor in found:
        organisation, which = by_account[account]
        sums[organisation.slug, currency][which] += int(minor)
    by_slug = {one.slug: one for one in own}
    return [
        PartnerBalance(by_slug[slug], currency, -payable, receivable)
        for (slug, currency), (payable, receivable) in sorted(sums.items())
    ]


def partners_with_entries() -> list[tuple[Organisation, str]]:
    """Partners and the currencies that the ledger tells of them."""
    return [(one.organisation, one.currency) for one in partner_balances()]


def list_statements(user: User | None = None) -> Select[PartnerStatement]:
    """Statements, the newest first: all, or those of partners that a person manages."""
    statement = (
        select(PartnerStatement)
        .options(joinedload(PartnerStatement.organisation))
        .order_by(PartnerStatement.month.desc(), PartnerStatement.id.desc())
    )
    if user is not None:
        statement = statement.where(PartnerStatement.organisation_id.in_(managed_by(user)))
    return statement


def get_statement(statement_uuid: uuid.UUID) -> PartnerStatement:
    """One statement. Raises NotFound."""
    found = db.session.scalar(
        select(PartnerStatement).where(PartnerStatement.uuid == statement_uuid)
    )
    if found is None:
        raise NotFound
    return found


def get_line(statement: PartnerStatement, line_id: int) -> StatementLine:
    """One line of a statement. Raises NotFound."""
    line = db.session.get(StatementLine, line_id)
    if line is None or line.statement_id != statement.id:
        raise NotFound
    return line
