"""Who may do what at the endpoint: credentials checked from memory, and what each of them reaches.

Each process keeps what it read of a key for `FRESH_FOR` seconds, so that a check costs
microseconds. A key that was revoked, rotated or given another expiry stops at once in the process
that did it, and within `FRESH_FOR` seconds in all others; one whose time is over, on time. A new
secret works at once everywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVarTuple

from sqlalchemy import ColumnElement, Select, false, or_, select, update

from lms.core import clock
from lms.core.db import db
from lms.xapi.collections import REGISTRATION, statement_collections
from lms.xapi.errors import OutOfReach
from lms.xapi.lookup import By, agent_key, lookup_key, related_activities
from lms.xapi.models.keys import KeyScope, LaunchSession, XapiKey
from lms.xapi.models.statements import StatementKey, StoredStatement
from lms.xapi.vocabulary import VERBS

Columns = TypeVarTuple("Columns")

FRESH_FOR = 3.0  # seconds
USE_KEPT_EVERY = timedelta(minutes=1)
_MOST_KEPT = 5000
_MOST_REGISTRATIONS = 5000  # looked up one by one
_VOIDED = VERBS["voided"][0]
SESSION_PREFIX = "session-"
_SESSION_SCOPES = frozenset((KeyScope.WRITE, KeyScope.READ, KeyScope.STATE, KeyScope.PROFILE))


@dataclass(frozen=True)
class Limit:
    """The part of the store that a key reaches: one registration or one collection's member."""

    kind: str
    value: uuid.UUID
    activities: frozenset[str]

    def registrations(self) -> Select[uuid.UUID] | None:
        """The registrations inside, when they are those of a collection."""
        collection = statement_collections.get(self.kind)
        return collection.registrations(self.value) if collection else None


@dataclass(frozen=True)
class Launch:
    """What a launched session is bound to."""

    actor: Mapping[str, Any]
    registration: uuid.UUID
    activities: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """What the bearer of valid credentials may do. `id` is the key's; a session has none."""

    id: int | None
    key: str
    name: str
    scopes: frozenset[str]
    limit: Limit | None = None
    launch: Launch | None = None

    def allows(self, *scopes: KeyScope) -> bool:
        """Whether it has one of these scopes."""
        return KeyScope.ALL in self.scopes or not self.scopes.isdisjoint(scopes)

    @property
    def may_void_all(self) -> bool:
        """Whether it may void what others stored."""
        return KeyScope.ALL in self.scopes and self.limit is None and self.launch is None

    @property
    def only_mine(self) -> int | None:
        """The key whose own statements alone may be read; None when it may read others' too."""
        return None if self.allows(KeyScope.READ) else self.id


@dataclass(frozen=True)
class _Kept:
    """Credentials as they were read from the database."""

    access: Access
    hashes: tuple[tuple[str, datetime | None], ...]  # with the instant until which each is valid
    read_at: float


class AccessCache:
    """Credentials by their key, each read anew after `FRESH_FOR` seconds."""

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._kept: dict[str, _Kept] = {}

    def find(self, key: str, secret: str) -> Access | None:
        """What valid credentials may do; None when unknown, wrong, revoked or expired.

        A secret that does not fit what is kept may be a new one: then the database is asked.
        """
        given = hash_secret(secret)
        kept = self._kept.get(key)
        if kept is not None and self._timer() - kept.read_at <= FRESH_FOR:
            access = _matching(kept, given)
            if access is not None:
                return access
        kept = _read(key, self._timer())
        if kept is None:
            self._kept.pop(key, None)
            return None
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[key] = kept
        return _matching(kept, given)

    def forget(self, key: str) -> None:
        """Read these credentials anew at the next check."""
        self._kept.pop(key, None)


def _matching(kept: _Kept, given_hash: str) -> Access | None:
    now = clock.now()
    for known, until in kept.hashes:
        if hmac.compare_digest(known, given_hash) and (until is None or now < until):
            return kept.access
    return None


_cache = AccessCache()
_uses_kept: dict[str, datetime] = {}


def find_access(key: str, secret: str) -> Access | None:
    """What valid credentials may do; None when unknown, wrong, revoked or expired."""
    return _cache.find(key, secret)


def forget_access(key: str) -> None:
    """Let a change of a key hold at once in this process."""
    _cache.forget(key)


