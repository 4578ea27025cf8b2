"""The hours ledger: what associations credit to whom, each achievement once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import User
from lms.certificates.events import CredentialIssued, CredentialRevoked
from lms.certificates.models import Credential, RevocationReason
from lms.core import audit, clock
from lms.core.db import db
from lms.core.files import ATTACHMENTS, keep_file
from lms.directory import queries as directory
from lms.directory.events import MembershipKept
from lms.directory.models import Organisation
from lms.notifications.services import tell
from lms.recognition import queries
from lms.recognition.errors import AlreadyDecided, NotAMember
from lms.recognition.judging import Learning, judge
from lms.recognition.models import CreditEntry, EntryState


def key_of(credential: Credential) -> str:
    """What was achieved: the course, whichever run, whichever revision of the certificate."""
    return f"course:{credential.facts['course']['uuid']}"


def credit_issued(event: CredentialIssued) -> None:
    """Credit a new certificate; a corrected one takes the place of its predecessor."""
    credential = event.credential
    if credential.supersedes_id is not None:
        entries = db.session.scalars(
            select(CreditEntry).where(CreditEntry.credential_id == credential.supersedes_id)
        )
        for entry in entries.all():
            entry.credential_id = credential.id
        db.session.flush()
        return
    for membership in directory.memberships_of(credential.user_id):
        credit_certificates(membership.organisation, [credential])


def withdraw_revoked(event: CredentialRevoked) -> None:
    """Hours of a revoked certificate no longer count; a corrected one keeps them."""
    if event.credential.revocation_reason == RevocationReason.SUPERSEDED:
        return
    entries = db.session.scalars(
        select(CreditEntry).where(
            CreditEntry.credential_id == event.credential.id,
            CreditEntry.state == EntryState.CREDITED,
        )
    )
    for entry in entries.all():
        entry.state = EntryState.WITHDRAWN
        entry.decided_at = clock.now()
    db.session.flush()


def credit_membership(event: MembershipKept) -> None:
    """Credit what somebody earned before they named the association."""
    membership = event.membership
    certificates = db.session.scalars(
        queries.credentials_to_judge(membership.organisation, membership.user_id)
    ).all()
    credit_certificates(membership.organisation, certificates)


def credit_members(association: Organisation) -> int:
    """Credit certificates of members that no version of a rule has credited yet; safe to repeat."""
    certificates = db.session.scalars(queries.credentials_to_judge(association)).all()
    return credit_certificates(association, certificates)


def credit_certificates(association: Organisation, certificates: Sequence[Credential]) -> int:
    """Judge certificates by the association's rules, each on the day of its award.

    What was credited before stays as it is. Returns how many entries were made.
    """
    rules = queries.list_rules(association)
    if not rules or not certificates:
        return 0
    accreditations = db.session.scalars(queries.list_accreditations(association)).all()
    providers = _providers_of(certificates)
    known = queries.entries_of_keys(
        [association.id],
        {one.user_id for one in certificates},
        {key_of(one) for one in certificates},
    )
    made = 0
    for credential in certificates:
        place = (association.id, credential.user_id, key_of(credential))
        entry = known.get(place)
        if entry is not None and entry.state != EntryState.WITHDRAWN:
            continue
        learning = _learning(credential, providers)
        found = judge(rules, accreditations, learning)
        if found is None:
            continue
        facts = credential.facts
        values = {
            "state": EntryState.CREDITED,
            "awarded_on": learning.awarded_on,
            "hours": found.hours,
            "category": found.version.category,
            "framework_codes": found.version.framework_codes,
            "title": facts["course"]["title"],
            "provider": facts["organisations"][0]["name"],
            "accreditation": found.accreditation.number if found.accreditation else None,
            "rule_version_id": found.version.id,
            "credential_id": credential.id,
            "decided_at": clock.now(),
        }
        if entry is None:
            entry = CreditEntry(
                association_id=association.id,
                user_id=credential.user_id,
                achievement_key=place[2],
                **values,
            )
            if not _add(entry):
                continue
            known[place] = entry
        else:
            for name, value in values.items():
                setattr(entry, name, value)
        made += 1
        tell(
            credential.user,
            "recognition.credited",
            association=association.name,
            title=entry.title,
            hours=entry.hours,
        )
    db.session.flush()
    return made


def _add(entry: CreditEntry) -> bool:
    try:
        with db.session.begin_nested():
            db.session.add(entry)
    except IntegrityError:  # credited at the same time by another request
        return False
    return True


def _providers_of(certificates: Sequence[Credential]) -> dict[str, int]:
    """Ids of the organisations that the certificates name, by UUID."""
    named = {
        organisation["uuid"]
        for credential in certificates
        for organisation in credential.facts["organisations"]
    }
    wanted = [uuid.UUID(text) for text in named]
    rows = db.session.execute(
        select(Organisation.uuid, Organisation.id).where(Organisation.uuid.in_(wanted))
    )
    return {str(row[0]): row[1] for row in rows}


def _learning(credential: Credential, providers: dict[str, int]) -> Learning:
    facts = credential.facts
    completed = credential.enrolment.completed_at or credential.issued_at
    return Learning(
        course_id=credential.course_id,
        topic_id=credential.course.topic_id,
        provider_ids=frozenset(
            providers[one["uuid"]] for one in facts["organisations"] if one["uuid"] in providers
        ),
        hours=facts["course"]["hours"],
        is_assessed=bool(facts["assessment"]),
        grade=facts["grade"],
        awarded_on=clock.local_date(completed, credential.run.time_zone),
    )


def claim_hours(
    association: Organisation,
    user: User,
    *,
    title: str,
    provider: str,
    awarded_on: date,
    hours: float,
    link: str | None,
    file: tuple[bytes, str] | None,
) -> CreditEntry:
    """Ask an association to credit learning from elsewhere, with evidence.

    file: content and name. Raises NotAMember, UploadRefused or UploadTooLarge.
    """
    if association.id not in {one.organisation_id for one in directory.memberships_of(user.id)}:
        raise NotAMember
    kept = keep_file(file[0], file[1], ATTACHMENTS, user.id) if file else None
    identifier = uuid.uuid4()
    entry = CreditEntry(
        uuid=identifier,
        association_id=association.id,
        user_id=user.id,
        achievement_key=f"claim:{identifier}",
        state=EntryState.PENDING,
        awarded_on=awarded_on,
        hours=hours,
        title={user.language: title},
        provider={user.language: provider},
        link=link or None,
        file_id=kept.id if kept else None,
    )
    db.session.add(entry)
    db.session.flush()
    for officer in queries.officers_of(association):
        tell(
            officer,
            "recognition.claim_made",
            association=association.name,
            slug=association.slug,
        )
    return entry


def decide_claim(
    entry: CreditEntry, actor: User, *, is_granted: bool, hours: float, category: str, reason: str
) -> None:
    """Credit what was asked for, perhaps with other hours, or refuse. Raises AlreadyDecided."""
    if entry.state != EntryState.PENDING:
        raise AlreadyDecided
    entry.state = EntryState.CREDITED if is_granted else EntryState.REFUSED
    if is_granted:
        entry.hours = hours
        entry.category = category
    entry.reason = reason or None
    entry.decided_by_id = actor.id
    entry.decided_at = clock.now()
    audit.record("recognition.decide_claim", entry, actor.id, state=entry.state, hours=entry.hours)
    tell(
        entry.user,
        "recognition.claim_decided",
        association=entry.association.name,
        title=entry.title,
        is_granted=is_granted,
        reason=reason or None,
    )
