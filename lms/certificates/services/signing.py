"""Signing the documents of a credential, and remembering what was signed."""

from __future__ import annotations

from hmac import compare_digest

from lms.certificates.data_integrity import sign
from lms.certificates.models import Credential
from lms.certificates.open_badge import fingerprint, make_document, to_text, verification_method
from lms.certificates.services import keys
from lms.core.sealing import mac


def sign_document(credential: Credential, email: str | None, *, names_holder: bool) -> str:
    """A signed document of the credential as text; its fingerprint is kept with the credential.

    The key that signs now signs, also when an older one signed before. Raises
    IssuerKeyUnavailable.
    """
    key = keys.signing_key()
    made = sign(
        make_document(credential, email, names_holder=names_holder),
        keys.private_key(key),
        verification_method(key.kid),
        credential.issued_at,
    )
    text = to_text(made)
    credential.document_digests = [*credential.document_digests, fingerprint(made)]
    credential.document_macs = [*credential.document_macs, _mac(text, key.public_key)]
    return text


def was_signed_here(credential: Credential, document: str, public_key: str) -> bool:
    """Whether this site signed this very text with this key: one hash says so.

    To prove the signature itself, the document is made canonical, which takes a hundred times as
    long. Who can write to the database but has not the site's secret, with which the issuer's keys
    are sealed too, cannot make the word that is compared here.
    """
    wanted = _mac(document, public_key)
    return any(compare_digest(wanted, known) for known in credential.document_macs)


def _mac(document: str, public_key: str) -> str:
    return mac(f"{public_key} {document}", "signed-document")
