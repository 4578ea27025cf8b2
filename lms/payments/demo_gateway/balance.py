"""The stand-in's money: its balance, fees, exchange into the account's currency, payouts, disputes.

The account settles in Canadian dollars, as Puente's would: what is paid in another currency is
exchanged at a fixed rate, and a fee of 2.9 % and 30 cents is taken from each charge.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from lms.payments.demo_gateway.objects import (
    Thing,
    make_balance_transaction,
    make_dispute,
    make_event,
    make_payout,
    new_id,
)
from lms.payments.demo_gateway.store import Change, Store

ACCOUNT_CURRENCY = "cad"
DISPUTE_FEE = 1_500  # of the account's currency
# What one minor unit of a currency is worth in minor units of the account's.
_RATES = {
    "cad": Fraction(1), "usd": Fraction(136, 100), "bob": Fraction(20, 100),
    "pen": Fraction(36, 100), "cop": Fraction(34, 100_000), "clp": Fraction(145, 1_000),
    "eur": Fraction(150, 100), "brl": Fraction(25, 100), "mxn": Fraction(7, 100),
}  # fmt: skip


def _in_account_currency(amount: int, currency: str) -> tuple[int, float | None]:
    """The amount exchanged, and the rate as Stripe tells it; None without exchange."""
    if currency == ACCOUNT_CURRENCY:
        return amount, None
    rate = _RATES.get(currency, Fraction(1))
    return round(amount * rate), float(rate)


class BalanceBook:
    """The part of the stand-in that keeps its balance."""

    store: Store

    def wake(self) -> None:
        """Let messages be delivered."""

    def _settle(
        self, change: Change, source: Thing, category: str, amount: int, fee: int = 0
    ) -> Thing:
        """Move money in or out for an object; `amount` is in the object's own currency."""
        exchanged, rate = _in_account_currency(amount, source["currency"])
        return change.put(
            make_balance_transaction(
                source["id"], category, exchanged, ACCOUNT_CURRENCY, fee=fee, rate=rate
            )
        )

    def _settle_charge(self, change: Change, charge: Thing) -> None:
        exchanged, _rate = _in_account_currency(charge["amount"], charge["currency"])
        fee = round(exchanged * Fraction(29, 1000)) + 30
        movement = self._settle(change, charge, "charge", charge["amount"], fee)
        charge["balance_transaction"] = movement["id"]
        change.put(charge)

    def list_balance_transactions(self, query: dict[str, str]) -> Thing:
        """Movements, the newest first. query: created[gte], payout, limit, starting_after."""
        limit = min(int(query.get("limit", "10")), 100)
        with self.store.change() as change:
            found = change.objects("txn_")
            if "payout" in query:
                members = (change.get(f"{query['payout']}:members") or {}).get("ids", [])
                found = [thing for thing in found if thing["id"] in members]
            expands = any(name.startswith("expand") for name in query)
            since = int(query.get("created[gte]", "0"))
            found = [thing for thing in found if thing["created"] >= since][::-1]
            ids = [thing["id"] for thing in found]
            if "starting_after" in query:
                found = found[ids.index(query["starting_after"]) + 1 :]
            page = found[:limit]
            if expands:
                page = [{**thing, "source": change.get(thing["source"])} for thing in page]
        return {
            "object": "list",
            "url": "/v1/balance_transactions",
            "has_more": len(found) > limit,
            "data": page,
        }

    def balance(self) -> Thing:
        """What the account holds now."""
        with self.store.change() as change:
            left = self._balance(change)
        amounts = [{"amount": amount, "currency": code} for code, amount in sorted(left.items())]
        amounts = amounts or [{"amount": 0, "currency": ACCOUNT_CURRENCY}]
        nothing = [{**amount, "amount": 0} for amount in amounts]
        return {"object": "balance", "livemode": False, "available": amounts, "pending": nothing}

    def _balance(self, change: Change) -> dict[str, int]:
        left: dict[str, int] = defaultdict(int)
        for thing in change.objects("txn_"):
            left[thing["currency"]] += thing["net"]
        return dict(left)

    def pay_out(self) -> Thing | None:
        """Send all that the account holds to its bank; None when it holds nothing."""
        with self.store.change() as change:
            amount = self._balance(change).get(ACCOUNT_CURRENCY, 0)
            if amount <= 0:
                return None
            paid_before = {
                key
                for thing in change.objects("po_")
                for key in (change.get(f"{thing['id']}:members") or {}).get("ids", [])
            }
            members = [
                thing["id"] for thing in change.objects("txn_") if thing["id"] not in paid_before
            ]
            payout = make_payout(amount, ACCOUNT_CURRENCY)
            movement = self._settle(change, payout, "payout", -amount)
            payout["balance_transaction"] = movement["id"]
            change.put(payout)
            change.put({"id": f"{payout['id']}:members", "ids": [*members, movement["id"]]})
            change.tell(make_event("payout.paid", payout))
        self.wake()
        return payout

    def open_dispute(self, change: Change, charge: Thing, reason: str = "fraudulent") -> Thing:
        """The buyer's bank takes the whole charge back, for the time being."""
        dispute = make_dispute(charge, reason)
        amount = charge["amount"]
        movement = self._settle(change, dispute, "dispute", -amount, DISPUTE_FEE)
        dispute["balance_transactions"] = [movement]
        charge["disputed"] = True
        change.put(charge)
        change.put(dispute)
        change.tell(make_event("charge.dispute.created", dispute))
        change.tell(make_event("charge.dispute.funds_withdrawn", dispute))
        return dispute

    def close_dispute(self, key: str, *, won: bool) -> Thing:
        """The bank decides: the money comes back, or stays with the buyer."""
        with self.store.change() as change:
            dispute = change.get(key)
            assert dispute is not None
            dispute["status"] = "won" if won else "lost"
            if won:
                movement = self._settle(change, dispute, "dispute_reversal", dispute["amount"])
                dispute["balance_transactions"] = [*dispute["balance_transactions"], movement]
                change.tell(make_event("charge.dispute.funds_reinstated", dispute))
            change.put(dispute)
            change.tell(make_event("charge.dispute.closed", dispute))
        self.wake()
        return dispute

    def dispute(self, intent_key: str, reason: str = "fraudulent") -> Thing:
        """A buyer disputes what was paid for a payment intent."""
        with self.store.change() as change:
            intent = change.get(intent_key)
            charge = change.get(intent["latest_charge"]) if intent else None
            assert charge is not None
            dispute = self.open_dispute(change, charge, reason)
        self.wake()
        return dispute

    def adjust(self, amount: int, description: str) -> Thing:
        """Move money for a reason that no order knows, as Stripe sometimes does."""
        source = {"id": new_id("adj"), "currency": ACCOUNT_CURRENCY}
        with self.store.change() as change:
            movement = self._settle(change, source, "other_adjustment", amount)
            movement["description"] = description
            return change.put(movement)
