"""Who may buy, see an order and administer payments."""

from __future__ import annotations

from flask import session
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission, present_user
from lms.core.site_settings import read
from lms.courses.errors import EnrolmentClosed
from lms.courses.models import CourseRun, PublicationState
from lms.directory.queries import is_manager
from lms.payments.bank_models import BankAccount
from lms.payments.models import Order
from lms.payments.seat_models import Seat, SeatBlock
from lms.payments.services.guests import GuestSales

GUEST_ORDERS = "guest_orders"  # where the session keeps which orders were made without an account


def _may_buy(user: User, run: CourseRun) -> bool:
    return run.state == PublicationState.PUBLISHED and run.course.is_published


def _may_strangers_buy(run: CourseRun) -> bool:
    is_for_sale = run.state == PublicationState.PUBLISHED and run.course.is_published
    return is_for_sale and present_user() is None and read(GuestSales).is_open


def is_bought_here(order: Order) -> bool:
    """Whether somebody without an account made the order in this browser, and nobody claimed it."""
    return order.uuid.hex in session.get(GUEST_ORDERS, ()) and order.user.is_waiting


def _is_buyer(user: User, order: Order) -> bool:
    return order.user_id == user.id


def _runs_account(user: User, account: BankAccount) -> bool:
    return account.organisation is not None and is_manager(user, account.organisation)


def _may_buy_seats(user: User, run: CourseRun) -> bool:
    return bool(run.price) and _may_buy(user, run)


def _manages_block(user: User, block: SeatBlock) -> bool:
    """The buyer, and managers of the organisation that it was bought for."""
    if block.user_id == user.id:
        return True
    return block.organisation is not None and is_manager(user, block.organisation)


def _sits_on(user: User, seat: Seat) -> bool:
    return seat.enrolment is not None and seat.enrolment.user_id == user.id


PERMISSIONS = [
    Permission(
        "payments.buy_seats",
        lazy_gettext("Buy places for others"),
        _may_buy_seats,
        administrators=False,
        refusal=EnrolmentClosed.message,
    ),
    Permission(
        "payments.manage_seats",
        lazy_gettext("Give away places that one bought for others"),
        _manages_block,
        administrators=False,
    ),
    Permission(
        "payments.list_seats",
        lazy_gettext("List the places that one bought for others"),
        lambda user, subject: True,
    ),
    Permission(
        "payments.take_seat",
        lazy_gettext("Take a place that somebody else paid for"),
        lambda user, subject: True,  # who has the link or the code
        administrators=False,
    ),
    Permission(
        "payments.share_result",
        lazy_gettext("Let who paid see whether one completes the course"),
        _sits_on,
        administrators=False,
    ),
    Permission(
        "payments.buy",
        lazy_gettext("Buy a place in a course run"),
        _may_buy,
        administrators=False,
        strangers=_may_strangers_buy,
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
        strangers=is_bought_here,
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
