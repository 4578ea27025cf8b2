"""Comparing a name that somebody knows with the one on a certificate, without telling it.

A name alone never says who a person is: a match only says that it does not speak against it.
"""

from __future__ import annotations

import re
from enum import StrEnum

from lms.core.text import fold

# words of names that some leave out
_SMALL = frozenset(
    {"a", "al", "da", "das", "de", "del", "der", "des", "di", "do", "dos", "du", "e", "el"}
    | {"la", "las", "le", "les", "los", "y"}
)
_WORD = re.compile(r"[^\W\d_]+")


class NameMatch(StrEnum):
    """What comparing two names gives."""

    MATCH = "match"
    NO_MATCH = "no_match"
    NOT_ENOUGH = "not_enough"


def compare_names(known: str, certified: str) -> NameMatch:
    """Compare whatever the accents, the case, the order of the parts and the signs between them.

    A part of a name, of two words at least, is "not enough"; so is a name of one word.
    """
    one, other = _words(known), _words(certified)
    if not one or not other:
        return NameMatch.NOT_ENOUGH
    if sorted(one) == sorted(other):
        return NameMatch.MATCH if len(one) > 1 else NameMatch.NOT_ENOUGH
    shorter, longer = sorted((set(one), set(other)), key=len)
    is_part = all(_is_in(word, longer) for word in shorter)
    return NameMatch.NOT_ENOUGH if is_part else NameMatch.NO_MATCH


def _words(name: str) -> list[str]:
    found = _WORD.findall(fold(name))
    return [word for word in found if word not in _SMALL] or found


def _is_in(word: str, longer: set[str]) -> bool:
    """Whether a word or, of an initial, a word that begins with it stands there."""
    return any(word == other or (len(word) == 1 and other.startswith(word)) for other in longer)
