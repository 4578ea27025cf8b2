"""Cards and local methods on Stripe's hosted Checkout; no card data touches Puente."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import stripe
from flask import has_app_context
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lms.config import Settings
from lms.core.money import Money
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.payments.demo_gateway.in_process import InProcessClient
from lms.payments.demo_gateway.keys import demo_keys, is_demo
from lms.payments.errors import GatewayUnavailable, WebhookRefused
from lms.payments.gateways import stripe_movements
from lms.payments.gateways.base import (
    DisputeTold,
    Fact,
    GatewayEvent,
    MoneyReturned,
    Movement,
    Payable,
    PaymentArrived,
    PaymentDeclined,
    PaymentGateway,
    PaymentSettling,
    RefundFailed,
    RefundSettled,
    SessionExpired,
    Started,
    whole_reference,
)
from lms.payments.gateways.stripe_amounts import from_stripe, to_stripe
from lms.payments.models import Payment, Refund

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

log = logging.getLogger("lms.payments")

TIMEOUT = 15  # seconds
PAGE_OPEN_FOR = timedelta(minutes=31)  # Stripe takes no less than 30
SEAT_FOR = timedelta(minutes=35)


@lru_cache(maxsize=8)
def _client(key: str, base: str | None) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        http_client=stripe.RequestsClient(timeout=TIMEOUT),
        max_network_retries=1,
    )


def client() -> stripe.StripeClient:
    """Stripe, or in the demo without keys the stand-in, which lives in this process.

    Were it called over HTTP, the threads of the server could all wait for one another.
    """
    config = settings()
    if is_demo(config):
        return stripe.StripeClient(
            demo_keys(config).api_key,
            base_addresses={"api": f"{config.base_url}/test-payments"},
            http_client=InProcessClient(config),
        )
    assert config.stripe_secret_key is not None
    return _client(config.stripe_secret_key.get_secret_value(), config.stripe_api_base)


def _webhook_secret(config: Settings) -> str:
    if is_demo(config):
        return demo_keys(config).webhook_secret
    return config.stripe_webhook_secret.get_secret_value() if config.stripe_webhook_secret else ""


def session_params(payable: Payable) -> SessionCreateParams:
    """What is asked of Stripe for an order or basket: prices and names come from the server."""
    assert payable.expires_at is not None
    endpoint, values = payable.page
    back = absolute_url(endpoint, **values)
    closes_at = payable.expires_at - (SEAT_FOR - PAGE_OPEN_FOR)
    ours = {"order": str(payable.uuid), "attempt": str(payable.attempt)}
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": payable.currency.lower(),
                    "unit_amount": to_stripe(price),
                    "product_data": {"name": in_language(title, payable.language)[:250]},
                },
            }
            for title, price in payable.bought
        ],
        "client_reference_id": str(payable.uuid),
        "metadata": ours,
        "payment_intent_data": {"metadata": ours, "description": payable.number},
        "customer_email": payable.user.address,
        "success_url": f"{back}?back=paid",
        "cancel_url": f"{back}?back=cancelled",
        "expires_at": int(closes_at.timestamp()),
        "locale": payable.language if payable.language in ("en", "es", "fr", "pt") else "auto",
    }


def _where_one_pays() -> str:
    if not has_app_context():  # Python itself looks at the text when it makes the class
        return ""
    test = _(
        "You pay on a test page of this site, where no money moves, and come back here. What"
        " you buy is kept for 30 minutes."
    )
    real = _(
        "You pay on a secure page of Stripe and come back here. What you buy is kept for 30"
        " minutes."
    )
    return str(test if is_demo(settings()) else real)


class StripeGateway(PaymentGateway):
    """Hosted Checkout: one session for each attempt of an order or basket."""

    name = "stripe"
    label = lazy_gettext("Card")
    description = LazyString(lambda: _where_one_pays())
    button = lazy_gettext("Continue to payment")
    holds_seat_for = SEAT_FOR
    takes_baskets = True
    sees_cards = True

    def is_available(self, currency: str) -> bool:
        """Whether keys are set, or the demo pays with test cards."""
        config = settings()
        return config.stripe_secret_key is not None or is_demo(config)

    def start(self, payable: Payable) -> Started:
        """Create the session; the same one for the same attempt."""
        params = session_params(payable)
        key = f"{payable.uuid}-{payable.attempt}"
        try:
            session = client().v1.checkout.sessions.create(params, {"idempotency_key": key})
        except stripe.StripeError as error:
            log.warning("Stripe refused a session: %s", type(error).__name__)
            raise GatewayUnavailable from error
        if not session.url:
            raise GatewayUnavailable
        return Started(session.url, session.id)

    def close(self, session: str) -> None:
        """Expire the session; one that is over is left alone."""
        try:
            client().v1.checkout.sessions.expire(session)
        except stripe.InvalidRequestError:
            return  # complete or expired already
        except stripe.StripeError as error:
            raise GatewayUnavailable from error

    def look_up(self, payable: Payable) -> Sequence[Fact]:
        """What its session says now."""
        if payable.gateway_session is None:
            return ()
        try:
            session = client().v1.checkout.sessions.retrieve(payable.gateway_session)
        except stripe.StripeError as error:
            raise GatewayUnavailable from error
        return _session_facts(session)

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """Check the signature and translate the event."""
        try:
            event = stripe.Webhook.construct_event(
                body, headers.get("Stripe-Signature", ""), _webhook_secret(settings())
            )
        except (ValueError, stripe.SignatureVerificationError) as error:
            raise WebhookRefused from error
        return GatewayEvent(event.id, event.type, event_facts(event.type, event.data.object))

    def refund(self, refund: Refund) -> str | None:
        """Give the amount back to the card that paid."""
        try:
            answer = client().v1.refunds.create(
                {
                    "payment_intent": whole_reference(refund.payment.reference),
                    "amount": to_stripe(refund.amount),
                    "metadata": {"refund": str(refund.uuid), "order": str(refund.order.uuid)},
                },
                {"idempotency_key": str(refund.uuid)},
            )
        except stripe.InvalidRequestError as error:
            if error.code == "charge_already_refunded":
                return "charge_already_refunded"
            raise RefundFailed(error.code or "refused") from error
        except stripe.StripeError as error:
            raise GatewayUnavailable from error
        if answer.status in ("failed", "canceled"):
            raise RefundFailed(answer.failure_reason or answer.status)
        return answer.id if answer.status == "succeeded" else None

    def card_country(self, payment: Payment) -> str | None:
        """Of the charge's card; of a wallet, the card behind it."""
        try:
            intent = client().v1.payment_intents.retrieve(
                whole_reference(payment.reference), {"expand": ["latest_charge"]}
            )
        except stripe.InvalidRequestError:
            return None  # not known there
        except stripe.StripeError as error:
            raise GatewayUnavailable from error
        details = getattr(intent.latest_charge, "payment_method_details", None)
        country = getattr(getattr(details, "card", None), "country", None)
        return str(country).upper() if country else None

    def movements(self, since: datetime) -> Iterable[Movement] | None:
        """The balance transactions of the account."""
        if not self.is_available(""):
            return None
        return stripe_movements.list_movements(client(), since)

    def find_dispute(self, reference: str) -> DisputeTold | None:
        """The dispute as it is now."""
        return stripe_movements.find_dispute(client(), reference)

    def balance(self) -> Sequence[Money]:
        """Available and pending money of the account."""
        return stripe_movements.balance(client())


