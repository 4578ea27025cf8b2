"""The signed Open Badges 3.0 credential: as JSON with its proof, and as a token."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.certificates.credential_formats.base import CredentialFormat
from lms.certificates.errors import NotYetSigned
from lms.certificates.models import Credential


class OpenBadge(CredentialFormat):
    """The holder's own document, as it was signed when the certificate was issued."""

    name = "open_badge"
    label = lazy_gettext("Digital credential for wallets (Open Badges 3.0)")
    media_type = "application/vc+ld+json"
    file_ending = "json"

    def make(self, credential: Credential) -> bytes:
        """The signed JSON."""
        return credential.document.encode()

    def make_public(self, credential: Credential) -> bytes:
        """The signed JSON that strangers get."""
        return credential.shown_document.encode()


class WebToken(CredentialFormat):
    """The same credential as a JSON Web Token (RS256)."""

    name = "web_token"
    label = lazy_gettext("Digital credential as a token (JWT)")
    media_type = "text/plain; charset=utf-8"
    file_ending = "jwt"

    def make(self, credential: Credential) -> bytes:
        """The holder's token. Raises NotYetSigned."""
        return _ready(credential.token)

    def make_public(self, credential: Credential) -> bytes:
        """The token that strangers get. Raises NotYetSigned."""
        return _ready(credential.shown_token)


def _ready(token: str | None) -> bytes:
    if token is None:
        raise NotYetSigned
    return token.encode()
