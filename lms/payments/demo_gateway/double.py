"""What the stand-in does: sessions, test cards, refunds and the messages about them."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from lms.payments.demo_gateway.balance import BalanceBook
from lms.payments.demo_gateway.objects import (
    Thing,
    make_charge,
    make_event,
    make_payment_intent,
    make_refund,
    make_session,
)
from lms.payments.demo_gateway.store import Change, Store

log = logging.getLogger("lms.payments.test")

SETTLES_AFTER = 20.0  # seconds, for methods whose money comes later
_DECLINES = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000000069": "expired_card",
}
_ACCEPTED = {  # with their countries, as https://docs.stripe.com/testing has them
    "4242424242424242": "US",
    "5555555555554444": "US",
    "378282246310005": "US",
    "4000000680000000": "BO",
    "4000001240000000": "CA",
    "4000006040000068": "PE",
}
_DISPUTED = {"4000000000000259": "US"}
_ASKS_BANK = {"4000002500003155": "FR", "4000002760003184": "DE"}


class Refused(Exception):
    """A request that Stripe would refuse."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


class Outcome(StrEnum):
    """What becomes of a try to pay."""

    PAID = "paid"
    DECLINED = "declined"
    ASK_BANK = "ask_bank"
    WRONG_NUMBER = "wrong_number"
    LATER = "later"
    CLOSED = "closed"


Deliver = Callable[[str, str], bool]  # (body, signature) -> whether it was taken


