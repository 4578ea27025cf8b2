"""Messages about orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext

from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.notifications.kinds import NotificationKind
from lms.payments.services.seats import link_token


def _course(values: Mapping[str, Any]) -> str:
    return in_language(values["course"])


def _order_url(values: Mapping[str, Any]) -> str:
    return absolute_url("payments.show_order", order_uuid=values["order"])


def _how_to_pay_url(values: Mapping[str, Any]) -> str:
    if "purchase" in values:
        return absolute_url("payments.show_purchase", purchase_uuid=values["purchase"])
    return _order_url(values)


def _block_url(values: Mapping[str, Any]) -> str:
    return absolute_url("payments.show_block", block_uuid=values["block"])


def _administration_url(values: Mapping[str, Any]) -> str:
    return absolute_url("payments.admin_order", order_uuid=values["order"])


KINDS = [
    NotificationKind(
        name="payments.receipt",
        label=lazy_gettext("Receipts"),
        subject=lambda values: _("Your receipt for %(course)s", course=_course(values)),
        template="payments/mail/receipt.md",
        link=_order_url,
        can_turn_off=False,
        channels=("page",),  # the mail carries the PDF: see jobs.mail_receipt
    ),
    NotificationKind(
        name="payments.transfer_instructions",
        label=lazy_gettext("How to pay by bank transfer"),
        subject=lambda values: _("How to pay for %(course)s", course=_course(values)),
        template="payments/mail/transfer_instructions.md",
        link=_how_to_pay_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.invoiced",
        label=lazy_gettext("Orders on invoice"),
        subject=lambda values: _("Your order %(number)s on invoice", number=values["number"]),
        template="payments/mail/invoiced.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.offer_made",
        label=lazy_gettext("Offers that you asked for"),
        subject=lambda values: _(
            "Our offer %(number)s: %(course)s", number=values["number"], course=_course(values)
        ),
        template="payments/mail/offer_made.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.offer_ends",
        label=lazy_gettext("Offers that end soon"),
        subject=lambda values: _("Our offer %(number)s ends soon", number=values["number"]),
        template="payments/mail/offer_ends.md",
        link=_order_url,
    ),
    NotificationKind(
        name="payments.part_received",
        label=lazy_gettext("Parts of a payment that arrived"),
        subject=lambda values: _(
            "We have received a payment for order %(number)s", number=values["number"]
        ),
        template="payments/mail/part_received.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.part_due",
        label=lazy_gettext("Payments that are due soon"),
        subject=lambda values: _("A payment for %(course)s is due", course=_course(values)),
        template="payments/mail/part_due.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.part_late",
        label=lazy_gettext("Payments that are late"),
        subject=lambda values: _("A payment for %(course)s is late", course=_course(values)),
        template="payments/mail/part_late.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.payment_failed",
        label=lazy_gettext("Payments that did not arrive"),
        subject=lambda values: _(
            "Your payment for %(course)s did not arrive", course=_course(values)
        ),
        template="payments/mail/payment_failed.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.refunded",
        label=lazy_gettext("Refunds"),
        subject=lambda values: _("Your refund for %(course)s", course=_course(values)),
        template="payments/mail/refunded.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.run_moved",
        label=lazy_gettext("Course runs that were moved"),
        subject=lambda values: _("%(course)s has other dates", course=_course(values)),
        template="payments/mail/run_moved.md",
        link=_order_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.seat_invitation",
        label=lazy_gettext("Places that others paid for"),
        subject=lambda values: _("A place for you: %(course)s", course=_course(values)),
        template="payments/mail/seat_invitation.md",
        link=lambda values: absolute_url(
            "payments.seat_invitation",
            token=link_token(UUID(hex=values["seat"]), values["round"]),
        ),
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.seat_given_on",
        label=lazy_gettext("Places that were given to somebody else"),
        subject=lambda values: _(
            "Your place in %(course)s was given to somebody else", course=_course(values)
        ),
        template="payments/mail/seat_given_on.md",
        link=lambda values: absolute_url("courses.my_courses"),
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.seats_cancelled",
        label=lazy_gettext("Course runs of your places that are cancelled"),
        subject=lambda values: _("%(course)s does not take place", course=_course(values)),
        template="payments/mail/seats_cancelled.md",
        link=_block_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.seats_moved",
        label=lazy_gettext("Course runs of your places that were moved"),
        subject=lambda values: _("%(course)s has other dates", course=_course(values)),
        template="payments/mail/seats_moved.md",
        link=_block_url,
        can_turn_off=False,
    ),
    NotificationKind(
        name="payments.seats_unused",
        label=lazy_gettext("Places that nobody has taken before a course begins"),
        subject=lambda values: _(
            "Places of yours in %(course)s are still free", course=_course(values)
        ),
        template="payments/mail/seats_unused.md",
        link=_block_url,
    ),
    NotificationKind(
        name="payments.attention",
        label=lazy_gettext("Payments that need an administrator"),
        subject=lambda values: _("Order %(number)s needs you", number=values["number"]),
        template="payments/mail/attention.md",
        link=_administration_url,
    ),
]