def hash_secret(secret: str) -> str:
    """SHA-256: fast, and enough for a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(key: str, read_at: float) -> _Kept | None:
    if key.startswith(SESSION_PREFIX):
        return _read_session(key, read_at)
    row = db.session.scalar(select(XapiKey).where(XapiKey.key == key))
    if row is None or not row.is_valid(clock.now()):
        return None
    hashes: list[tuple[str, datetime | None]] = [(row.secret_hash, row.expires_at)]
    if row.old_secret_hash is not None and row.old_secret_until is not None:
        ends = [at for at in (row.old_secret_until, row.expires_at) if at is not None]
        hashes.append((row.old_secret_hash, min(ends)))
    access = Access(row.id, row.key, row.name, frozenset(row.scopes))
    if row.limit_kind is not None and row.limit_value is not None:
        access = replace(access, limit=_limit(row.limit_kind, row.limit_value))
    return _Kept(access, tuple(hashes), read_at)


def _read_session(key: str, read_at: float) -> _Kept | None:
    row = db.session.scalar(select(LaunchSession).where(LaunchSession.key == key))
    if row is None or row.ended_at is not None:
        return None
    launch = Launch(row.actor, row.registration, tuple(row.activities))
    access = Access(None, row.key, "Puente", _SESSION_SCOPES, launch=launch)
    return _Kept(access, ((row.secret_hash, row.expires_at),), read_at)


def _limit(kind: str, value: uuid.UUID) -> Limit:
    collection = statement_collections.get(kind)
    return Limit(kind, value, frozenset(collection.activities(value) if collection else ()))


def due_use(access: Access) -> datetime | None:
    """The instant to be kept as the last use of a key, at most once a minute in each process."""
    if access.id is None:
        return None
    now, before = clock.now(), _uses_kept.get(access.key)
    if before is not None and before <= now < before + USE_KEPT_EVERY:
        return None
    _uses_kept[access.key] = now
    return now


def keep_use(key_id: int, at: datetime) -> None:
    """Note when a key was last used, unless another process did within the minute."""
    db.session.execute(
        update(XapiKey)
        .where(
            XapiKey.id == key_id,
            or_(XapiKey.last_used_at.is_(None), XapiKey.last_used_at <= at - USE_KEPT_EVERY),
        )
        .values(last_used_at=at)
        .execution_options(synchronize_session=False)
    )


def _registration(statement: Mapping[str, Any]) -> uuid.UUID | None:
    value = statement.get("context", {}).get("registration")
    return uuid.UUID(value) if value else None


def check_reach(access: Access, statements: Sequence[Mapping[str, Any]]) -> None:
    """Raise OutOfReach for the first of some valid statements that lies outside.

    Voiding statements name no activity: what they may void is checked by whose statement it is.
    """
    if access.launch is not None:
        _check_launch(access.launch, statements)
    if access.limit is None:
        return
    unsure = [
        (index, _registration(statement))
        for index, statement in enumerate(statements)
        if statement["verb"]["id"] != _VOIDED
        and access.limit.activities.isdisjoint(related_activities(statement))
    ]
    inside = _inside(access.limit, {value for _index, value in unsure if value is not None})
    for index, value in unsure:
        if value not in inside:
            raise OutOfReach(index)


def _inside(limit: Limit, registrations: set[uuid.UUID]) -> set[uuid.UUID | None]:
    """Those of the registrations that lie inside the limit."""
    if limit.kind == REGISTRATION:
        return {limit.value}
    own = limit.registrations()
    if not registrations or own is None:
        return set()
    known = own.subquery()
    column = next(iter(known.c))
    return set(db.session.scalars(select(column).where(column.in_(registrations))))


def _check_launch(launch: Launch, statements: Sequence[Mapping[str, Any]]) -> None:
    wanted = agent_key(launch.actor)
    for index, statement in enumerate(statements):
        is_inside = (
            statement["verb"]["id"] != _VOIDED
            and agent_key(statement["actor"]) == wanted
            and _registration(statement) == launch.registration
            and not related_activities(statement).isdisjoint(launch.activities)
        )
        if not is_inside:
            raise OutOfReach(index)


def check_document(
    access: Access,
    *,
    activity: str | None = None,
    agent: Mapping[str, Any] | None = None,
    registration: uuid.UUID | None = None,
) -> None:
    """Raise OutOfReach for a document of which these are what it is about.

    A limited key reaches states of its registrations, and states and profiles of its activities.
    A session reaches those of its person and activities, in its registration.
    """
    launch, limit = access.launch, access.limit
    if launch is not None:
        is_inside = (
            (activity is None or activity in launch.activities)
            and (agent is None or agent_key(agent) == agent_key(launch.actor))
            and registration in (None, launch.registration)
        )
    elif limit is not None:
        is_inside = activity in limit.activities or (
            registration is not None and registration in _inside(limit, {registration})
        )
    else:
        return
    if not is_inside:
        raise OutOfReach


def within_reach(found: Select[*Columns], access: Access) -> Select[*Columns]:
    """Those of the statements found that the bearer may read."""
    if access.launch is not None:
        return found.where(_is_under([_registration_key(access.launch.registration)]))
    limit = access.limit
    if limit is None:
        return found
    keys = [lookup_key(By.RELATED_ACTIVITY, iri) for iri in limit.activities]
    if limit.kind == REGISTRATION:
        return found.where(_is_under([_registration_key(limit.value)]))
    inside = limit.registrations()
    if inside is None:
        return found.where(false())
    known = db.session.scalars(inside.limit(_MOST_REGISTRATIONS + 1)).all()
    if len(known) <= _MOST_REGISTRATIONS:
        return found.where(_is_under(keys + [_registration_key(value) for value in known]))
    return found.where(or_(_is_under(keys), StoredStatement.registration.in_(inside)))


def _registration_key(value: uuid.UUID) -> int:
    return lookup_key(By.REGISTRATION, str(value))


def _is_under(keys: Sequence[int]) -> ColumnElement[bool]:
    """Whether a statement is found under one of these numbers."""
    return StoredStatement.id.in_(
        select(StatementKey.statement_pk).where(StatementKey.key.in_(keys))
    )
