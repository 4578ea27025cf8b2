"""Copies of all statements for other stores: in order, with the same ids, until they arrive.

Each target keeps how far it has come. A job sends what is newer in batches, with TinCanPython;
the place moves on in the same transaction that notes the success, so nothing is lost when a
worker dies, and what is sent twice has the id under which the other store knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPException

from sqlalchemy import func, select
from tincan import RemoteLRS, Statement

from lms.core import clock
from lms.core.db import db, transaction
from lms.core.outbox import RetryLater, enqueue
from lms.core.sealing import seal, unseal
from lms.xapi.models import ForwardingTarget, RefusedByTarget, StoredStatement

BATCH = 50
BATCHES_A_JOB = 20
_PURPOSE = "xapi-forwarding"
_WANTS_PATIENCE = (408, 425, 429)


def add_target(
    name: str, endpoint: str, username: str, password: str, *, from_now: bool
) -> ForwardingTarget:
    """Begin to forward to another store; from now on, or from the first statement."""
    newest = db.session.scalar(select(func.max(StoredStatement.id))) if from_now else 0
    target = ForwardingTarget(
        name=name,
        endpoint=endpoint.rstrip("/") + "/",
        username=username,
        password_sealed=seal(password, _PURPOSE),
        last_statement_pk=newest or 0,
    )
    db.session.add(target)
    db.session.flush()
    wake(target)
    return target


def wake(target: ForwardingTarget) -> None:
    """Send what waits, now."""
    target.failures, target.next_try_at = 0, None
    enqueue("xapi.forward", target_id=target.id)


def wake_all() -> None:
    """By the clock: send what waits for every active target whose pause is over."""
    now = clock.now()
    newest = db.session.scalar(select(func.max(StoredStatement.id))) or 0
    for target in db.session.scalars(
        select(ForwardingTarget).where(
            ForwardingTarget.is_active, ForwardingTarget.last_statement_pk < newest
        )
    ):
        if target.next_try_at is None or target.next_try_at <= now:
            enqueue("xapi.forward", target_id=target.id)


def waiting(target: ForwardingTarget) -> int:
    """How many statements the target has not got yet."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(StoredStatement)
            .where(StoredStatement.id > target.last_statement_pk)
        )
        or 0
    )


def forward(target_id: int) -> None:
    """Send what waits for one target, batch by batch; a job that runs outside of a transaction."""
    for _batch in range(BATCHES_A_JOB):
        if not _forward_batch(target_id):
            return
    raise RetryLater(1)


def _forward_batch(target_id: int) -> bool:
    """Send one batch. Returns whether there may be more."""
    target = db.session.get(ForwardingTarget, target_id, populate_existing=True)
    if target is None or not target.is_active:
        return False
    rows = db.session.scalars(
        select(StoredStatement)
        .where(StoredStatement.id > target.last_statement_pk)
        .order_by(StoredStatement.id)
        .limit(BATCH)
    ).all()
    if not rows:
        return False
    start = target.last_statement_pk
    documents = [(row.id, row.document) for row in rows]
    lrs = RemoteLRS(
        version="1.0.3",
        endpoint=target.endpoint,
        username=target.username,
        password=unseal(target.password_sealed, _PURPOSE),
    )
    db.session.rollback()  # no transaction stays open while the other side answers
    try:
        refused = _send(lrs, documents)
    except OSError as error:
        _note_failure(target_id, str(error) or type(error).__name__)
        raise
    with transaction():
        target = db.session.get_one(ForwardingTarget, target_id, with_for_update=True)
        if target.last_statement_pk != start:
            return True  # another worker was quicker; the other store knows the ids
        target.last_statement_pk = documents[-1][0]
        target.last_sent_at = clock.now()
        target.last_error, target.failures, target.next_try_at = None, 0, None
        for primary_key, words in refused:
            db.session.add(
                RefusedByTarget(target_id=target_id, statement_pk=primary_key, error=words)
            )
    return len(documents) == BATCH


def _send(lrs: RemoteLRS, documents: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Send a batch; returns those that the other store will never take, with its words.

    Raises ConnectionError when it may take them later.
    """
    try:
        statements = [Statement.from_json(document) for _pk, document in documents]
    except (ValueError, TypeError) as error:  # TinCanPython is stricter than the standard
        if len(documents) == 1:
            return [(documents[0][0], f"{type(error).__name__}: {error}"[:500])]
        return [refusal for one in documents for refusal in _send(lrs, [one])]
    try:
        answer = lrs.save_statements(statements)
    except HTTPException as error:
        raise ConnectionError(f"the other store does not speak HTTP: {error!r}") from error
    if answer.success:
        return []
    status = answer.response.status
    if status < 400 or status >= 500 or status in (401, 403, 404, *_WANTS_PATIENCE):
        raise ConnectionError(f"the other store answers {status}")
    if len(documents) == 1:
        if status == 409:  # it has a statement with this id: sent before
            return []
        text = answer.data
        words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        return [(documents[0][0], f"{status}: {words}"[:500])]
    return [refusal for one in documents for refusal in _send(lrs, [one])]


def _note_failure(target_id: int, error: str) -> None:
    with transaction():
        target = db.session.get_one(ForwardingTarget, target_id)
        target.failures += 1
        target.last_error = error[:500]
        pause = min(2**target.failures * 5, 3600)
        target.next_try_at = clock.now() + timedelta(seconds=pause)


def retry_refused(refused: RefusedByTarget) -> None:
    """Send a refused statement once more, alone."""
    enqueue("xapi.forward_refused", refused_id=refused.id)


def forward_refused(refused_id: int) -> None:
    """The job of `retry_refused`."""
    refused = db.session.get(RefusedByTarget, refused_id)
    if refused is None:
        return
    target = db.session.get_one(ForwardingTarget, refused.target_id)
    row = db.session.get_one(StoredStatement, refused.statement_pk)
    document = (row.id, row.document)
    lrs = RemoteLRS(
        version="1.0.3",
        endpoint=target.endpoint,
        username=target.username,
        password=unseal(target.password_sealed, _PURPOSE),
    )
    db.session.rollback()
    still_refused = _send(lrs, [document])
    with transaction():
        kept = db.session.get(RefusedByTarget, refused_id)
        if kept is None:
            return
        if still_refused:
            kept.error, kept.at = still_refused[0][1], clock.now()
        else:
            db.session.delete(kept)
