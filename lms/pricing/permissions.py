"""Who may set prices."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission

PERMISSIONS = [
    Permission(
        "pricing.administer", lazy_gettext("Set tiers, exceptions, contracts, and decide on proofs")
    ),
]