def _uuid(text: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return None


def _order_of(thing: Any) -> uuid.UUID | None:
    """The order that an object of Stripe belongs to; None when it is not one of ours."""
    metadata = getattr(thing, "metadata", None) or {}
    return _uuid(metadata["order"]) if "order" in metadata else None


def _id_of(thing: Any) -> str:
    """The id of an object that may be expanded."""
    return thing if isinstance(thing, str) else str(thing.id)


def _session_facts(session: Any) -> list[Fact]:
    """What a checkout session says."""
    order = _uuid(getattr(session, "client_reference_id", None)) or _order_of(session)
    if order is None:
        return []
    if session.status == "expired":
        return [SessionExpired(order, session.id)]
    if session.status != "complete":
        return []
    if session.payment_status != "paid":
        return [PaymentSettling(order, session.id)]
    amount = from_stripe(session.amount_total, session.currency)
    return [PaymentArrived(order, _id_of(session.payment_intent), amount)]


def event_facts(type_: str, thing: Any) -> list[Fact]:
    """What an event of Stripe says about our orders; nothing for those we have no use for."""
    if type_ in (
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.expired",
    ):
        return _session_facts(thing)
    if type_ in ("charge.dispute.created", "charge.dispute.closed"):
        return [stripe_movements.dispute_fact(thing)]
    order = _order_of(thing)
    if type_ == "checkout.session.async_payment_failed":
        order = order or _uuid(thing.client_reference_id)
        return [PaymentDeclined(order, None, is_final=True, session=thing.id)] if order else []
    if order is None:
        return []
    if type_ == "payment_intent.payment_failed":
        error = thing.last_payment_error
        reason = (getattr(error, "decline_code", None) or error.code) if error else None
        return [PaymentDeclined(order, reason)]
    if type_ == "charge.refunded":
        paid = from_stripe(thing.amount, thing.currency)
        returned = from_stripe(thing.amount_refunded, thing.currency)
        return [MoneyReturned(order, _id_of(thing.payment_intent), paid, returned)]
    if type_ in ("refund.updated", "refund.failed"):
        refund = _uuid(thing.metadata["refund"]) if "refund" in thing.metadata else None
        if refund is None or thing.status not in ("succeeded", "failed", "canceled"):
            return []
        failure = None if thing.status == "succeeded" else thing.failure_reason or thing.status
        return [RefundSettled(order, refund, thing.id, failure)]
    return []
