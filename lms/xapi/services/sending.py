"""One request to another store: kept JSON as it is, and what the answer means.

The kept text is sent byte for byte, with the version header of its own statements. A client
library would read and write it anew, and lose what it does not know: extensions with null, the
form of numbers, all that version 2.0 added.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import orjson

from lms.core import outgoing
from lms.core.db import db
from lms.xapi.services.attachments import kept_parts

TIMEOUT = 30  # seconds, for each wait
_MOST_PATIENCE = 3600  # seconds
_MAY_PASS = (401, 403, 404, 408, 425, 429)  # refused for now, not for what the statement says


@dataclass(frozen=True)
class Parcel:
    """One statement on its way: primary key, JSON text, and whether attachments go with it."""

    primary_key: int
    document: str
    has_parts: bool = False

    @property
    def version(self) -> str:
        """What X-Experience-API-Version says: 2.0.0 for a statement of 2.0, else 1.0.3."""
        version = str(orjson.loads(self.document).get("version", "1.0.0"))
        return "2.0.0" if version.startswith("2.") else "1.0.3"


@dataclass(frozen=True)
class OtherStore:
    """Where to send, and with which credentials."""

    endpoint: str
    username: str
    password: str


class Away(Exception):
    """The other store may take the statements later; `wait` is how many seconds it asks for."""

    def __init__(self, words: str, wait: int = 0) -> None:
        self.wait = wait
        super().__init__(words)


Refusal = tuple[int, str]  # primary key, the other store's words


def send_all(
    store: OtherStore, parcels: Sequence[Parcel], before_each: Callable[[], None]
) -> list[Refusal]:
    """Send in order; returns what the other store will never take, with its words.

    before_each: called before every further request. Raises Away when it may take them later.
    """
    refused: list[Refusal] = []
    is_first = True
    for (version, _alone), group in groupby(parcels, key=_together):
        if not is_first:
            before_each()
        is_first = False
        refused += _send(store, version, list(group), before_each)
    return refused


def _together(parcel: Parcel) -> tuple[str, int]:
    """What is the same for statements that one request takes; attachments travel alone."""
    return parcel.version, parcel.primary_key if parcel.has_parts else 0


def _send(
    store: OtherStore, version: str, parcels: list[Parcel], before_each: Callable[[], None]
) -> list[Refusal]:
    answer = _post(store, version, parcels)
    if answer.status in (200, 204):
        return []
    if not 400 <= answer.status < 500 or answer.status in _MAY_PASS:
        raise Away(f"the other store answers {answer.status}", _patience(answer))
    if len(parcels) == 1:
        if answer.status == 409:  # it has a statement with this id: sent before
            return []
        words = answer.body.decode(errors="replace")
        return [(parcels[0].primary_key, f"{answer.status}: {words}"[:500])]
    middle = len(parcels) // 2
    refused: list[Refusal] = []
    for half in (parcels[:middle], parcels[middle:]):
        before_each()
        refused += _send(store, version, half, before_each)
    return refused


def _post(store: OtherStore, version: str, parcels: Sequence[Parcel]) -> outgoing.Answer:
    token = base64.b64encode(f"{store.username}:{store.password}".encode()).decode()
    body, content_type = _body(parcels)
    headers = {
        "Authorization": f"Basic {token}",
        "X-Experience-API-Version": version,
        "Content-Type": content_type,
        "User-Agent": "Puente",
    }
    try:
        return outgoing.send("POST", f"{store.endpoint}statements", body, headers, timeout=TIMEOUT)
    except OSError as error:
        raise Away(str(error) or type(error).__name__) from error
    except outgoing.AddressRefused as error:
        raise Away(str(error.text)) from error


def _body(parcels: Sequence[Parcel]) -> tuple[bytes, str]:
    """Body and content type: JSON, or multipart/mixed with the attachments (1.0.3, 2.4.11)."""
    text = f"[{','.join(parcel.document for parcel in parcels)}]".encode()
    if not any(parcel.has_parts for parcel in parcels):
        return text, "application/json"
    boundary = secrets.token_hex(16)
    parts = [b"Content-Type: application/json\r\n\r\n" + text]
    for sha2, content_type, content in kept_parts([p.document for p in parcels]):
        head = (
            f"Content-Type: {content_type}\r\n"
            "Content-Transfer-Encoding: binary\r\n"
            f"X-Experience-API-Hash: {sha2}\r\n\r\n"
        )
        parts.append(head.encode() + content)
    db.session.rollback()  # no transaction stays open while the other side answers
    line = f"--{boundary}".encode()
    body = b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"
    return body, f"multipart/mixed; boundary={boundary}"


def _patience(answer: outgoing.Answer) -> int:
    value = answer.headers.get("retry-after", "")
    return min(int(value), _MOST_PATIENCE) if value.isdecimal() and len(value) < 10 else 0
