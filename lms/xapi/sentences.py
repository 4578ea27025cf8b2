"""Statements as sentences that people can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask_babel import gettext as _

from lms.core.text import in_language
from lms.xapi.models import StoredStatement
from lms.xapi.vocabulary import VERBS

_NAMES = {iri: name for name, (iri, _display) in VERBS.items()}


@dataclass(frozen=True)
class Sentence:
    """One line of a timeline."""

    at: datetime
    verb: str  # name in VERBS, or the end of the verb's IRI
    verb_text: str
    object_text: str
    result_text: str | None
    document: str  # the statement's JSON, indented


def _object_text(thing: Mapping[str, Any]) -> str:
    definition = thing.get("definition", {})
    for texts in (definition.get("name"), definition.get("description")):
        if isinstance(texts, Mapping) and texts:
            return in_language(texts)
    return str(thing.get("name") or thing.get("id") or "")


def _result_text(result: Mapping[str, Any]) -> str | None:
    scaled = result.get("score", {}).get("scaled")
    if isinstance(scaled, int | float):
        from lms.core.templating import format_percent

        return format_percent(scaled)
    if result.get("success") is True:
        return str(_("right"))
    if result.get("success") is False:
        return str(_("not right"))
    return None


def sentences(rows: Iterable[StoredStatement]) -> list[Sentence]:
    """The statements for a timeline, in the reader's language."""
    lines = []
    for row in rows:
        statement = orjson.loads(row.document)
        name = _NAMES.get(row.verb_id, row.verb_id.rsplit("/", 1)[-1])
        display = VERBS[name][1] if name in VERBS else statement["verb"].get("display", {})
        lines.append(
            Sentence(
                at=row.timestamp,
                verb=name,
                verb_text=in_language(display) or name,
                object_text=_object_text(statement["object"]),
                result_text=_result_text(statement.get("result", {})),
                document=orjson.dumps(statement, option=orjson.OPT_INDENT_2).decode(),
            )
        )
    return lines
