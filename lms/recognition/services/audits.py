"""Yearly audits: a random sample that anybody can draw again from its seed."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import date

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db
from lms.directory.models import Organisation
from lms.notifications.services import tell
from lms.recognition import queries
from lms.recognition.errors import NoPopulation
from lms.recognition.models import AuditItem, AuditSample, AuditState, EntryState


def draw(seed: str, population: Sequence[str], size: int) -> list[str]:
    """The sample that a seed gives, in the order of drawing.

    Each entry's place is the SHA-256 of seed and UUID, so that any program can repeat the draw.
    """
    ranked = sorted(
        population, key=lambda one: hashlib.sha256(f"{seed} {one}".encode()).hexdigest()
    )
    return ranked[:size]


def digest(population: Sequence[str]) -> str:
    """SHA-256 of the population, one UUID a line."""
    return hashlib.sha256("\n".join(population).encode()).hexdigest()


def make_audit(association: Organisation, actor: User, *, year: int, size: int) -> AuditSample:
    """Draw a sample of a year's credited entries of consenting members. Raises NoPopulation."""
    entries = db.session.scalars(
        queries.list_member_entries(
            association,
            state=EntryState.CREDITED,
            first=date(year, 1, 1),
            last=date(year, 12, 31),
        )
    ).all()
    if not entries:
        raise NoPopulation
    by_uuid = {str(entry.uuid): entry for entry in entries}
    population = sorted(by_uuid)
    sample = AuditSample(
        association_id=association.id,
        year=year,
        seed=secrets.token_hex(16),
        population=population,
        made_by_id=actor.id,
    )
    for position, one in enumerate(draw(sample.seed, population, size), start=1):
        sample.items.append(
            AuditItem(position=position, entry_uuid=uuid.UUID(one), entry_id=by_uuid[one].id)
        )
    db.session.add(sample)
    audit.record("recognition.make_audit", sample, actor.id, year=year, size=len(sample.items))
    return sample


def is_repeatable(sample: AuditSample) -> bool:
    """Whether the seed gives the kept sample again."""
    again = draw(sample.seed, sample.population, len(sample.items))
    return again == [str(item.entry_uuid) for item in sample.items]


def change_item(item: AuditItem, actor: User, state: AuditState, note: str) -> None:
    """Note how far the audit of one entry is; refused hours no longer count. The member is told
    when evidence is asked for and when hours are refused."""
    before, item.state = item.state, state
    item.note = note
    item.changed_at = clock.now()
    entry = item.entry
    audit.record("recognition.audit_entry", item, actor.id, state=state.value)
    if entry is None or before == state:
        return
    if state == AuditState.REFUSED:
        entry.state = EntryState.WITHDRAWN
        entry.reason = note or None
        entry.decided_by_id, entry.decided_at = actor.id, clock.now()
    elif before == AuditState.REFUSED:
        entry.state, entry.reason = EntryState.CREDITED, None
    if state in (AuditState.ASKED, AuditState.REFUSED):
        tell(
            entry.user,
            "recognition.audited",
            association=item.sample.association.name,
            title=entry.title,
            state=state.value,
            note=note or None,
        )
    db.session.flush()
