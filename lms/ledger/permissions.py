"""Who may read the ledger and close its months."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission

PERMISSIONS = [
    Permission("ledger.read", lazy_gettext("Read the ledger and check it")),
    Permission("ledger.close", lazy_gettext("Close months of the ledger")),
]
