"""Who may read invoices, and who administers sellers and tax rows."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.accounts.queries import accounts_of
from lms.invoicing.models import Invoice


def _is_buyer(user: User, invoice: Invoice) -> bool:
    return invoice.user_id == user.id or invoice.user_id in accounts_of(user.id)


PERMISSIONS = [
    Permission("invoicing.read", lazy_gettext("Download one's own invoices"), _is_buyer),
    Permission(
        "invoicing.administer", lazy_gettext("Administer sellers and tax, and read all invoices")
    ),
]
