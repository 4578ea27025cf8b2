"""Codes of certificates: "PU-7K3M-Q9TD-24XB-W0HR".

Fifteen random signs of an alphabet of 32 (75 bits: neither guessed nor counted) and one check sign
(ISO 7064, hybrid system MOD 33,32), which finds every single wrong sign and nearly every swapped
pair before the register is asked. The letters I, L, O and U are left out, since they are read as
1, 0 and V; who types them is understood all the same.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_SIGNS = 15
PREFIX = "PU"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
_IN_TEXT = re.compile(r"\bPU(?:-[0-9A-HJKMNP-TV-Z]{4}){4}\b")


def check_sign(signs: str) -> str:
    """The check sign of `signs` (ISO 7064, MOD 33,32)."""
    size = len(ALPHABET)
    product = size
    for sign in signs:
        total = (product + ALPHABET.index(sign)) % size or size
        product = total * 2 % (size + 1)
    return ALPHABET[(size + 1 - product) % size]


def make_code() -> str:
    """A new code, as it is shown and kept."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_SIGNS))
    return _shown(signs + check_sign(signs))


def _shown(signs: str) -> str:
    groups = [signs[i : i + 4] for i in range(0, len(signs), 4)]
    return "-".join([PREFIX, *groups])


def read_code(typed: str) -> str:
    """What somebody typed, in the form in which codes are kept.

    Case, spaces and dashes do not matter, nor whether the prefix is there. Something that cannot
    be a code comes back as a form that no certificate has.
    """
    signs = re.sub(r"[^0-9A-Z]", "", typed.upper()[:100])
    length = RANDOM_SIGNS + 1
    if len(signs) == length + len(PREFIX) and signs.startswith(PREFIX):
        signs = signs[len(PREFIX) :]
    return _shown(signs.translate(_MISREAD)[: length + 1])


def is_well_formed(code: str) -> bool:
    """Whether a code in the kept form can have been issued: length, signs and check sign."""
    signs = code.removeprefix(PREFIX).replace("-", "")
    if len(signs) != RANDOM_SIGNS + 1 or not set(signs) <= set(ALPHABET):
        return False
    return check_sign(signs[:-1]) == signs[-1]


def find_codes(text: str) -> list[str]:
    """The codes written in a text, each once, in their order."""
    return list(dict.fromkeys(code for code in _IN_TEXT.findall(text) if is_well_formed(code)))
