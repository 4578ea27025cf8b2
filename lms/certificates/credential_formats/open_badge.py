"""The signed Open Badges 3.0 credential."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.certificates.credential_formats.base import CredentialFormat
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
