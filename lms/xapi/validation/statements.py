"""Rules of statements (xAPI 1.0.3, part two, 2; and 2.0.0, IEEE 9274.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lms.xapi.validation.activities import activities, activity
from lms.xapi.validation.agents import actor, agent, authority, group
from lms.xapi.validation.values import (
    Broken,
    Check,
    duration,
    extensions,
    flag,
    instant,
    iri,
    language,
    language_map,
    list_of,
    mapping,
    members,
    number,
    one_of,
    remembered,
    text,
    uuid_text,
    whole_number,
)
from lms.xapi.validation.values import pattern as fits

VOIDED = "http://adlnet.gov/expapi/verbs/voided"

_VERB: dict[str, Check] = {"id": iri, "display": language_map}
_SCORE: dict[str, Check] = dict.fromkeys(("scaled", "raw", "min", "max"), number)
_REFERENCE: dict[str, Check] = {"objectType": one_of("StatementRef"), "id": uuid_text}
_CONTEXT_ACTIVITIES: dict[str, Check] = dict.fromkeys(
    ("parent", "grouping", "category", "other"), activities
)
_ATTACHMENT: dict[str, Check] = {
    "usageType": iri,
    "display": language_map,
    "description": language_map,
    "contentType": fits(
        r"[A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+(?: *; *[\x20-\x3a\x3c-\x7e]+)* *",
        "must be a media type",
    ),
    "length": whole_number,
    "sha2": text,
    "fileUrl": iri,
}
_ATTACHMENT_NEEDS = ("usageType", "display", "contentType", "length", "sha2")


@remembered
def _verb(value: Any) -> None:
    members(value, _VERB, ("id",))


def _reference(value: Any) -> None:
    members(value, _REFERENCE, _REFERENCE)


def _score(value: Any) -> None:
    members(value, _SCORE)
    scaled, raw = value.get("scaled"), value.get("raw")
    least, most = value.get("min"), value.get("max")
    if scaled is not None and not -1 <= scaled <= 1:
        raise Broken("must lie between -1 and 1", ".scaled")
    if least is not None and most is not None and least >= most:
        raise Broken("must be less than max", ".min")
    if raw is not None and least is not None and raw < least:
        raise Broken("must not be less than min", ".raw")
    if raw is not None and most is not None and raw > most:
        raise Broken("must not be more than max", ".raw")


_RESULT: dict[str, Check] = {
    "score": _score,
    "success": flag,
    "completion": flag,
    "response": text,
    "duration": duration,
    "extensions": extensions,
}


def _result(value: Any) -> None:
    members(value, _RESULT)


def _context_activities(value: Any) -> None:
    members(value, _CONTEXT_ACTIVITIES)


_relevant_types = list_of(iri, is_empty_fine=False)
_CONTEXT_AGENT: dict[str, Check] = {
    "objectType": one_of("contextAgent"),
    "agent": agent,
    "relevantTypes": _relevant_types,
}
_CONTEXT_GROUP: dict[str, Check] = {
    "objectType": one_of("contextGroup"),
    "group": group,
    "relevantTypes": _relevant_types,
}


def _context_agent(value: Any) -> None:
    members(value, _CONTEXT_AGENT, ("objectType", "agent"))


def _context_group(value: Any) -> None:
    members(value, _CONTEXT_GROUP, ("objectType", "group"))


_CONTEXT: dict[str, Check] = {
    "registration": uuid_text,
    "instructor": actor,
    "team": group,
    "contextActivities": _context_activities,
    "revision": text,
    "platform": text,
    "language": language,
    "statement": _reference,
    "extensions": extensions,
}
_CONTEXT_2_0: dict[str, Check] = {
    **_CONTEXT,
    "contextAgents": list_of(_context_agent),
    "contextGroups": list_of(_context_group),
}


def _attachment(value: Any) -> None:
    members(value, _ATTACHMENT, _ATTACHMENT_NEEDS)


def _fits_together(value: Mapping[str, Any]) -> None:
    """`revision` and `platform` belong to activities only (2.4.6); voiding names a statement."""
    kind = value["object"].get("objectType", "Activity")
    if kind != "Activity" and "context" in value:
        for name in ("revision", "platform"):
            if name in value["context"]:
                raise Broken("is for activities only", f".{name}", ".context")
    if kind != "StatementRef" and value["verb"]["id"] == VOIDED:
        raise Broken("of a voiding statement must be a StatementRef", ".object")


class RuleSet:
    """The rules of one version: what a statement and its parts may hold."""

    def __init__(self, context: Mapping[str, Check], version: str, rule: str) -> None:
        self._context = context
        common: dict[str, Check] = {
            "actor": actor,
            "verb": _verb,
            "result": _result,
            "context": self._check_context,
            "timestamp": instant,
            "attachments": list_of(_attachment),
        }
        self._sub_statement = {
            **common,
            "objectType": one_of("SubStatement"),
            "object": self._check_inner_object,
        }
        self._statement = {
            **common,
            "id": uuid_text,
            "object": self._check_object,
            "stored": instant,
            "authority": authority,
            "version": fits(version, rule),
        }

    def check(self, value: Any) -> None:
        """Raise Broken for what is not a statement."""
        members(value, self._statement, ("actor", "verb", "object"))
        _fits_together(value)

    def _check_context(self, value: Any) -> None:
        members(value, self._context)

    def _check_object(self, value: Any) -> None:
        if type(value) is dict and value.get("objectType") == "SubStatement":
            members(value, self._sub_statement, ("actor", "verb", "object"))
            _fits_together(value)
        else:
            self._check_inner_object(value)

    def _check_inner_object(self, value: Any) -> None:
        """The object of a statement, but for a SubStatement: it holds no other one."""
        mapping(value)
        kind = value.get("objectType", "Activity")
        if kind == "Activity":
            activity(value)
        elif kind == "StatementRef":
            _reference(value)
        elif kind in ("Agent", "Group"):
            actor(value)
        else:
            raise Broken("is not a kind of object known here", ".objectType")


RULES_1_0 = RuleSet(_CONTEXT, r"1\.0(?:\.\d+)?", "must be 1.0 or 1.0.x")
RULES_2_0 = RuleSet(_CONTEXT_2_0, r"[12]\.0(?:\.\d+)?", "must be 1.0, 2.0, 1.0.x or 2.0.x")
