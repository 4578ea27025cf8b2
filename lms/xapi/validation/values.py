"""Rules of single values: numbers, texts, IRIs, instants, language maps, and objects as such.

A check takes the value alone and raises `Broken` with the rule; the objects around it add where
the value stands, so that a path is made only when something is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import orjson

Check = Callable[[Any], None]

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20\x7f\ud800-\udfff]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})"  # language, with up to three extensions
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?"  # script, region
    r"(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"  # extensions, private use
    r"|x(?:-[a-z0-9]{1,8})+|i-[a-z]{3,8}|en-gb-oed|sgn-(?:be-fr|be-nl|ch-de)",
    re.IGNORECASE | re.ASCII,
)
_PART = r"(?:\d+(?:[.,]\d+)?%s)?"
_DURATION = re.compile(
    r"P(?:\d+(?:[.,]\d+)?W|(?=[\dT])"
    + "".join(_PART % unit for unit in "YMD")
    + r"(?:T(?=\d)"
    + "".join(_PART % unit for unit in "HMS")
    + ")?)",
    re.ASCII,
)
_INNER_FRACTION = re.compile(r"[.,]\d+[A-Z].")
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_MOST_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 1_000  # bytes
_MINUS_ZERO = re.compile(r"-00(?::?00)?")


class Broken(Exception):
    """A rule does not hold: which one, and the steps from the inside to the outside."""

    def __init__(self, rule: str, *steps: str) -> None:
        self.rule, self.steps = rule, list(steps)
        super().__init__(rule)

    def path(self, root: str) -> str:
        """Where it happened, written as `root.property[index]`."""
        return root + "".join(reversed(self.steps))


def text(value: Any) -> None:
    """A string."""
    if type(value) is not str:
        raise Broken("must be a string")


def flag(value: Any) -> None:
    """True or false, not as a word."""
    if type(value) is not bool:
        raise Broken("must be true or false")


def number(value: Any) -> None:
    """A number, not as a string."""
    if type(value) is not int and type(value) is not float:
        raise Broken("must be a number")


def whole_number(value: Any) -> None:
    """A whole number from 0 on."""
    if type(value) is not int or value < 0:
        raise Broken("must be a whole number")


def iri(value: Any) -> None:
    """An absolute IRI, with a scheme."""
    if type(value) is not str or not _IRI.fullmatch(value):
        raise Broken("must be an IRI with a scheme")


def uuid_text(value: Any) -> None:
    """A UUID in its usual form, in any letter case."""
    if type(value) is not str or not _UUID.fullmatch(value):
        raise Broken("must be a UUID")


def language(value: Any) -> None:
    """A language tag of RFC 5646."""
    if type(value) is not str or not _LANGUAGE.fullmatch(value):
        raise Broken("must be a language tag of RFC 5646")


def duration(value: Any) -> None:
    """An ISO 8601 duration with designators; only its last number may have a fraction."""
    if type(value) is not str or not _DURATION.fullmatch(value) or _INNER_FRACTION.search(value):
        raise Broken("must be an ISO 8601 duration")


def instant(value: Any) -> None:
    """An ISO 8601 instant; an offset of minus zero is refused (RFC 3339, 4.3)."""
    if (
        type(value) is not str
        or not _INSTANT.fullmatch(value)
        or _MINUS_ZERO.fullmatch(value, value.rfind("-") if value.rfind("-") > 10 else len(value))
    ):
        raise Broken("must be an ISO 8601 date and time")
    try:
        read_instant(value)
    except (ValueError, OverflowError):
        raise Broken("must be a date and time that exists") from None


def read_instant(value: str) -> datetime:
    """An ISO 8601 instant in UTC; without an offset it counts as UTC.

    Raises ValueError, and OverflowError when it lies outside of the years 1 to 9999.
    """
    if value[16:19] == ":60":  # a leap second
        return read_instant(f"{value[:16]}:59{value[19:]}") + timedelta(seconds=1)
    at = datetime.fromisoformat(value.upper().replace(",", "."))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def mapping(value: Any) -> None:
    """A JSON object."""
    if type(value) is not dict:
        raise Broken("must be an object")


def language_map(value: Any) -> None:
    """Texts by language tag."""
    mapping(value)
    for code, words in value.items():
        if not _LANGUAGE.fullmatch(code):
            raise Broken("must be a language tag of RFC 5646", f".{code}")
        if type(words) is not str:
            raise Broken("must be a string", f".{code}")


def extensions(value: Any) -> None:
    """Any JSON under keys that are IRIs."""
    mapping(value)
    for key in value:
        if not _IRI.fullmatch(key):
            raise Broken("must be an IRI with a scheme", f".{key}")


def one_of(*allowed: str) -> Check:
    """One of these words, in this letter case."""

    def check(value: Any) -> None:
        if type(value) is not str or value not in allowed:
            raise Broken(f"must be one of {', '.join(allowed)}")

    return check


def pattern(expression: str, rule: str) -> Check:
    """A string that fits the expression as a whole."""
    compiled = re.compile(expression, re.ASCII)

    def check(value: Any) -> None:
        if type(value) is not str or not compiled.fullmatch(value):
            raise Broken(rule)

    return check


def remembered(check: Check) -> Check:
    """The same check, that passes over what it found right before: statements repeat their parts.

    What was found right is known by its JSON text, so by all of its content.
    """
    found_right: set[bytes] = set()

    def checked(value: Any) -> None:
        try:
            text = orjson.dumps(value)
        except TypeError:  # a number of more than 64 bits
            check(value)
            return
        if text in found_right:
            return
        check(value)
        if len(text) <= _LONGEST_REMEMBERED:
            if len(found_right) >= _MOST_REMEMBERED:
                found_right.clear()
            found_right.add(text)

    return checked


def list_of(check: Check, *, is_empty_fine: bool = True) -> Check:
    """A list, each element checked."""

    def checked(value: Any) -> None:
        if type(value) is not list:
            raise Broken("must be a list")
        if not value and not is_empty_fine:
            raise Broken("must not be empty")
        for index, one in enumerate(value):
            try:
                check(one)
            except Broken as broken:
                broken.steps.append(f"[{index}]")
                raise

    return checked


def members(value: Any, known: Mapping[str, Check], needed: Iterable[str] = ()) -> None:
    """An object with only known members, each checked; null is allowed nowhere."""
    if type(value) is not dict:
        raise Broken("must be an object")
    for name in needed:
        if name not in value:
            raise Broken("is needed", f".{name}")
    for name, member in value.items():
        check = known.get(name)
        if check is None:
            _unknown(name, known)
        if member is None:
            raise Broken("must not be null", f".{name}")
        try:
            check(member)
        except Broken as broken:
            broken.steps.append(f".{name}")
            raise


def _unknown(name: str, known: Mapping[str, Check]) -> NoReturn:
    near = [other for other in known if other.lower() == name.lower()]
    hint = f"; did you mean {near[0]}?" if near else ""
    raise Broken(f"is not a property known here{hint}", f".{name[:100]}")
