"""Whether an issuer has revoked or suspended a credential (W3C Bitstring Status List 1.0).

A list counts only when the issuer of the credential signed it and it is valid now; whatever else
is found, nothing is known, and the answer says so.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lms.certificates.json_text import BadJson, read_object
from lms.certificates.verifier import proofs
from lms.certificates.verifier.claims import instant_of, issuer_of
from lms.certificates.verifier.keeping import Kept
from lms.certificates.verifier.outcome import CannotCheck, Check, Problem, Refused
from lms.certificates.verifier.tokens import SHAPE, decode, read_token
from lms.core.errors import DomainError
from lms.core.outgoing import fetch

LARGEST = 4 * 1024 * 1024  # bytes of a list as it is sent
LARGEST_UNPACKED = 16 * 1024 * 1024
SMALLEST_UNPACKED = 16 * 1024  # bytes: 131,072 entries, section 3.2
SECONDS = 4.0
PURPOSES = {"revocation": Check.NOT_REVOKED, "suspension": Check.NOT_SUSPENDED}

_kept: Kept[dict[str, Any]] = Kept(seconds=60, most=64)


def check_status(document: Mapping[str, Any], now: datetime) -> dict[Check, bool]:
    """Each purpose for which the issuer keeps a list, and whether the credential is clean.

    Empty when the credential names no list. Raises CannotCheck.
    """
    entries = document.get("credentialStatus")
    if entries is None:
        return {}
    found: dict[Check, bool] = {}
    listed = entries if isinstance(entries, list) else [entries]
    if not listed or len(listed) > 4:
        raise CannotCheck(Problem.STATUS_KIND)
    for entry in listed:
        check, is_clean = _check_entry(entry, issuer_of(document), now)
        found[check] = found.get(check, True) and is_clean
    return found


def _check_entry(entry: object, issuer: str, now: datetime) -> tuple[Check, bool]:
    if not isinstance(entry, dict) or entry.get("type") not in (
        "BitstringStatusListEntry",
        ["BitstringStatusListEntry"],
    ):
        raise CannotCheck(Problem.STATUS_KIND)
    purpose, address = entry.get("statusPurpose"), entry.get("statusListCredential")
    index = str(entry.get("statusListIndex"))
    size = entry.get("statusSize", 1)
    if purpose not in PURPOSES or size != 1 or not isinstance(address, str):
        raise CannotCheck(Problem.STATUS_KIND)
    if not index.isascii() or not index.isdigit() or len(index) > 9:
        raise CannotCheck(Problem.STATUS_INVALID)
    listed = _kept.get(f"{issuer} {address}", lambda: _list_at(address, issuer))
    subject = listed["subject"]
    if not _is_valid_now(listed["document"], now) or subject.get("statusPurpose") not in (
        purpose,
        [purpose],
    ):
        raise CannotCheck(Problem.STATUS_INVALID)
    bits: bytes = listed["bits"]
    place = int(index)
    if place >= len(bits) * 8:
        raise CannotCheck(Problem.STATUS_INVALID)
    return PURPOSES[purpose], not bits[place // 8] >> (7 - place % 8) & 1


def _is_valid_now(document: Mapping[str, Any], now: datetime) -> bool:
    begins, ends = (instant_of(document.get(name)) for name in ("validFrom", "validUntil"))
    if ("validFrom" in document and begins is None) or ("validUntil" in document and ends is None):
        return False
    return (begins is None or begins <= now) and (ends is None or now < ends)


def _list_at(address: str, issuer: str) -> dict[str, Any]:
    """The list at an address, its signature by the issuer proven. Raises CannotCheck."""
    try:
        text = fetch(address, at_most=LARGEST, seconds=SECONDS)
    except (OSError, DomainError):
        raise CannotCheck(Problem.STATUS_AWAY) from None
    try:
        shown = text.decode("ascii").strip() if text[:2] == b"ey" else ""
        if SHAPE.fullmatch(shown):
            document = read_token(shown).document
            proofs.prove_token(read_token(shown))
        else:
            document = read_object(text, LARGEST)
            proofs.prove_document(document)
    except (BadJson, UnicodeDecodeError, Refused):
        raise CannotCheck(Problem.STATUS_INVALID) from None
    subject = document.get("credentialSubject")
    if (
        issuer_of(document) != issuer
        or document.get("id", address) != address
        or not isinstance(subject, dict)
        or subject.get("type") not in ("BitstringStatusList", ["BitstringStatusList"])
    ):
        raise CannotCheck(Problem.STATUS_INVALID)
    return {"document": document, "subject": subject, "bits": _unpack(subject.get("encodedList"))}


def _unpack(encoded: object) -> bytes:
    """The bits of a list: multibase of gzip, never unpacked beyond what is allowed."""
    if not isinstance(encoded, str) or not encoded.startswith("u"):
        raise CannotCheck(Problem.STATUS_INVALID)
    try:
        unpacker = zlib.decompressobj(wbits=31)
        bits = unpacker.decompress(decode(encoded[1:]), LARGEST_UNPACKED + 1)
    except (BadJson, zlib.error):
        raise CannotCheck(Problem.STATUS_INVALID) from None
    if not SMALLEST_UNPACKED <= len(bits) <= LARGEST_UNPACKED or not unpacker.eof:
        raise CannotCheck(Problem.STATUS_INVALID)
    return bits
