"""Activities as all statements together describe them (1.0.3, part two, 2.4.4.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update

from lms.core.db import db
from lms.xapi.json_text import dumps
from lms.xapi.lookup import By, lookup_key
from lms.xapi.models import KnownActivity
from lms.xapi.services.rows import Query, run, selection

_BY_KEY = ("name", "description", "extensions")  # merged member by member; the latest wins else
_MOST_REMEMBERED = 5000
ACTIVITY_COLUMNS = {"key": int, "iri": str, "definition": str}


@dataclass(frozen=True, slots=True)
class News:
    """What statements say that was not known. added: rows of activities seen for the first time.

    has_changed: whether what was known of another has changed, and was written.
    """

    added: Sequence[tuple[int, str, str]] = ()
    has_changed: bool = False


class _Remembered:
    """Definitions that changed nothing, while no process changed any: they need no second look."""

    def __init__(self) -> None:
        self.version = -1
        self.definitions: dict[str, Any] = {}


_remembered = _Remembered()


def described(statement: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The activities that a statement describes, with their definitions."""
    thing = statement["object"]
    if "definition" in thing:
        yield thing["id"], thing["definition"]
    elif thing.get("objectType") == "SubStatement":
        yield from described(thing)
    context = statement.get("context")
    if context and "contextActivities" in context:
        for named in context["contextActivities"].values():
            for one in named if type(named) is list else (named,):
                if "definition" in one:
                    yield one["id"], one["definition"]


def merged(known: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """A definition with what a newer one says."""
    whole = {**known, **new}
    for name in _BY_KEY:
        if name in known and name in new:
            whole[name] = {**known[name], **new[name]}
    return whole


def unfamiliar(statements: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """What statements say about activities and this process does not remember, by their IRIs."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for statement in statements:
        for iri, definition in described(statement):
            if _remembered.definitions.get(iri) != definition:
                found.setdefault(iri, []).append(definition)
    return found


def learn(
    statements: Iterable[Mapping[str, Any]],
    version: int,
    known: Mapping[str, Mapping[str, Any] | None],
) -> News:
    """Keep what statements say about activities; the rows of new ones are still to be inserted.

    version: that of `StoreOrder`, read under its lock. known: definitions of what was unfamiliar
    before, read under it as well; None for an activity that nobody described.
    """
    if _remembered.version != version or len(_remembered.definitions) > _MOST_REMEMBERED:
        _remembered.version, _remembered.definitions = version, {}
    news = unfamiliar(statements)
    if not news:
        return News()
    known = {**known, **known_definitions(news.keys() - known.keys())}
    added: list[tuple[int, str, str]] = []
    changed = False
    for iri, definitions in news.items():
        before = known.get(iri)
        whole = before or {}
        for definition in definitions:
            whole = merged(whole, definition)
        if before is None:
            added.append((lookup_key(By.ACTIVITY, iri), iri, dumps(whole)))
        elif whole != before:
            changed = True
            db.session.execute(
                update(KnownActivity)
                .where(KnownActivity.key == lookup_key(By.ACTIVITY, iri))
                .values(definition=dumps(whole))
                .execution_options(synchronize_session=False)
            )
        else:
            _remembered.definitions[iri] = definitions[-1]
    return News(added, changed)


def asking_definitions(iris: Iterable[str]) -> list[Query]:
    """What asks for all that is known of activities."""
    keys = {lookup_key(By.ACTIVITY, iri) for iri in iris}
    return selection("iri, definition", "xapi_activities", "key", int, keys)


def known_definitions(iris: Iterable[str]) -> dict[str, dict[str, Any]]:
    """What is known of those of the activities that were described."""
    queries = asking_definitions(iris)
    return read_definitions(row for rows in run(queries) for row in rows) if queries else {}


def read_definitions(rows: Iterable[Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Definitions by IRI, from rows that `asking_definitions` gave."""
    return {iri: json.loads(definition) for iri, definition in rows}