class StripeDouble(BalanceBook):
    """One account with its state.

    address: where its API and pages are served. webhook_url: where messages go; None when
    `deliver_due` is called with a way of its own.
    """

    def __init__(
        self, path: Path, webhook_secret: str, address: str, webhook_url: str | None = None
    ) -> None:
        self.store = Store(path)
        self.webhook_secret = webhook_secret
        self.address = address
        self.webhook_url = webhook_url
        self._messenger: threading.Thread | None = None
        self._lock = threading.Lock()

    # The API

    def create_session(self, params: Thing) -> Thing:
        """Open a checkout session. Raises Refused."""
        for name in ("mode", "line_items", "success_url"):
            if name not in params:
                raise Refused(400, "parameter_missing", f"Missing required param: {name}.")
        prices = [line["price_data"] for line in params["line_items"]]
        for price in prices:
            amount = price["unit_amount"]
            if not isinstance(amount, int) or amount < 0:
                raise Refused(400, "parameter_invalid_integer", "Invalid integer: unit_amount.")
        if len({price["currency"] for price in prices}) > 1:
            raise Refused(400, "", "All line items must have the same currency.")
        until = params.get("expires_at")
        if until is not None and not 30 * 60 - 5 <= until - time.time() <= 24 * 3600:
            message = "The `expires_at` timestamp must be 30 minutes to 24 hours from now."
            raise Refused(400, "expires_at_invalid", message)
        with self.store.change() as change:
            session = change.put(make_session(params, self.address))
            intent = params.get("payment_intent_data", {})
            change.put({"id": f"{session['id']}:intent", **intent})
            names = ", ".join(price["product_data"]["name"] for price in prices)
            change.put({"id": f"{session['id']}:line", "name": names})
        return session

    def get(self, key: str, expand: Sequence[str] = ()) -> Thing:
        """An object by its id, with those it names under `expand`. Raises Refused."""
        with self.store.change() as change:
            thing = change.get(key)
            if thing is not None:
                thing |= {name: change.get(str(thing.get(name))) for name in expand}
            if thing is not None and thing.get("object") == "checkout.session":
                thing = self._expire_when_over(change, thing)
        if thing is None or "object" not in thing:
            raise Refused(404, "resource_missing", f"No such object: '{key}'")
        self.wake()
        return thing

    def expire_session(self, key: str) -> Thing:
        """Close an open session. Raises Refused."""
        with self.store.change() as change:
            session = self._session(change, key)
            if session["status"] != "open":
                raise Refused(
                    400, "", 'Only Checkout Sessions with a status in ["open"] can be expired.'
                )
            self._expire(change, session)
        self.wake()
        return session

    def create_refund(self, params: Thing) -> Thing:
        """Give money back, at most what was taken. Raises Refused."""
        with self.store.change() as change:
            intent = change.get(str(params.get("payment_intent", "")))
            charge = change.get(intent["latest_charge"] or "") if intent else None
            if charge is None:
                raise Refused(404, "resource_missing", "No such payment_intent")
            left = charge["amount"] - charge["amount_refunded"]
            if not left:
                message = f"Charge {charge['id']} has already been refunded."
                raise Refused(400, "charge_already_refunded", message)
            amount = int(params.get("amount", left))
            if not 0 < amount <= left:
                message = "Refund amount is greater than unrefunded amount on charge."
                raise Refused(400, "", message)
            charge["amount_refunded"] += amount
            charge["refunded"] = charge["amount_refunded"] == charge["amount"]
            change.put(charge)
            refund = make_refund(charge, amount, params.get("metadata", {}))
            refund["balance_transaction"] = self._settle(change, refund, "refund", -amount)["id"]
            change.put(refund)
            change.tell(make_event("charge.refunded", charge))
            change.tell(make_event("refund.created", refund))
        self.wake()
        return refund

    # The hosted page

    def line_name(self, key: str) -> str:
        """What is sold on a session's page."""
        with self.store.change() as change:
            return str((change.get(f"{key}:line") or {}).get("name", ""))

    def pay(self, key: str, card_number: str) -> Outcome:
        """Try a test card."""
        number = "".join(sign for sign in card_number if sign.isdecimal())
        with self.store.change() as change:
            session = self._session(change, key)
            if session["status"] != "open":
                return Outcome.CLOSED
            if number in _ASKS_BANK:
                change.put({"id": f"{key}:card", "country": _ASKS_BANK[number]})
                return Outcome.ASK_BANK
            if number in _DECLINES:
                self._decline(change, session, _DECLINES[number])
                outcome = Outcome.DECLINED
            elif country := (_ACCEPTED | _DISPUTED).get(number):
                charge = self._take_money(change, session, country)
                if number in _DISPUTED:
                    self.open_dispute(change, charge)
                outcome = Outcome.PAID
            else:
                return Outcome.WRONG_NUMBER
        self.wake()
        return outcome

    def answer_bank(self, key: str, *, confirmed: bool) -> Outcome:
        """The buyer confirms the payment at their bank (3-D Secure), or does not."""
        with self.store.change() as change:
            session = self._session(change, key)
            if session["status"] != "open":
                return Outcome.CLOSED
            if confirmed:
                card = change.get(f"{key}:card") or {}
                self._take_money(change, session, card.get("country"))
            else:
                self._decline(change, session, "authentication_required")
        self.wake()
        return Outcome.PAID if confirmed else Outcome.DECLINED

    def pay_later(self, key: str, *, succeeds: bool, after: float = SETTLES_AFTER) -> Outcome:
        """Choose a method whose money arrives later, or never."""
        with self.store.change() as change:
            session = self._session(change, key)
            if session["status"] != "open":
                return Outcome.CLOSED
            intent = self._intent(change, session)
            intent["status"] = "processing"
            change.put(intent)
            session["status"] = "complete"
            change.put(session)
            change.tell(make_event("checkout.session.completed", session))
            change.settle_later(key, after, succeeds)
        self.wake()
        return Outcome.LATER

    def settle_due(self, now: float | None = None) -> None:
        """Let the money arrive, or fail, whose time has come."""
        with self.store.change() as change:
            for key, succeeds in change.due_settlements(now or time.time()):
                session = self._session(change, key)
                if succeeds:
                    self._take_money(change, session, None, "async_payment_succeeded")
                else:
                    intent = self._intent(change, session)
                    intent["status"] = "requires_payment_method"
                    change.put(intent)
                    change.tell(make_event("checkout.session.async_payment_failed", session))

    # How sessions change

    def _session(self, change: Change, key: str) -> Thing:
        session = change.get(key)
        if session is None or session.get("object") != "checkout.session":
            raise Refused(404, "resource_missing", f"No such checkout.session: {key}")
        return self._expire_when_over(change, session)

    def _expire_when_over(self, change: Change, session: Thing) -> Thing:
        if session["status"] == "open" and session["expires_at"] <= time.time():
            self._expire(change, session)
        return session

    def _expire(self, change: Change, session: Thing) -> None:
        session["status"], session["url"] = "expired", None
        change.put(session)
        change.tell(make_event("checkout.session.expired", session))

    def _intent(self, change: Change, session: Thing) -> Thing:
        """The session's payment intent, made at the first try to pay."""
        if session["payment_intent"]:
            found = change.get(session["payment_intent"])
            assert found is not None
            return found
        data = change.get(f"{session['id']}:intent") or {}
        intent = make_payment_intent(session, data.get("metadata", {}), data.get("description"))
        session["payment_intent"] = intent["id"]
        change.put(session)
        return change.put(intent)

    def _take_money(
        self, change: Change, session: Thing, country: str | None, what: str = "completed"
    ) -> Thing:
        intent = self._intent(change, session)
        charge = change.put(make_charge(intent, country))
        self._settle_charge(change, charge)
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "last_payment_error": None,
        }
        change.put(intent)
        session |= {"status": "complete", "payment_status": "paid", "url": None}
        change.put(session)
        change.tell(make_event("charge.succeeded", charge))
        change.tell(make_event("payment_intent.succeeded", intent))
        change.tell(make_event(f"checkout.session.{what}", session))
        return charge

    def _decline(self, change: Change, session: Thing, reason: str) -> None:
        intent = self._intent(change, session)
        intent["status"] = "requires_payment_method"
        intent["last_payment_error"] = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": reason,
            "message": "Your card was declined.",
        }
        change.put(intent)
        change.tell(make_event("payment_intent.payment_failed", intent))

    # Messages

    def sign(self, body: str, at: float | None = None) -> str:
        """The Stripe-Signature header of a message."""
        moment = int(at or time.time())
        signature = hmac.new(
            self.webhook_secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256
        ).hexdigest()
        return f"t={moment},v1={signature}"

    def deliver_due(self, deliver: Deliver | None = None) -> int:
        """Deliver the messages that are due, oldest first; returns how many were taken.

        One that is not taken is due again after 2, 4, 8 ... seconds, at most a minute.
        """
        deliver = deliver or self._post
        count = 0
        while True:
            with self.store.change() as change:
                claimed = change.claim(lease=30)
            if claimed is None:
                return count
            key, body = claimed
            taken = deliver(body, self.sign(body))
            with self.store.change() as change:
                change.finish(key, taken=taken, longest_pause=60)
            count += taken

    def _post(self, body: str, signature: str) -> bool:
        assert self.webhook_url is not None
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
        request = Request(self.webhook_url, body.encode(), headers)  # noqa: S310
        try:
            with urlopen(request, timeout=20) as answer:  # noqa: S310
                return bool(answer.status < 300)
        except (URLError, OSError) as error:
            log.info("a test message was not taken: %s", type(error).__name__)
            return False

    def wake(self) -> None:
        """Let a thread deliver messages until none waits; only where `webhook_url` is set."""
        if self.webhook_url is None:
            return
        with self._lock:
            if self._messenger is None or not self._messenger.is_alive():
                self._messenger = threading.Thread(target=self._deliver_all, daemon=True)
                self._messenger.start()

    def _deliver_all(self) -> None:
        while True:
            self.settle_due()
            self.deliver_due()
            with self.store.change() as change:
                if not change.waits():
                    return
            time.sleep(0.5)


@lru_cache(maxsize=8)
def demo_double(data_path: Path, base_url: str, webhook_secret: str) -> StripeDouble:
    """The stand-in of a data folder; its messages go to this Puente by HTTP."""
    return StripeDouble(
        data_path / "test_payments.sqlite3",
        webhook_secret,
        f"{base_url}/test-payments",
        f"{base_url}/payments/stripe/webhook",
    )


def fingerprint(path: str, params: Thing) -> str:
    """What was asked, to compare requests with the same idempotency key."""
    text = f"{path} {json.dumps(params, sort_keys=True)}"
    return hashlib.sha256(text.encode()).hexdigest()
