"""What the page that works without a network keeps: keys, and how each certificate stands.

A snapshot is a JSON Web Token of this site. It names no code and no person: codes and files stand
there by the beginning of their SHA-256, so that only who has one finds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
from joserfc import jws
from sqlalchemy import select

from lms.certificates import queries, web_token
from lms.certificates.models import Credential, KeyUse, RevocationReason
from lms.certificates.open_badge import issuer_did, verification_method
from lms.certificates.services import keys
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound

GOOD_FOR = timedelta(days=7)
MOST = 50_000  # certificates, the newest
DIGITS = 20  # hexadecimal, of a SHA-256


def short(digest: str) -> str:
    """The beginning of a digest, by which something is found."""
    return digest[:DIGITS]


def make_snapshot() -> str:
    """How all certificates stand now, as a token (RS256) that is good for a week.

    Raises NotFound on a site that has issued nothing yet, IssuerKeyUnavailable.
    """
    key = queries.find_signing_key(KeyUse.TOKEN)
    if key is None:
        raise NotFound
    now = clock.now()
    payload = {
        "iss": issuer_did(),
        "iat": int(now.timestamp()),
        "exp": int((now + GOOD_FOR).timestamp()),
        "keys": keys.key_set()["keys"],
        "certificates": list(_certificates()),
    }
    header = {"alg": web_token.ALGORITHM, "kid": verification_method(key.kid), "typ": "JWT"}
    return jws.serialize_compact(
        header, orjson.dumps(payload), keys.private_token_key(key), [web_token.ALGORITHM]
    )


def _certificates() -> Iterator[list[Any]]:
    """Of each: its code, its state, the second at which it ends (0: never), its files."""
    rows = db.session.execute(
        select(
            Credential.code,
            Credential.revoked_at,
            Credential.revocation_reason,
            Credential.valid_until,
            Credential.document_digests,
            Credential.pdf_digests,
        )
        .order_by(Credential.id.desc())
        .limit(MOST)
    )
    for code, revoked_at, reason, ends, documents, pdfs in rows:
        state = "valid"
        if revoked_at is not None:
            is_superseded = reason == RevocationReason.SUPERSEDED
            state = "superseded" if is_superseded else "revoked"
        files = [short(digest) for digest in (*documents, *pdfs)]
        seconds = int(ends.timestamp()) if ends else 0
        yield [short(hashlib.sha256(code.encode()).hexdigest()), state, seconds, files]
