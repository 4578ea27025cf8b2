"""Signing the documents of a credential, and remembering what was signed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from hmac import compare_digest

from lms.certificates import web_token
from lms.certificates.data_integrity import sign
from lms.certificates.models import Credential, IssuerKey, KeyUse
from lms.certificates.open_badge import fingerprint, make_document, to_text, verification_method
from lms.certificates.services import keys
from lms.core.sealing import mac


@dataclass(frozen=True)
class Signed:
    """One content, signed twice: as JSON with a Data Integrity proof, and as a JSON Web Token."""

    document: str
    token: str


def sign_all(credential: Credential, email: str | None) -> None:
    """Sign the holder's document and, when the holder hides something, the one for strangers.

    Raises IssuerKeyUnavailable.
    """
    signed = sign_document(credential, email)
    credential.document, credential.token = signed.document, signed.token
    sign_public(credential)


def sign_public(credential: Credential) -> None:
    """Sign what strangers get, as the holder has chosen. Raises IssuerKeyUnavailable."""
    if credential.hides_nothing:
        credential.public_document = credential.public_token = None
        return
    signed = sign_document(
        credential,
        None,
        names_holder=credential.shows_name,
        tells_grade=credential.shows_grade,
    )
    credential.public_document, credential.public_token = signed.document, signed.token


def sign_document(
    credential: Credential,
    email: str | None,
    *,
    names_holder: bool = True,
    tells_grade: bool = True,
    holder: str | None = None,
) -> Signed:
    """The signed documents of the credential; their digests are kept with the credential.

    holder: the DID of the holder's key, for a wallet. The keys that sign now sign, also when older
    ones signed before. Raises IssuerKeyUnavailable.
    """
    key = keys.signing_key()
    made = sign(
        make_document(
            credential, email, names_holder=names_holder, tells_grade=tells_grade, holder=holder
        ),
        keys.private_key(key),
        verification_method(key.kid),
        credential.issued_at,
    )
    document = to_text(made)
    _remember(credential, document, fingerprint(made), key)
    return Signed(document, sign_token(credential, document))


def sign_token(credential: Credential, document: str) -> str:
    """A signed document once more, as a token."""
    key = keys.signing_key(KeyUse.TOKEN)
    token = web_token.sign_token(
        json.loads(document), keys.private_token_key(key), verification_method(key.kid)
    )
    _remember(credential, token, token_digest(token), key)
    return token


def _remember(credential: Credential, text: str, digest: str, key: IssuerKey) -> None:
    if digest not in credential.document_digests:
        credential.document_digests = [*credential.document_digests, digest]
    credential.document_macs = [*credential.document_macs, _mac(text, key.public_key)]


def token_digest(token: str) -> str:
    """SHA-256 of a token, as it is kept among the digests of what was signed."""
    return hashlib.sha256(token.encode()).hexdigest()


def was_signed_here(credential: Credential, document: str, public_key: str) -> bool:
    """Whether this site signed this very text (a document or a token) with this key: one hash
    says so.

    To prove the signature itself, the document is made canonical, which takes a hundred times as
    long. Who can write to the database but has not the site's secret, with which the issuer's keys
    are sealed too, cannot make the word that is compared here.
    """
    wanted = _mac(document, public_key)
    return any(compare_digest(wanted, known) for known in credential.document_macs)


def _mac(document: str, public_key: str) -> str:
    return mac(f"{public_key} {document}", "signed-document")
