"""Numbers as people write them: with comma or point, by the custom of their language."""

from __future__ import annotations

import re
from decimal import Decimal

from babel.numbers import format_decimal, get_decimal_symbol

MOST = 1e15  # beyond it, decimals get lost
_SPACES = re.compile(r"[\s  ' ’_]")
_NUMBER = re.compile(r"[+-]?[0-9.,]*[0-9][0-9.,]*\Z")
_GROUPS = re.compile(r"[1-9][0-9]{0,2}(?:[.,][0-9]{3})+\Z")


def read_number(text: str, language: str) -> int | float | None:
    """The number that a reader of `language` means, None when it is none.

    Point and comma are both taken as decimal sign. Where that is doubtful ("1,250"), the custom
    of the language decides: 1250 in English, 1.25 in Spanish. "0,125" and "12,5" are not doubtful.
    """
    text = _SPACES.sub("", text.strip()).replace("−", "-")
    if len(text) > 40 or not _NUMBER.match(text):
        return None
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    plain = _plain(digits, get_decimal_symbol(language))
    if plain is None or abs(float(plain)) > MOST:
        return None
    value = sign * Decimal(plain)
    return int(value) if value == value.to_integral_value() else float(value)


def _plain(digits: str, decimal_sign: str) -> str | None:
    """The digits with a point as decimal sign and without groups, None when ill-formed."""
    signs = [sign for sign in digits if sign in ".,"]
    if not signs:
        return digits
    last = signs[-1]
    if len(set(signs)) == 2:
        whole, _point, part = digits.rpartition(last)
        if last in whole or not _GROUPS.match(whole):
            return None
        return f"{_digits(whole)}.{part or 0}"
    if len(signs) > 1:
        return _digits(digits) if _GROUPS.match(digits) else None
    if last != decimal_sign and _GROUPS.match(digits):
        return _digits(digits)
    whole, _point, part = digits.partition(last)
    return f"{whole or 0}.{part or 0}"


def _digits(text: str) -> str:
    return text.replace(".", "").replace(",", "")


def number_text(value: float, language: str) -> str:
    """A number in the format of `language`, without groups, so that it reads back unchanged."""
    return format_decimal(
        Decimal(str(value)), format="0.###############", locale=language, group_separator=False
    )
