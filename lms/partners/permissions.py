"""Who may write agreements, and who may read and accept them."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.directory.queries import is_manager
from lms.partners import queries
from lms.partners.collecting_models import Collector
from lms.partners.models import Agreement, PartnerStatement
from lms.partners.services.collecting import collects_from


def _is_partner(user: User, subject: Any) -> bool:
    return queries.manages_a_partner(user)


def _is_party(user: User, agreement: Agreement) -> bool:
    return any(queries.manages_a_party(user, version) for version in agreement.versions)


def _is_stated_to(user: User, statement: PartnerStatement) -> bool:
    return is_manager(user, statement.organisation)


def _is_of_collector(user: User, collector: Collector) -> bool:
    return is_manager(user, collector.organisation)


PERMISSIONS = [
    Permission("partners.administer", lazy_gettext("Write agreements, send statements, pay")),
    Permission(
        "partners.see_own", lazy_gettext("See the shares of one's institution"), _is_partner
    ),
    Permission(
        "partners.collect",
        lazy_gettext("Confirm what one's institution collected, and what it sent back"),
        _is_of_collector,
    ),
    Permission(
        "partners.see_collector",
        lazy_gettext("See where to pay a partner"),
        lambda user, collector: _is_of_collector(user, collector) or collects_from(user, collector),
    ),
    Permission("partners.see_agreement", lazy_gettext("Read an agreement"), _is_party),
    Permission(
        "partners.sign", lazy_gettext("Accept an agreement"), _is_party, administrators=False
    ),
    Permission("partners.see_statement", lazy_gettext("Read a statement"), _is_stated_to),
    Permission(
        "partners.answer",
        lazy_gettext("Accept or contest a statement"),
        _is_stated_to,
        administrators=False,
    ),
]
