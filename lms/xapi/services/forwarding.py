"""Copies of statements for other stores: in order, with the same ids, until they arrive.

Each target keeps how far it has come. One worker at a time holds the target's lease and sends
what is newer in batches; the place moves on in the same transaction that notes the success. So
nothing is lost when either side dies, and what has to be sent a second time has the id under which
the other store knows it. A round that fails sets the instant of the next one, which the clock
starts: no job fails for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select, update

from lms.config import ConfigurationError
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.outbox import RetryLater, enqueue
from lms.core.outgoing import check_address
from lms.core.sealing import seal, unseal
from lms.xapi import queries
from lms.xapi.models import AttachmentUse, ForwardingTarget, RefusedByTarget, StoredStatement
from lms.xapi.services.selection import Selection
from lms.xapi.services.sending import Away, OtherStore, Parcel, Refusal, send_all
from lms.xapi.services.store import VOIDED

BATCH = 50
BATCHES_A_JOB = 20
LEASE = timedelta(minutes=2)
MOST_COUNTED = 10_000
_WINDOW = 20_000  # primary keys that are looked through at once
_PURPOSE = "xapi-forwarding"


@dataclass(frozen=True)
class Lag:
    """How far a target is behind: `count` is never more than MOST_COUNTED."""

    count: int
    is_more: bool
    oldest: datetime | None


def add_target(
    name: str,
    endpoint: str,
    username: str,
    password: str,
    *,
    from_now: bool,
    wanted: Selection | None = None,
) -> ForwardingTarget:
    """Begin to forward to another store; from now on, or from the first statement.

    Raises AddressRefused for an address to which Puente does not connect.
    """
    target = ForwardingTarget(last_statement_pk=queries.newest_pk() if from_now else 0)
    db.session.add(target)
    change_target(target, name, endpoint, username, password, wanted or Selection())
    wake(target)
    return target


def change_target(
    target: ForwardingTarget,
    name: str,
    endpoint: str,
    username: str,
    password: str | None,
    wanted: Selection,
) -> None:
    """Change a target; another filter holds for what is sent from now on.

    password: None keeps the present one. Raises AddressRefused.
    """
    check_address(endpoint)
    target.name, target.username = name, username
    target.endpoint = endpoint.rstrip("/") + "/"
    if password is not None:
        target.password_sealed = seal(password, _PURPOSE)
    wanted.keep_in(target)
    db.session.flush()


def delete_target(target: ForwardingTarget) -> None:
    """Forget a target and what it refused; what the other store has, stays there."""
    db.session.delete(target)
    db.session.flush()


def wake(target: ForwardingTarget) -> None:
    """Send what waits, now."""
    target.failures, target.next_try_at = 0, None
    enqueue("xapi.forward", target_id=target.id)


def set_active(target: ForwardingTarget, is_active: bool) -> None:
    """Pause a target or let it go on; nothing is lost meanwhile."""
    target.is_active = is_active
    if is_active:
        wake(target)


def retry_refused(target: ForwardingTarget, refused_id: int | None = None) -> int:
    """Send refused statements once more, one or all; returns how many."""
    found = update(RefusedByTarget).where(RefusedByTarget.target_id == target.id)
    if refused_id is not None:
        found = found.where(RefusedByTarget.id == refused_id)
    done = db.session.execute(
        found.values(is_due=True).execution_options(synchronize_session=False)
    )
    wake(target)
    return int(done.rowcount)  # type: ignore[attr-defined]


def wake_all() -> None:
    """By the clock: send what waits for every active target whose pause is over."""
    now = clock.now()
    is_wanted = (
        select(RefusedByTarget.id)
        .where(RefusedByTarget.target_id == ForwardingTarget.id, RefusedByTarget.is_due)
        .exists()
    )
    for target in db.session.scalars(
        select(ForwardingTarget).where(
            ForwardingTarget.is_active,
            or_(ForwardingTarget.last_statement_pk < queries.newest_pk(), is_wanted),
            or_(ForwardingTarget.next_try_at.is_(None), ForwardingTarget.next_try_at <= now),
            or_(ForwardingTarget.leased_until.is_(None), ForwardingTarget.leased_until < now),
        )
    ):
        enqueue("xapi.forward", target_id=target.id)


def lag(target: ForwardingTarget) -> Lag:
    """How many statements wait for the target, and since when the oldest of them does."""
    found = _candidates(target, target.last_statement_pk)
    counted = found.with_only_columns(StoredStatement.id).limit(MOST_COUNTED + 1).subquery()
    count = db.session.scalar(select(func.count()).select_from(counted)) or 0
    oldest = None
    if count:
        first = found.order_by(StoredStatement.id).limit(1)
        oldest = db.session.scalar(first.with_only_columns(StoredStatement.stored))
    return Lag(min(count, MOST_COUNTED), count > MOST_COUNTED, oldest)


def _candidates(target: ForwardingTarget, after: int) -> Select[StoredStatement]:
    """What fits the filter, and every voiding statement, whose own target decides."""
    found = select(StoredStatement).where(StoredStatement.id > after)
    asked = Selection.of(target).conditions()
    if asked:
        fits = asked[0]
        for one in asked[1:]:
            fits = fits & one
        found = found.where(or_(fits, StoredStatement.verb_id == VOIDED))
    return found


def _without_strange_voids(
    target: ForwardingTarget, rows: Sequence[StoredStatement]
) -> list[StoredStatement]:
    """Leave out voiding statements about what the target never got."""
    asked = Selection.of(target).conditions()
    voided = {
        row.id: uuid.UUID(row.object_key.removeprefix("ref:"))
        for row in rows
        if row.verb_id == VOIDED and row.object_key.startswith("ref:")
    }
    if not asked or not voided:
        return list(rows)
    known = set(
        db.session.scalars(
            select(StoredStatement.statement_id).where(
                StoredStatement.statement_id.in_(voided.values()), *asked
            )
        )
    )
    return [row for row in rows if row.id not in voided or voided[row.id] in known]


def _parcels(rows: Sequence[tuple[int, str]]) -> list[Parcel]:
    named = select(AttachmentUse.statement_pk).where(
        AttachmentUse.statement_pk.in_([primary_key for primary_key, _document in rows])
    )
    with_parts = set(db.session.scalars(named))
    return [Parcel(key, document, key in with_parts) for key, document in rows]


def forward(target_id: int) -> None:
    """Send what waits for one target, batch by batch; a job that runs outside of a transaction."""
    until = _take(target_id)
    if until is None:
        return
    shift = _Shift(target_id, until)
    try:
        for _batch in range(BATCHES_A_JOB):
            if not shift.send_batch():
                return
    except (Away, ConfigurationError) as error:
        shift.note_failure(str(error), error.wait if isinstance(error, Away) else 0)
        return
    except _Lost:
        return
    finally:
        db.session.rollback()
        shift.end()
    raise RetryLater(0)


def _take(target_id: int) -> datetime | None:
    """Take the lease of an active target; returns its end, None when another worker has it."""
    now = clock.now()
    with transaction():
        taken = db.session.execute(
            update(ForwardingTarget)
            .where(
                ForwardingTarget.id == target_id,
                ForwardingTarget.is_active,
                or_(ForwardingTarget.leased_until.is_(None), ForwardingTarget.leased_until < now),
            )
            .values(leased_until=now + LEASE)
            .execution_options(synchronize_session=False)
        )
    return now + LEASE if taken.rowcount else None  # type: ignore[attr-defined]


class _Lost(Exception):
    """The lease is another worker's, or the target was paused or deleted."""


