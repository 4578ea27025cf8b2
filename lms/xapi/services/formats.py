"""Statements as readers want them: exact, with ids alone, or canonical (1.0.3, part three, 2.1.3).

Only the parts that a format changes are written anew; all else is the text that was sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lms.xapi.json_text import Edit, dumps, edited, elements, members
from lms.xapi.lookup import related_activities
from lms.xapi.services.activities import known_definitions

FORMATS = ("exact", "ids", "canonical")
_MAPS_OF_DEFINITIONS = ("name", "description")
_COMPONENT_LISTS = ("choices", "scale", "source", "target", "steps")
_IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")

Reduce = Callable[[str, dict[str, Any]], dict[str, Any]]  # kind of part, its value -> what is shown


def formatted(documents: Sequence[str], format_: str, languages: Sequence[str]) -> Sequence[str]:
    """JSON texts of statements in one of `FORMATS`. languages: the wanted ones, the best first."""
    if format_ == "exact":
        return documents
    reduce: Reduce = _to_ids
    if format_ == "canonical":
        iris = {iri for text in documents for iri in related_activities(json.loads(text))}
        reduce = _Canonical(known_definitions(iris), languages).reduce
    return [edited(text, list(_edits(text, 0, reduce))) for text in documents]


def _edits(text: str, at: int, reduce: Reduce) -> Iterator[Edit]:
    """The changes to a statement or substatement that begins at a place."""
    for name, begin, end in members(text, at):
        if name in ("actor", "authority"):
            yield _edit(text, begin, end, "agent", reduce)
        elif name == "verb":
            yield _edit(text, begin, end, "verb", reduce)
        elif name == "object":
            kind = json.loads(text[begin:end]).get("objectType", "Activity")
            if kind == "SubStatement":
                yield from _edits(text, begin, reduce)
            elif kind == "Activity":
                yield _edit(text, begin, end, "activity", reduce)
            elif kind in ("Agent", "Group"):
                yield _edit(text, begin, end, "agent", reduce)
        elif name == "context":
            yield from _edits_of_context(text, begin, reduce)
        elif name == "attachments":
            for inner_begin, inner_end in elements(text, begin):
                yield _edit(text, inner_begin, inner_end, "attachment", reduce)


def _edits_of_context(text: str, at: int, reduce: Reduce) -> Iterator[Edit]:
    for name, begin, end in members(text, at):
        if name in ("instructor", "team"):
            yield _edit(text, begin, end, "agent", reduce)
        elif name == "contextActivities":
            for _kind, list_begin, _end in members(text, begin):
                for inner_begin, inner_end in elements(text, list_begin):
                    yield _edit(text, inner_begin, inner_end, "activity", reduce)
        elif name in ("contextAgents", "contextGroups"):
            for inner, _inner_end in elements(text, begin):
                for part, part_begin, part_end in members(text, inner):
                    if part in ("agent", "group"):
                        yield _edit(text, part_begin, part_end, "agent", reduce)


def _edit(text: str, begin: int, end: int, kind: str, reduce: Reduce) -> Edit:
    value = json.loads(text[begin:end])
    shown = reduce(kind, value)
    return begin, end, text[begin:end] if shown == value else dumps(shown)


def _to_ids(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """Only what identifies a part, and the kind of thing it is."""
    if kind == "agent":
        kept = ("objectType", *_IDENTIFIERS)
        shown = {name: value[name] for name in kept if name in value}
        if not any(name in value for name in _IDENTIFIERS):
            shown["member"] = [_to_ids("agent", one) for one in value["member"]]
        return shown
    if kind in ("verb", "activity"):
        return {"id": value["id"]}  # what says no objectType is an activity
    return value


class _Canonical:
    """Activities as the store knows them, and each language map with one language."""

    def __init__(self, known: Mapping[str, Mapping[str, Any]], languages: Sequence[str]) -> None:
        self._known, self._languages = known, languages

    def reduce(self, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        """What is shown of a part."""
        if kind == "verb" and "display" in value:
            return {**value, "display": self._one(value["display"])}
        if kind == "attachment":
            return self._with_one(value, ("display", "description"))
        if kind == "activity":
            definition = self._known.get(value["id"])
            if definition:
                return {**value, "definition": self._definition(definition)}
        return value

    def _definition(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        shown = self._with_one(definition, _MAPS_OF_DEFINITIONS)
        for name in _COMPONENT_LISTS:
            if name in shown:
                shown[name] = [self._with_one(one, ("description",)) for one in shown[name]]
        return shown

    def _with_one(self, value: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
        return {name: self._one(inner) if name in names else inner for name, inner in value.items()}

    def _one(self, texts: Mapping[str, str]) -> dict[str, str]:
        return in_best_language(texts, self._languages)


def in_best_language(texts: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """The one entry of a language map that fits the wanted languages best, else its first.

    A language fits exactly, or by the beginning that the two have in common (RFC 4647, 3.4).
    """
    by_tag = {tag.lower(): tag for tag in texts}
    for language in languages:
        wanted = language.lower()
        while wanted:
            if wanted in by_tag:
                return {by_tag[wanted]: texts[by_tag[wanted]]}
            for tag in by_tag:
                if tag.startswith(f"{wanted}-"):
                    return {by_tag[tag]: texts[by_tag[tag]]}
            wanted = wanted.rpartition("-")[0]
        if language == "*":
            break
    return dict(list(texts.items())[:1])
