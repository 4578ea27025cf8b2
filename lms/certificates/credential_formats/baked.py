"""The badge of the course as a picture that holds the signed credential."""

from __future__ import annotations

import uuid

from flask_babel import lazy_gettext

from lms.certificates.badge_image import draw_png, draw_svg
from lms.certificates.baking import bake_png, bake_svg
from lms.certificates.credential_formats.base import CredentialFormat
from lms.certificates.models import Credential


def _course(credential: Credential) -> uuid.UUID:
    return uuid.UUID(credential.facts["course"]["uuid"])


class BakedPng(CredentialFormat):
    """The badge as PNG, for profiles and backpacks."""

    name = "baked_png"
    label = lazy_gettext("Badge with the credential inside (PNG)")
    media_type = "image/png"
    file_ending = "png"

    def make(self, credential: Credential) -> bytes:
        """The picture with the holder's document."""
        return bake_png(draw_png(_course(credential)), credential.document)

    def make_public(self, credential: Credential) -> bytes:
        """The picture with the document that strangers get."""
        return bake_png(draw_png(_course(credential)), credential.shown_document)


class BakedSvg(CredentialFormat):
    """The badge as SVG: sharp at any size."""

    name = "baked_svg"
    label = lazy_gettext("Badge with the credential inside (SVG)")
    media_type = "image/svg+xml"
    file_ending = "svg"

    def make(self, credential: Credential) -> bytes:
        """The drawing with the holder's document."""
        return self._baked(credential, credential.document)

    def make_public(self, credential: Credential) -> bytes:
        """The drawing with the document that strangers get."""
        return self._baked(credential, credential.shown_document)

    def _baked(self, credential: Credential, document: str) -> bytes:
        drawn = draw_svg(_course(credential), credential.course_title)
        return bake_svg(drawn, document).encode()
