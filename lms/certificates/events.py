"""What happens to certificates."""

from __future__ import annotations

from dataclasses import dataclass

from lms.certificates.models import Credential
from lms.core.events import Event


@dataclass(frozen=True)
class CredentialIssued(Event):
    """A certificate was issued and signed, for the first time or in place of another."""

    credential: Credential


@dataclass(frozen=True)
class CredentialRevoked(Event):
    """A certificate is no longer valid."""

    credential: Credential
