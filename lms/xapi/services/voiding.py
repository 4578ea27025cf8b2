"""Voiding: a statement that takes another one back (1.0.3, part two, 2.3.2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from lms.core.db import db
from lms.xapi.lookup import By, lookup_key
from lms.xapi.models import KeyScope, StoredStatement, XapiKey
from lms.xapi.services.rows import rows_in
from lms.xapi.validation import VOIDED


def void(statements: Sequence[Mapping[str, Any]], awaited: Iterable[str]) -> None:
    """Mark what new statements void, and those of them that were voided before they came.

    A voiding statement itself cannot be voided. awaited: ids of new statements that somebody may
    have referred to before.
    """
    targets = {s["object"]["id"].lower() for s in statements if s["verb"]["id"] == VOIDED}
    targets |= _voided_before(awaited)
    if targets:
        db.session.execute(
            update(StoredStatement)
            .where(
                StoredStatement.statement_id.in_([uuid.UUID(i) for i in targets]),
                StoredStatement.verb_id != VOIDED,
            )
            .values(is_voided=True)
            .execution_options(synchronize_session=False)
        )


def _voided_before(awaited: Iterable[str]) -> set[str]:
    """Those of the new statements that a voiding statement waited for and may void.

    That is what the key could void that sent it: its own statements, or all.
    """
    names = {lookup_key(By.REFERENCE, name): name for name in awaited}
    rows = rows_in("key, statement_pk", "xapi_statement_keys", "key", int, names)
    if not rows:
        return set()
    waiting = {primary_key: names[key] for key, primary_key in rows}
    voiding = db.session.execute(
        select(StoredStatement.id, StoredStatement.key_id, XapiKey.scopes, XapiKey.limit_kind)
        .outerjoin(XapiKey, XapiKey.id == StoredStatement.key_id)
        .where(StoredStatement.id.in_(waiting), StoredStatement.verb_id == VOIDED)
    ).all()
    owners = rows_in(
        "statement_id, key_id",
        "xapi_statements",
        "statement_id",
        uuid.UUID,
        [uuid.UUID(waiting[primary_key]) for primary_key, *_sender in voiding],
    )
    owner_of = {str(uuid.UUID(str(name))): key_id for name, key_id in owners}
    return {
        waiting[primary_key]
        for primary_key, key_id, scopes, limit_kind in voiding
        if key_id is None
        or (KeyScope.ALL in (scopes or ()) and limit_kind is None)
        or owner_of[waiting[primary_key]] == key_id
    }