class _Shift:
    """One worker's work for one target, while it holds the lease."""

    def __init__(self, target_id: int, until: datetime) -> None:
        self._target_id, self._until = target_id, until

    def send_batch(self) -> bool:
        """Send one batch. Returns whether there may be more. Raises Away, _Lost."""
        with transaction(write=False):
            target = db.session.get(ForwardingTarget, self._target_id, populate_existing=True)
            if target is None or not target.is_active:
                raise _Lost
            if not Selection.of(target).is_known:
                raise Away(f"no plugin knows what it is limited to: {target.limit_kind}")
            store = OtherStore(
                target.endpoint, target.username, unseal(target.password_sealed, _PURPOSE)
            )
            again = self._due(target)
            upto, parcels = (target.last_statement_pk, again) if again else self._next(target)
            newest = queries.newest_pk()
        if not parcels and upto == target.last_statement_pk:
            return False
        refused = send_all(store, parcels, self.keep) if parcels else []
        self._note_success(upto, parcels, refused)
        return bool(again) or upto < newest

    def _due(self, target: ForwardingTarget) -> list[Parcel]:
        """Refused statements that an administrator wants to be sent again."""
        rows = db.session.execute(
            select(StoredStatement.id, StoredStatement.document)
            .join(RefusedByTarget, RefusedByTarget.statement_pk == StoredStatement.id)
            .where(RefusedByTarget.target_id == target.id, RefusedByTarget.is_due)
            .order_by(StoredStatement.id)
            .limit(BATCH)
        )
        return _parcels([(primary_key, document) for primary_key, document in rows])

    def _next(self, target: ForwardingTarget) -> tuple[int, list[Parcel]]:
        """Up to which primary key all was looked through, and what of it is to be sent."""
        after = target.last_statement_pk
        upto = min(queries.newest_pk(), after + _WINDOW)
        rows = db.session.scalars(
            _candidates(target, after)
            .where(StoredStatement.id <= upto)
            .order_by(StoredStatement.id)
            .limit(BATCH)
        ).all()
        if len(rows) == BATCH:
            upto = rows[-1].id
        fitting = _without_strange_voids(target, rows)
        return max(upto, after), _parcels([(row.id, row.document) for row in fitting])

    def keep(self) -> None:
        """Hold the lease for longer. Raises _Lost when it is no more this worker's."""
        with transaction():
            self._renew()

    def _renew(self, **values: object) -> None:
        until = clock.now() + LEASE
        kept = db.session.execute(
            update(ForwardingTarget)
            .where(
                ForwardingTarget.id == self._target_id,
                ForwardingTarget.leased_until == self._until,
            )
            .values(leased_until=until, **values)
            .execution_options(synchronize_session=False)
        )
        if not kept.rowcount:  # type: ignore[attr-defined]
            raise _Lost
        self._until = until

    def _note_success(
        self, upto: int, parcels: Sequence[Parcel], refused: Sequence[Refusal]
    ) -> None:
        words = dict(refused)
        with transaction():
            sent = {"last_sent_at": clock.now()} if len(words) < len(parcels) else {}
            self._renew(
                last_statement_pk=upto,
                last_error=None,
                failures=0,
                failing_since=None,
                next_try_at=None,
                **sent,
            )
            known = {
                row.statement_pk: row
                for row in db.session.scalars(
                    select(RefusedByTarget).where(
                        RefusedByTarget.target_id == self._target_id,
                        RefusedByTarget.statement_pk.in_([p.primary_key for p in parcels]),
                    )
                )
            }
            for primary_key, row in known.items():
                if primary_key in words:
                    row.error, row.at, row.is_due = words[primary_key], clock.now(), False
                else:
                    db.session.delete(row)
            fresh = db.session.scalars(
                select(StoredStatement.id).where(  # those that were not erased meanwhile
                    StoredStatement.id.in_(words.keys() - known.keys())
                )
            )
            for primary_key in sorted(fresh):
                db.session.add(
                    RefusedByTarget(
                        target_id=self._target_id,
                        statement_pk=primary_key,
                        error=words[primary_key],
                    )
                )

    def note_failure(self, error: str, wait: int) -> None:
        """Set the instant of the next round: after pauses that double from 10 s to an hour."""
        with transaction():
            target = db.session.get(ForwardingTarget, self._target_id, populate_existing=True)
            if target is None or target.leased_until != self._until:
                return
            target.failures += 1
            target.failing_since = target.failing_since or clock.now()
            target.last_error = error[:500]
            pause = max(wait, min(2 ** min(target.failures, 12) * 5, 3600))
            target.next_try_at = clock.now() + timedelta(seconds=pause)

    def end(self) -> None:
        """Give the lease back."""
        with transaction():
            db.session.execute(
                update(ForwardingTarget)
                .where(
                    ForwardingTarget.id == self._target_id,
                    ForwardingTarget.leased_until == self._until,
                )
                .values(leased_until=None)
                .execution_options(synchronize_session=False)
            )
