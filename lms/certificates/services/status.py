"""Bitstring status lists (W3C): who wants to know of one credential fetches the list of all.

Indexes are drawn at random, so that neighbours in the list say nothing about the order of issue.
"""

from __future__ import annotations

import base64
import gzip
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer

from lms.certificates import queries
from lms.certificates.data_integrity import CREDENTIALS_V2, instant, sign
from lms.certificates.models import Credential, StatusList, StatusPlace
from lms.certificates.open_badge import issuer_did, status_address, to_text, verification_method
from lms.certificates.services import keys
from lms.core import clock
from lms.core.db import db

SIZE = 131_072  # bits: the smallest size that hides one holder among many
VALID_FOR = timedelta(hours=72)
SIGN_AGAIN_AFTER = timedelta(hours=24)


def encode(bits: bytes) -> str:
    """The list as it stands in the credential: multibase of gzip, equal for equal bits."""
    return "u" + base64.urlsafe_b64encode(gzip.compress(bits, mtime=0)).decode().rstrip("=")


def bit(bits: bytes, index: int) -> bool:
    """One entry; index 0 is the first byte's highest bit."""
    return bool(bits[index // 8] >> (7 - index % 8) & 1)


def with_bit(bits: bytes, index: int) -> bytes:
    """The list with one entry set."""
    changed = bytearray(bits)
    changed[index // 8] |= 1 << (7 - index % 8)
    return bytes(changed)


def describe_list(address: str, issuer: str, bits: bytes, now: datetime) -> dict[str, Any]:
    """A list without its proof."""
    return {
        "@context": [CREDENTIALS_V2],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": instant(now),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encode(bits),
        },
    }


def status_entry(address: str, index: int) -> dict[str, str]:
    """Where a credential stands in a list, as the credential says it."""
    return {
        "id": f"{address}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(index),
        "statusListCredential": address,
    }


def _sign(status_list: StatusList) -> None:
    now = clock.now().replace(microsecond=0)
    key = keys.signing_key()
    status_list.signed_at = now
    status_list.valid_until = now + VALID_FOR
    address = status_address(status_list.number)
    document = {
        **describe_list(address, issuer_did(), status_list.bits, now),
        "validUntil": instant(now + VALID_FOR),
    }
    method = verification_method(key.kid)
    status_list.document = to_text(sign(document, keys.private_key(key), method, now))


def _make_list(number: int) -> StatusList:
    made = StatusList(number=number, bits=bytes(SIZE // 8), document="")
    _sign(made)
    db.session.add(made)
    db.session.flush()
    return made


def take_place() -> tuple[StatusList, int]:
    """A free place at random in the list that takes new credentials.

    A new list is begun when half of the last one is used. How much is used is counted only when a
    draw hits a place that is taken, which is rare while a list is nearly empty.
    """
    newest = db.session.scalar(
        select(StatusList)
        .options(defer(StatusList.bits), defer(StatusList.document))
        .order_by(StatusList.number.desc())
        .limit(1)
    )
    status_list = newest or _begin_list(1)
    while True:
        index = secrets.randbelow(SIZE)
        of_list = Credential.status_list_id == status_list.id
        taken = select(Credential.id).where(of_list, Credential.status_index == index)
        kept = select(StatusPlace.id).where(
            StatusPlace.status_list_id == status_list.id, StatusPlace.status_index == index
        )
        if db.session.scalar(taken.union_all(kept)) is None:
            return status_list, index
        used = db.session.scalar(select(func.count()).where(of_list)) or 0
        if used >= SIZE // 2:
            status_list = _begin_list(status_list.number + 1)


def _begin_list(number: int) -> StatusList:
    try:
        with db.session.begin_nested():
            return _make_list(number)
    except IntegrityError:  # another server made it at the same time
        return queries.get_status_list(number)


def keep_place(identifier: str) -> StatusPlace:
    """A place for a credential of another room; identifier: its id."""
    status_list, index = take_place()
    place = StatusPlace(identifier=identifier, status_list=status_list, status_index=index)
    db.session.add(place)
    db.session.flush()
    return place


def entry_of(place: StatusPlace) -> dict[str, str]:
    """What the credential says of its place."""
    return status_entry(status_address(place.status_list.number), place.status_index)


def revoke_place(place: StatusPlace) -> None:
    """Take back a credential of another room. Safe to repeat."""
    if place.revoked_at is None:
        place.revoked_at = clock.now()
        _set_bit(place.status_list_id, place.status_index)


def set_revoked(credential: Credential) -> None:
    """Set the credential's bit and sign the list, in the transaction of the revocation."""
    _set_bit(credential.status_list_id, credential.status_index)


def _set_bit(list_id: int, index: int) -> None:
    status_list = db.session.execute(
        select(StatusList)
        .where(StatusList.id == list_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    status_list.bits = with_bit(status_list.bits, index)
    _sign(status_list)
    db.session.flush()


def sign_again() -> int:
    """Sign the lists whose signature is a day old; returns how many."""
    old = db.session.scalars(
        select(StatusList)
        .where(StatusList.signed_at < clock.now() - SIGN_AGAIN_AFTER)
        .with_for_update()
    ).all()
    for status_list in old:
        _sign(status_list)
    db.session.flush()
    return len(old)
