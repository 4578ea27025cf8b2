"""Who may buy, see an order and administer payments."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission
from lms.courses.errors import EnrolmentClosed
from lms.courses.models import CourseRun, PublicationState
from lms.directory.queries import is_manager
from lms.payments.bank_models import BankAccount
from lms.payments.models import Order


def _may_buy(user: User, run: CourseRun) -> bool:
    return run.state == PublicationState.PUBLISHED and run.course.is_published


def _is_buyer(user: User, order: Order) -> bool:
    return order.user_id == user.id


def _runs_account(user: User, account: BankAccount) -> bool:
    return account.organisation is not None and is_manager(user, account.organisation)


PERMISSIONS = [
    Permission(
        "payments.buy",
        lazy_gettext("Buy a place in a course run"),
        _may_buy,
        administrators=False,
        refusal=EnrolmentClosed.message,
    ),
    Permission(
        "payments.buy_item",
        lazy_gettext("Buy what is offered to one"),
        lambda user, subject: True,  # what is offered to whom, the product says
        administrators=False,
    ),
    Permission(
        "payments.see_order",
        lazy_gettext("See and pay one's own orders"),
        _is_buyer,
        administrators=False,
    ),
    Permission(
        "payments.see_purchase",
        lazy_gettext("See and pay what one buys at once"),
        lambda user, purchase: purchase.user_id == user.id,
        administrators=False,
    ),
    Permission(
        "payments.see_orders", lazy_gettext("List one's own orders"), lambda user, subject: True
    ),
    Permission(
        "payments.read_bank_files",
        lazy_gettext("Upload and confirm files of a bank account"),
        _runs_account,
    ),
    Permission(
        "payments.administer", lazy_gettext("See all orders, confirm transfers, give money back")
    ),
]
