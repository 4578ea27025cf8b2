"""Signing the documents of a credential, and remembering what was signed."""

from __future__ import annotations

from lms.certificates.data_integrity import sign
from lms.certificates.models import Credential
from lms.certificates.open_badge import fingerprint, make_document, to_text, verification_method
from lms.certificates.services import keys


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
    credential.document_digests = [*credential.document_digests, fingerprint(made)]
    return to_text(made)
