"""What tests of certificates share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lms.certificates.verifier import issuers, status
from tests.certificates.other_issuer import OtherIssuer, served


@pytest.fixture
def other(app, monkeypatch) -> Iterator[OtherIssuer]:
    """An issuer elsewhere, on this machine, to which verification may go in this test."""
    changed = app.extensions["settings"].model_copy(update={"verify_local": True})
    monkeypatch.setitem(app.extensions, "settings", changed)
    issuers._kept.forget()
    status._kept.forget()
    with served() as issuer:
        yield issuer
