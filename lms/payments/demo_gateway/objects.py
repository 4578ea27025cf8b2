"""The shapes of Stripe's objects, as far as its own classes call an attribute required."""

from __future__ import annotations

import secrets
import time
from typing import Any

API_VERSION = "2026-10-28.endive"

Thing = dict[str, Any]  # one object of Stripe's API, as JSON


def new_id(prefix: str) -> str:
    """An id as Stripe makes them: pi_..., cs_test_..."""
    return f"{prefix}_{secrets.token_hex(12)}"


def make_session(params: Thing, address: str) -> Thing:
    """A checkout session that is open. params: as of `sessions.create`, numbers as numbers."""
    key = new_id("cs_test")
    lines = params["line_items"]
    price = lines[0]["price_data"]
    total = sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)
    return {
        "id": key,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "created": int(time.time()),
        "currency": price["currency"],
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_email": params.get("customer_email"),
        "expires_at": params.get("expires_at", int(time.time()) + 24 * 3600),
        "invoice": None,
        "livemode": False,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "success_url": params.get("success_url"),
        "url": f"{address}/pay/{key}",
    }


def make_payment_intent(session: Thing, metadata: Thing, description: str | None) -> Thing:
    """What a try to pay a session works on."""
    return {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": int(time.time()),
        "currency": session["currency"],
        "description": description,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata,
        "next_action": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }


def make_charge(intent: Thing, country: str | None) -> Thing:
    """Money taken for a payment intent. country: of the card, None when it was no card."""
    card = {"brand": "visa", "country": country, "exp_month": 12, "exp_year": 2040}
    card |= {"funding": "credit", "last4": "4242", "network": "visa"}
    slip = {"type": "boleto", "boleto": {"tax_id": "000.000.000-00"}}
    how = {"type": "card", "card": card} if country else slip
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "billing_details": {
            "address": None,
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "captured": True,
        "created": int(time.time()),
        "currency": intent["currency"],
        "description": intent["description"],
        "disputed": False,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method_details": how,
        "refunded": False,
        "status": "succeeded",
    }


def make_refund(charge: Thing, amount: int, metadata: Thing) -> Thing:
    """Money given back for a charge."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": int(time.time()),
        "currency": charge["currency"],
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "status": "succeeded",
    }


def make_balance_transaction(
    source: str, category: str, amount: int, currency: str, *, fee: int, rate: float | None
) -> Thing:
    """Money that moved on the account's balance. category: Stripe's reporting category."""
    types = {"charge": "charge", "refund": "refund", "payout": "payout"}
    now = int(time.time())
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Processing fees",
        "type": "stripe_fee",
    }
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": None,
        "exchange_rate": rate,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available",
        "type": types.get(category, "adjustment"),
    }


def make_payout(amount: int, currency: str) -> Thing:
    """Money sent to the account's bank."""
    now = int(time.time())
    return {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "arrival_date": now,
        "automatic": True,
        "balance_transaction": None,
        "created": now,
        "currency": currency,
        "destination": None,
        "failure_balance_transaction": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "status": "paid",
        "type": "bank_account",
    }


def make_dispute(charge: Thing, reason: str) -> Thing:
    """A charge that the buyer's bank takes back until it is decided."""
    now = int(time.time())
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 7 * 24 * 3600,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }


def make_event(type_: str, thing: Thing) -> Thing:
    """A message about an object, as it is now."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type_,
    }


def make_error(code: str, message: str, type_: str = "invalid_request_error") -> Thing:
    """The body of a refused request."""
    return {"error": {"type": type_, "code": code, "message": message}}
