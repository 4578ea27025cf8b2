"""What administrators write about selling: seller, bank account, refund rule."""

from __future__ import annotations

from typing import Any

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import db
from lms.core.models import SiteSetting

NAMES = ("seller", "bank_account", "refund_rule")


def selling_settings() -> dict[str, dict[str, Any]]:
    """All that is set, by the name of the site setting."""
    found = {name: db.session.get(SiteSetting, name) for name in NAMES}
    return {name: dict(row.value) if row else {} for name, row in found.items()}


def keep_selling_settings(values: dict[str, dict[str, Any]], by: User) -> None:
    """Keep what was written; receipts that exist already keep the seller of their day."""
    for name in NAMES:
        row = db.session.get(SiteSetting, name)
        wanted = {key: text for key, text in values[name].items() if text}
        if row is None:
            row = SiteSetting(name=name, value=wanted)
            db.session.add(row)
        elif row.value == wanted:
            continue
        else:
            row.value = wanted
        record("payments.change_settings", row, by.id, setting=name)
