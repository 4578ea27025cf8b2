from __future__ import annotations

from lms.core.db import db
from lms.pricing.services.tiers import ensure_tiers


def make_tiers() -> None:
    """The tiers and exceptions of a new installation."""
    ensure_tiers()
    db.session.commit()
