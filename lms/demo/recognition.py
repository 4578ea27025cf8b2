"""The demo's association: accreditation, rules, members, hours of the learner."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from lms.accounts.models import User
from lms.certificates.open_badge import issuer_did
from lms.core import clock
from lms.core.db import db
from lms.core.settings import settings
from lms.directory.models import Organisation
from lms.recognition.models import (
    Accreditation,
    BodySettings,
    CreditEntry,
    Endorsement,
    FrameworkCode,
    Member,
    RecognitionRule,
    TrustedIssuer,
)
from lms.recognition.services import bodies, body_keys, endorsements, ledger, members, rules
from lms.recognition.sheets import MemberRow

PASSPHRASE = "puente-demo-association"  # noqa: S105  # of the demo's association


def ensure_recognition(
    association: Organisation,
    provider: Organisation,
    officer: User,
    learner: User,
    cohort: list[User],
) -> None:
    """What officers have decided so far; left as it is when there is something already."""
    today = clock.now().date()
    first = date(today.year - 1, 1, 1)
    if not _has(BodySettings, association):
        bodies.keep_settings(
            association, officer, cycle_starts_on=first, cycle_years=2, hours_needed=40.0
        )
    if not _has(FrameworkCode, association):
        bodies.add_framework_code(association, officer, "SP-2", "Facilitar decisiones públicas")
    if not _has(Accreditation, association):
        rules.accredit(
            association,
            officer,
            number="CP-CE-0117",
            scope="Formación continua en planificación",
            starts_on=first,
            ends_on=date(today.year + 2, 12, 31),
            provider=provider,
        )
    if not _has(RecognitionRule, association):
        rules.make_rule(
            association,
            officer,
            name="Formación continua",
            starts_on=first,
            category="Planificación",
            framework_codes=["SP-2"],
            needs_accreditation=True,
        )
    if not _has(TrustedIssuer, association):
        bodies.trust_issuer(
            association,
            officer,
            did=issuer_did(),
            name=settings().site_name,
            starts_on=first,
            ends_on=None,
        )
    if not _has(Member, association):
        people = [learner, *cohort[:6]]
        rows = [
            MemberRow(line, f"CP-{1202 + line}", person.email, "")
            for line, person in enumerate(people, start=2)
        ]
        members.import_members(association, officer, rows, is_complete=True)
        members.give_consent(association, learner, "")
    if not _has(Endorsement, association):
        body_keys.make_key(association, officer, PASSPHRASE)
        endorsements.endorse(
            association,
            officer,
            provider,
            comment="Sus cursos cumplen la norma de formación continua de nuestro colegio.",
            language="es",
            first_day=first,
            last_day=date(today.year + 2, 12, 31),
            passphrase=PASSPHRASE,
        )
    if not db.session.scalar(select(CreditEntry.id).where(CreditEntry.user_id == learner.id)):
        _hours_from_elsewhere(association, officer, learner, today)


def _has(kind: Any, association: Organisation) -> bool:
    found = select(kind.id).where(kind.association_id == association.id).limit(1)
    return db.session.scalar(found) is not None


def _hours_from_elsewhere(
    association: Organisation, officer: User, learner: User, today: date
) -> None:
    """One seminar that was credited and one that waits for the reader of the demo."""
    for title, hours in (("Seminario de catastro", 6.0), ("Taller de agua y barrios", 8.0)):
        entry = ledger.claim_hours(
            association,
            learner,
            title=title,
            provider="Universidad de ejemplo",
            awarded_on=today.replace(day=1),
            hours=hours,
            link="https://example.org/",
            file=None,
        )
        entry.title, entry.provider = {"es": title}, {"es": "Universidad de ejemplo"}
        if hours == 6.0:
            ledger.decide_claim(
                entry, officer, is_granted=True, hours=hours, category="Catastro", reason=""
            )
