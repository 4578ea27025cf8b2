"""Learner records: what a holder takes along of their certificates, in one signed file."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from lms.accounts.models import User
from lms.certificates import queries, web_token
from lms.certificates.data_integrity import sign
from lms.certificates.errors import NothingChosen, TooManyChosen
from lms.certificates.learner_record import make_record
from lms.certificates.models import KeyUse
from lms.certificates.open_badge import verification_method
from lms.certificates.services import keys
from lms.core import clock

MOST = 40  # certificates in one record, so that every verifier can read it


def make(user: User, codes: Collection[str], *, as_token: bool, as_shown: bool) -> str:
    """The signed record of those of a person's valid certificates that have these codes.

    as_token: as a JSON Web Token instead of JSON. as_shown: as strangers see them, without what
    the holder hides. The record is not kept. Raises NothingChosen, TooManyChosen and
    IssuerKeyUnavailable.
    """
    mine = queries.list_valid_of_holder(user)
    chosen = [credential for credential in mine if credential.code in codes]
    if not chosen:
        raise NothingChosen
    if len(chosen) > MOST:
        raise TooManyChosen
    names = not as_shown or all(credential.shows_name for credential in chosen)
    now = clock.now().replace(microsecond=0)
    document = make_record(
        [one.shown_document if as_shown else one.document for one in chosen],
        now,
        name=chosen[0].holder_name if names else None,
        email=user.email if names and not as_shown else None,
        is_partial=len(chosen) < len(mine),
    )
    if as_token:
        key = keys.signing_key(KeyUse.TOKEN)
        private = keys.private_token_key(key)
        return web_token.sign_token(document, private, verification_method(key.kid))
    key = keys.signing_key()
    signed = sign(document, keys.private_key(key), verification_method(key.kid), now)
    return orjson.dumps(signed).decode()
