"""Agreements: written by the seller, accepted by each partner, tried on past sales before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.events import emit
from lms.core.settings import settings
from lms.courses.models import Course, CourseRun
from lms.notifications.services import tell
from lms.partners import queries
from lms.partners.errors import AgreementExists, NotToBeSigned, WrongTerms
from lms.partners.events import AgreementInForce
from lms.partners.models import Agreement, AgreementParty, AgreementVersion
from lms.partners.shares import Terms, basis_of, earned_shares

MONTHS_TRIED = 12


def today() -> date:
    """The day where the seller is."""
    return clock.local_date(clock.now(), settings().default_time_zone)


def check_terms(terms: Terms) -> None:
    """Raises WrongTerms: nobody, somebody twice, more than all, neither percentage nor amount."""
    organisations = [party.organisation_id for party in terms.parties]
    percent = sum(party.percent_hundredths or 0 for party in terms.parties)
    is_said = all(
        (party.percent_hundredths is None) != (party.fixed_minor is None)
        and (party.percent_hundredths is None or party.percent_hundredths > 0)
        and (party.fixed_minor is None or party.fixed_minor > 0)
        and party.least_minor >= 0
        for party in terms.parties
    )
    is_once = len(set(organisations)) == len(organisations)
    if not organisations or not is_once or percent > 10_000 or not is_said:
        raise WrongTerms


def write_agreement(
    course: Course, run: CourseRun | None, terms: Terms, starts_on: date, by: User, note: str = ""
) -> AgreementVersion:
    """The first version, signed by the seller. Raises WrongTerms and AgreementExists."""
    check_terms(terms)
    if queries.find_agreement(course.id, run.id if run else None) is not None:
        raise AgreementExists
    agreement = Agreement(course=course, run=run)
    db.session.add(agreement)
    db.session.flush()
    return write_version(agreement, terms, starts_on, by, note)


def write_version(
    agreement: Agreement, terms: Terms, starts_on: date, by: User, note: str = ""
) -> AgreementVersion:
    """A new version, signed by the seller; the last one rules until all have signed this one."""
    check_terms(terms)
    version = AgreementVersion(
        agreement=agreement,
        number=max((one.number for one in agreement.versions), default=0) + 1,
        basis=terms.basis,
        refunds_borne_by=terms.refunds_borne_by,
        currency=terms.currency,
        starts_on=starts_on,
        note=note,
        made_by=by,
        parties=[
            AgreementParty(
                position=position,
                organisation_id=party.organisation_id,
                percent_hundredths=party.percent_hundredths,
                fixed_minor=party.fixed_minor,
                least_minor=party.least_minor,
            )
            for position, party in enumerate(terms.parties)
        ],
    )
    db.session.add(version)
    db.session.flush()
    record("partners.write_agreement", by, by.id, agreement=agreement.id, version=version.number)
    told = {
        manager.id: manager
        for party in version.parties
        for manager in queries.managers_of(party.organisation_id)
    }
    for manager in told.values():
        tell(
            manager,
            "partners.to_sign",
            course=agreement.course.title,
            agreement=str(agreement.uuid),
            number=version.number,
        )
    return version


def sign(version: AgreementVersion, by: User) -> None:
    """Accept for each partner that the person manages; in force once all have signed.

    Raises NotToBeSigned.
    """
    is_newest = version.number == max(one.number for one in version.agreement.versions)
    own = set(db.session.scalars(queries.managed_by(by)))
    waiting = [
        party
        for party in version.parties
        if party.signed_at is None and party.organisation_id in own
    ]
    if not is_newest or not waiting:
        raise NotToBeSigned
    for party in waiting:
        party.signed_by, party.signed_at = by, clock.now()
    record("partners.sign", by, by.id, agreement=version.agreement_id, version=version.number)
    if all(party.signed_at is not None for party in version.parties):
        version.in_force_from = max(version.starts_on, today() + timedelta(days=1))
        db.session.flush()
        emit(AgreementInForce(version))
    db.session.flush()


@dataclass(frozen=True)
class TriedMonth:
    """What the terms would have given for the sales of a month. shares: by organisation."""

    month: str
    currency: str
    sales: int
    basis_minor: int
    shares: dict[int, int]


def try_on_past_sales(agreement: Agreement, terms: Terms) -> Sequence[TriedMonth]:
    """The terms on the sales of the last twelve months, as far as they are earned; newest first."""
    since = today() - timedelta(days=31 * MONTHS_TRIED)
    found: dict[tuple[str, str], list[tuple[int, dict[int, int]]]] = defaultdict(list)
    for told in queries.told_sales(run_ids=queries.runs_of(agreement), since=since):
        found[f"{told.sold_on:%Y-%m}", told.sale.currency].append(
            (basis_of(terms, told.sale), earned_shares(terms, told.sale))
        )
    return [
        TriedMonth(
            month,
            currency,
            len(sales),
            sum(basis for basis, _shares in sales),
            {
                party.organisation_id: sum(one[party.organisation_id] for _basis, one in sales)
                for party in terms.parties
            },
        )
        for (month, currency), sales in sorted(found.items(), reverse=True)
    ]
