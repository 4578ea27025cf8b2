"""What a format of credentials must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from flask_babel.speaklater import LazyString

from lms.certificates.models import Credential
from lms.core.registry import Registered


class CredentialFormat(ABC):
    """One kind of document. A plugin gives one instance through the hook `credential_formats`."""

    name: ClassVar[str]
    label: ClassVar[str | LazyString]  # "Open Badges 3.0 (JSON)"
    media_type: ClassVar[str]
    file_ending: ClassVar[str]

    @abstractmethod
    def make(self, credential: Credential) -> bytes:
        """The document, for the holder: it may name the person. It says the same each time."""

    def make_public(self, credential: Credential) -> bytes | None:
        """The document for everybody, served at `/verify/<code>.<file_ending>`: it names nobody
        who shows only initials. None when there is none for strangers."""
        return None


credential_formats: Registered[CredentialFormat] = Registered(
    "credential_formats",
    CredentialFormat,  # type: ignore[type-abstract]
)
