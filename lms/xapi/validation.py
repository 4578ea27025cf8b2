"""The rules of a statement (xAPI 1.0.3, part two). Refuses with path and rule, never repairs."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lms.xapi.errors import StatementRefused

_LANGUAGE = re.compile(
    r"^(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8}|x|i)(?:-[A-Za-z0-9]{1,8})*$"
)
_DURATION = re.compile(
    r"^P(?:\d+(?:[.,]\d+)?W|(?=.)(?:\d+(?:[.,]\d+)?Y)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?D)?"
    r"(?:T(?=\d)(?:\d+(?:[.,]\d+)?H)?(?:\d+(?:[.,]\d+)?M)?(?:\d+(?:[.,]\d+)?S)?)?)$"
)
_INSTANT = re.compile(
    r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?$"
)
_MBOX = re.compile(r"^mailto:[^@\s]+@[^@\s]+$")
_SHA1 = re.compile(r"^[0-9a-fA-F]{40}$")
_VERSION = re.compile(r"^1\.0(?:\.\d+)?$")
_INTERACTIONS = {
    "true-false": set(),
    "choice": {"choices"},
    "fill-in": set(),
    "long-fill-in": set(),
    "matching": {"source", "target"},
    "performance": {"steps"},
    "sequencing": {"choices"},
    "likert": {"scale"},
    "numeric": set(),
    "other": set(),
}
_COMPONENTS = {"choices", "scale", "source", "target", "steps"}

Check = Callable[[Any, str], None]


def _no(path: str, rule: str) -> StatementRefused:
    return StatementRefused(path, rule)


def _text(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise _no(path, "must be a string")


def _flag(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise _no(path, "must be true or false")


def _number(value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _no(path, "must be a number")


def check_iri(value: Any, path: str) -> None:
    """An absolute IRI, with a scheme."""
    _text(value, path)
    if not re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+$", value):
        raise _no(path, "must be an IRI with a scheme")


def check_uuid(value: Any, path: str) -> None:
    """A UUID in its usual form."""
    _text(value, path)
    try:
        if str(uuid.UUID(value)) != value.lower():
            raise ValueError
    except ValueError:
        raise _no(path, "must be a UUID") from None


def check_instant(value: Any, path: str) -> None:
    """An ISO 8601 instant; an offset of minus zero is refused (RFC 3339, 4.3)."""
    _text(value, path)
    if not _INSTANT.match(value) or re.search(r"-00(?::?00)?$", value[10:]):
        raise _no(path, "must be an ISO 8601 date and time")
    try:
        read_instant(value)
    except (ValueError, OverflowError):
        raise _no(path, "must be a date and time that exists") from None


def read_instant(value: str) -> datetime:
    """An ISO 8601 instant in UTC; without an offset it counts as UTC.

    Raises ValueError, and OverflowError when it lies outside of the years 1 to 9999.
    """
    text = value.upper().replace("Z", "+00:00").replace(",", ".")
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _language_map(value: Any, path: str) -> None:
    _mapping(value, path)
    for code, text in value.items():
        if not _LANGUAGE.match(code):
            raise _no(f"{path}.{code}", "must be a language tag of RFC 5646")
        _text(text, f"{path}.{code}")


def _mapping(value: Any, path: str) -> None:
    if not isinstance(value, Mapping):
        raise _no(path, "must be an object")


def _extensions(value: Any, path: str) -> None:
    _mapping(value, path)
    for key in value:
        check_iri(key, f"{path}.{key}")


def _object(
    value: Any, path: str, known: Mapping[str, Check], needed: tuple[str, ...] = ()
) -> None:
    """An object with only known members, each checked; null is allowed nowhere."""
    _mapping(value, path)
    for name in needed:
        if name not in value:
            raise _no(f"{path}.{name}", "is needed")
    for name, member in value.items():
        if name not in known:
            raise _no(f"{path}.{name}", "is not a property known here")
        if member is None:
            raise _no(f"{path}.{name}", "must not be null")
        known[name](member, f"{path}.{name}")


def _one_of(*allowed: str) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in allowed:
            raise _no(path, f"must be one of {', '.join(allowed)}")

    return check


def _mbox(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _MBOX.match(value):
        raise _no(path, "must be mailto: and an address")


def _sha1(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _SHA1.match(value):
        raise _no(path, "must be 40 hexadecimal digits")


def _home_page(value: Any, path: str) -> None:
    check_iri(value, path)
    if not urlsplit(value).scheme:
        raise _no(path, "must be an IRL")


def _account(value: Any, path: str) -> None:
    _object(value, path, {"homePage": _home_page, "name": _text}, ("homePage", "name"))


_IDENTIFIERS: dict[str, Check] = {
    "mbox": _mbox,
    "mbox_sha1sum": _sha1,
    "openid": check_iri,
    "account": _account,
}


def check_agent(value: Any, path: str) -> None:
    """An Agent: exactly one identifier (2.4.2.1)."""
    _object(value, path, {"objectType": _one_of("Agent"), "name": _text, **_IDENTIFIERS})
    if sum(name in value for name in _IDENTIFIERS) != 1:
        raise _no(path, f"must have exactly one of {', '.join(_IDENTIFIERS)}")


def _members(value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise _no(path, "must be a list")
    for index, member in enumerate(value):
        check_agent(member, f"{path}[{index}]")


def check_group(value: Any, path: str) -> None:
    """A Group: identified, or anonymous with members (2.4.2.2)."""
    known = {"objectType": _one_of("Group"), "name": _text, "member": _members, **_IDENTIFIERS}
    _object(value, path, known, ("objectType",))
    identifiers = sum(name in value for name in _IDENTIFIERS)
    if identifiers > 1:
        raise _no(path, "must have at most one identifier")
    if not identifiers and not value.get("member"):
        raise _no(f"{path}.member", "is needed in a group without identifier")


def check_actor(value: Any, path: str) -> None:
    """An Agent or a Group."""
    _mapping(value, path)
    if value.get("objectType") == "Group":
        check_group(value, path)
    else:
        check_agent(value, path)


def _verb(value: Any, path: str) -> None:
    _object(value, path, {"id": check_iri, "display": _language_map}, ("id",))


def _components(value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise _no(path, "must be a list")
    seen: set[str] = set()
    for index, part in enumerate(value):
        here = f"{path}[{index}]"
        _object(part, here, {"id": _text, "description": _language_map}, ("id",))
        if not part["id"] or part["id"] in seen:
            raise _no(f"{here}.id", "must be unique and not empty")
        seen.add(part["id"])


def _patterns(value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise _no(path, "must be a list")
    for index, pattern in enumerate(value):
        _text(pattern, f"{path}[{index}]")


def _definition(value: Any, path: str) -> None:
    known: dict[str, Check] = {
        "name": _language_map,
        "description": _language_map,
        "type": check_iri,
        "moreInfo": check_iri,
        "extensions": _extensions,
        "interactionType": _one_of(*_INTERACTIONS),
        "correctResponsesPattern": _patterns,
        **dict.fromkeys(_COMPONENTS, _components),
    }
    _object(value, path, known)
    parts = _COMPONENTS & set(value)
    kind = value.get("interactionType")
    if kind is None and (parts or "correctResponsesPattern" in value):
        raise _no(f"{path}.interactionType", "is needed")
    if kind is not None and parts - _INTERACTIONS[kind]:
        raise _no(path, f"{', '.join(sorted(parts))} does not belong to {kind}")


def check_activity(value: Any, path: str) -> None:
    """An Activity (2.4.4.1)."""
    known: dict[str, Check] = {
        "objectType": _one_of("Activity"),
        "id": check_iri,
        "definition": _definition,
    }
    _object(value, path, known, ("id",))


def _statement_ref(value: Any, path: str) -> None:
    known: dict[str, Check] = {"objectType": _one_of("StatementRef"), "id": check_uuid}
    _object(value, path, known, ("objectType", "id"))


def _thing(value: Any, path: str, *, inside: bool = False) -> None:
    """The object of a statement; a SubStatement holds no other one."""
    _mapping(value, path)
    kind = value.get("objectType", "Activity")
    if kind == "SubStatement" and not inside:
        _sub_statement(value, path)
    elif kind == "StatementRef":
        _statement_ref(value, path)
    elif kind in ("Agent", "Group"):
        check_actor(value, path)
    elif kind == "Activity":
        check_activity(value, path)
    else:
        raise _no(f"{path}.objectType", "is not a kind of object known here")


def _score(value: Any, path: str) -> None:
    _object(value, path, dict.fromkeys(("scaled", "raw", "min", "max"), _number))
    scaled, raw = value.get("scaled"), value.get("raw")
    least, most = value.get("min"), value.get("max")
    if scaled is not None and not -1 <= scaled <= 1:
        raise _no(f"{path}.scaled", "must lie between -1 and 1")
    if least is not None and most is not None and least >= most:
        raise _no(f"{path}.min", "must be less than max")
    if raw is not None and least is not None and raw < least:
        raise _no(f"{path}.raw", "must not be less than min")
    if raw is not None and most is not None and raw > most:
        raise _no(f"{path}.raw", "must not be more than max")


def _duration(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _DURATION.match(value):
        raise _no(path, "must be an ISO 8601 duration")


def _result(value: Any, path: str) -> None:
    known: dict[str, Check] = {
        "score": _score,
        "success": _flag,
        "completion": _flag,
        "response": _text,
        "duration": _duration,
        "extensions": _extensions,
    }
    _object(value, path, known)


def _activities(value: Any, path: str) -> None:
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        check_activity(one, f"{path}[{index}]")


def _context_activities(value: Any, path: str) -> None:
    names = ("parent", "grouping", "category", "other")
    _object(value, path, dict.fromkeys(names, _activities))


def _language_tag(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _LANGUAGE.match(value):
        raise _no(path, "must be a language tag of RFC 5646")


_CONTEXT: dict[str, Check] = {
    "registration": check_uuid,
    "instructor": check_actor,
    "team": check_group,
    "contextActivities": _context_activities,
    "revision": _text,
    "platform": _text,
    "language": _language_tag,
    "statement": _statement_ref,
    "extensions": _extensions,
}


def _context(value: Any, path: str) -> None:
    _object(value, path, _CONTEXT)


def _length(value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _no(path, "must be a whole number")


def _attachments(value: Any, path: str) -> None:
    if not isinstance(value, list):
        raise _no(path, "must be a list")
    known: dict[str, Check] = {
        "usageType": check_iri,
        "display": _language_map,
        "description": _language_map,
        "contentType": _text,
        "length": _length,
        "sha2": _text,
        "fileUrl": check_iri,
    }
    needed = ("usageType", "display", "contentType", "length", "sha2")
    for index, one in enumerate(value):
        _object(one, f"{path}[{index}]", known, needed)


def _authority(value: Any, path: str) -> None:
    check_actor(value, path)
    if value.get("objectType") == "Group" and (
        len(value.get("member", ())) != 2 or any(name in value for name in _IDENTIFIERS)
    ):
        raise _no(path, "as a group must be anonymous with two members")


def _version(value: Any, path: str) -> None:
    if not isinstance(value, str) or not _VERSION.match(value):
        raise _no(path, "must be 1.0 or 1.0.x")


_COMMON: dict[str, Check] = {
    "actor": check_actor,
    "verb": _verb,
    "result": _result,
    "context": _context,
    "timestamp": check_instant,
    "attachments": _attachments,
}


def _context_fits(value: Mapping[str, Any], path: str) -> None:
    """`revision` and `platform` belong to activities only (2.4.6)."""
    context = value.get("context", {})
    if value["object"].get("objectType", "Activity") != "Activity":
        for name in ("revision", "platform"):
            if name in context:
                raise _no(f"{path}context.{name}", "is for activities only")


def _sub_statement(value: Any, path: str) -> None:
    known: dict[str, Check] = {
        **_COMMON,
        "objectType": _one_of("SubStatement"),
        "object": lambda thing, where: _thing(thing, where, inside=True),
    }
    _object(value, path, known, ("objectType", "actor", "verb", "object"))
    _context_fits(value, f"{path}.")


_STATEMENT: dict[str, Check] = {
    **_COMMON,
    "id": check_uuid,
    "object": _thing,
    "stored": check_instant,
    "authority": _authority,
    "version": _version,
}


def check_statement(value: Any, index: int | None = None) -> None:
    """Refuse what is not a statement of xAPI 1.0.3.

    Raises StatementRefused with the index in the batch, the property's path and the rule.
    """
    try:
        _object(value, "statement", _STATEMENT, ("actor", "verb", "object"))
        _context_fits(value, "statement.")
        if value["verb"]["id"] == "http://adlnet.gov/expapi/verbs/voided" and (
            value["object"].get("objectType") != "StatementRef"
        ):
            raise _no("statement.object", "of a voiding statement must be a StatementRef")
    except StatementRefused as refusal:
        raise StatementRefused(refusal.path, refusal.rule, index) from None
