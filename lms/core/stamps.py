"""Stamps: whether anything of a kind has changed since a page was drawn from it.

A stamp is a random word in the database. A transaction that changes an object of a watched class
gives its stamp a new word as its last act, so what was kept under the old one is found no more,
in any process. Statements that change many rows at once do not pass the session's objects: after
one of these call `touch`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from sqlalchemy import bindparam, event, inspect, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms.core.db import Model, db


class Stamp(Model):
    """The present word of one kind of content."""

    __tablename__ = "stamps"

    name: Mapped[str] = mapped_column(primary_key=True)
    word: Mapped[str]


_watched: dict[type[Model], list[tuple[str, frozenset[str]]]] = {}
_TOUCHED = "puente-touched"
_READ = select(Stamp.word).where(Stamp.name == bindparam("name"))
_RENEW = sql(
    "INSERT INTO stamps (name, word) VALUES (:name, :word)"
    " ON CONFLICT (name) DO UPDATE SET word = excluded.word"
)


def watch(name: str, *classes: type[Model], columns: Sequence[str] = ()) -> None:
    """Renew the stamp `name` when objects of these classes change.

    columns: only when one of these did, or the object is new or deleted.
    """
    for class_ in classes:
        _watched.setdefault(class_, []).append((name, frozenset(columns)))


def touch(name: str) -> None:
    """Renew the stamp with the present transaction."""
    db.session.info.setdefault(_TOUCHED, set()).add(name)


def stamp_of(name: str) -> str | None:
    """The present word; None as long as nothing of the kind was ever written: keep nothing then."""
    return db.session.scalar(_READ, {"name": name})


def _names(session: Session) -> Iterator[str]:
    for objects in (session.new, session.deleted):
        for one in objects:
            yield from (name for name, _columns in _watched.get(type(one), ()))
    for one in session.dirty:
        for name, columns in _watched.get(type(one), ()):
            state = inspect(one)
            if any(state.attrs[c].history.has_changes() for c in columns) or (
                not columns and session.is_modified(one)
            ):
                yield name


@event.listens_for(Session, "before_flush")
def _note(session: Session, context: object, instances: object) -> None:
    if names := set(_names(session)):
        session.info.setdefault(_TOUCHED, set()).update(names)


@event.listens_for(Session, "before_commit")
def _renew(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    # in order of their names, and nothing is asked for after them: no two can wait for each other
    for name in sorted(session.info.pop(_TOUCHED, ())):
        session.execute(_RENEW, {"name": name, "word": secrets.token_hex(8)})


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_TOUCHED, None)
