"""JSON as text: read once, strictly, and changed in places without touching the rest.

What tools send is given back as it came: numbers keep their form, and extensions are not ours.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson

DEEPEST = 100
_SPACE = re.compile(r"[ \t\n\r]*")
_SHAPES = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NotJson(ValueError):
    """A text is not the JSON that tools may exchange: what is wrong with it."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                raise NotJson(f"the property {name[:100]!r} stands twice in one object")
            seen.add(name)
    return found


def _constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not a JSON value")


def _number(text: str) -> float:
    value = float(text)
    if value in (math.inf, -math.inf):  # other parsers would refuse it
        raise NotJson(f"has a number too large to compute with: {text[:40]}")
    return value


_decoder = json.JSONDecoder(parse_constant=_constant, parse_float=_number)
_decoder_of_pairs = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_number
)
_plain_decoder = json.JSONDecoder()


def dumps(value: Any) -> str:
    """JSON without blanks, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Sent:
    """A JSON value with the text it came as."""

    value: Any
    text: str


def sent(value: Any) -> Sent:
    """A value as if it had been sent."""
    return Sent(value, dumps(value))


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def decode(body: bytes) -> str:
    """The text of a body. Raises NotJson."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"is not UTF-8 at byte {error.start}") from None


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _decoder.raw_decode(text, at)
        if not _keeps_all(value, text, at, end):
            value, end = _decoder_of_pairs.raw_decode(text, at)
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON: {error.msg} at sign {error.pos}") from None
    except RecursionError:
        raise NotJson(f"nests deeper than {DEEPEST} levels") from None
    except ValueError:
        raise NotJson("has a number with too many digits") from None
    if text.count("{", at, end) + text.count("[", at, end) > DEEPEST:
        _check_depth(text, at, end)
    if text.find("\\u", at, end) >= 0 and _SURROGATE.search(text, at, end):
        _check_signs(value)
    return value, end


def _keeps_all(value: Any, text: str, at: int, end: int) -> bool:
    """Whether no property stood twice in a text: the value holds all of it. False when unsure.

    A property that was lost took the marks of its name with it. Marks are counted in the text and
    in the value written anew: they stand around strings and, behind a backslash, in them.
    """
    if text.find("\\u0022", at, end) >= 0:
        return False
    try:
        return orjson.dumps(value).count(b'"') == text.count('"', at, end)
    except TypeError:  # a number of more than 64 bits, half of a surrogate pair
        return False


def _check_depth(text: str, at: int, end: int) -> None:
    depth = 0
    for shape in _SHAPES.finditer(text, at, end):
        sign = shape[0]
        if sign in "[{":
            depth += 1
            if depth > DEEPEST:
                raise NotJson(f"nests deeper than {DEEPEST} levels")
        elif sign in "]}":
            depth -= 1


def _check_signs(value: Any) -> None:
    """Refuse halves of surrogate pairs: they are no Unicode text."""
    try:
        dumps(value).encode()
    except UnicodeEncodeError:
        raise NotJson("has half of a surrogate pair") from None


def read_one(text: str) -> Sent:
    """The one value that a text consists of. Raises NotJson."""
    at = _after_space(text, 0)
    value, end = _value(text, at)
    if _after_space(text, end) != len(text):
        raise NotJson(f"goes on after its end at sign {end}")
    return Sent(value, text[at:end])


def read_many(text: str) -> tuple[list[Sent], bool]:
    """The elements of a list, or the one value that is not a list; and whether it was a list.

    Each element keeps its own text. Raises NotJson.
    """
    at = _after_space(text, 0)
    if text[at : at + 1] != "[":
        return [read_one(text)], False
    found: list[Sent] = []
    at = _after_space(text, at + 1)
    if text[at : at + 1] != "]":
        while True:
            value, end = _value(text, at)
            found.append(Sent(value, text[at:end]))
            at = _after_space(text, end)
            if text[at : at + 1] != ",":
                break
            at = _after_space(text, at + 1)
    if text[at : at + 1] != "]":
        raise NotJson(f"is not JSON: a list does not end at sign {at}")
    if _after_space(text, at + 1) != len(text):
        raise NotJson(f"goes on after its end at sign {at + 1}")
    return found, True


def read_body(content: bytes) -> tuple[list[Sent], bool]:
    """What `read_many` gives for the text of a body, sooner when it is JSON without blanks.

    Raises NotJson.
    """
    found = _read_compact(content)
    return (found, content[:1] == b"[") if found is not None else read_many(decode(content))


def _read_compact(content: bytes) -> list[Sent] | None:
    """The elements of JSON that, written anew by another parser, is the same; None for any other.

    Then no property stands twice in it and no number loses anything.
    """
    try:
        values = orjson.loads(content)
        is_list = type(values) is list
        found, at = [], int(is_list)
        for value in values if is_list else (values,):
            text = orjson.dumps(value)
            if not content.startswith(text, at) or text.count(b"{") + text.count(b"[") > DEEPEST:
                return None
            found.append(Sent(value, text.decode()))
            at += len(text) + int(is_list)
    except (ValueError, TypeError):  # orjson's errors; read again to say what is wrong
        return None
    return found if at == len(content) else None


def members(text: str, at: int = 0) -> Iterator[tuple[str, int, int]]:
    """Names of an object's members, with the beginning and end of each value in the text.

    at: where the object, known to be valid JSON, begins.
    """
    at = _after_space(text, at + 1)
    while text[at] != "}":
        name, end = _plain_decoder.raw_decode(text, at)
        at = _after_space(text, _after_space(text, end) + 1)  # the colon
        _skipped, end = _plain_decoder.raw_decode(text, at)
        yield name, at, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def elements(text: str, at: int = 0) -> Iterator[tuple[int, int]]:
    """The beginning and end of each element of a list, known to be valid JSON."""
    at = _after_space(text, at + 1)
    while text[at] != "]":
        _skipped, end = _plain_decoder.raw_decode(text, at)
        yield at, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


Edit = tuple[int, int, str]  # beginning, end, what stands there instead


def edited(text: str, edits: list[Edit]) -> str:
    """The text with changes in places that do not overlap."""
    parts, at = [], 0
    for begin, end, instead in sorted(edits):
        parts += [text[at:begin], instead]
        at = end
    return "".join([*parts, text[at:]])
