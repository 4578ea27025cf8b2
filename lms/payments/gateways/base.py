"""What a way to pay must offer.

A gateway knows the outside service and nothing of orders' rules: it opens a payment page and
translates what the service says into the facts below. The services of this room act on the facts.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from flask_babel.speaklater import LazyString

from lms.accounts.models import User
from lms.core.money import Money
from lms.core.registry import Registered
from lms.courses.models import CourseRun
from lms.ledger.accounts import Account
from lms.payments.models import Order, Payment, Refund


@dataclass(frozen=True)
class Fact:
    """Something that a gateway says about an order."""

    order: uuid.UUID


@dataclass(frozen=True)
class PaymentArrived(Fact):
    """Money came in. reference: the gateway's id of it, the same in each telling."""

    reference: str
    amount: Money


@dataclass(frozen=True)
class PaymentSettling(Fact):
    """The buyer has done their part; the money arrives in the next days or not at all."""

    session: str


@dataclass(frozen=True)
class PaymentDeclined(Fact):
    """A try to pay failed. is_final: its payment page takes no further try."""

    reason: str | None
    is_final: bool = False
    session: str | None = None


@dataclass(frozen=True)
class SessionExpired(Fact):
    """A payment page closed without a payment."""

    session: str


@dataclass(frozen=True)
class MoneyReturned(Fact):
    """Money of a payment went back. refunded: all that went back so far."""

    reference: str
    amount: Money
    refunded: Money


@dataclass(frozen=True)
class RefundSettled(Fact):
    """A refund that was asked for arrived or failed. refund: the uuid of our refund."""

    refund: uuid.UUID
    reference: str
    failure: str | None = None


@dataclass(frozen=True)
class DisputeTold(Fact):
    """The buyer's bank takes a payment back, or has decided about it.

    order: nil, as the payment's reference names it. is_won: None while it is open.
    """

    payment: str
    reference: str
    amount: Money
    reason: str
    evidence_until: datetime | None
    is_won: bool | None = None


class MovementKind(StrEnum):
    """Why money moved on the account at a payment service; each may rest on those before it."""

    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_FAILED = "refund_failed"
    DISPUTE = "dispute"
    DISPUTE_WON = "dispute_won"
    FEE = "fee"
    OTHER = "other"
    PAYOUT = "payout"


@dataclass(frozen=True)
class Movement:
    """Money that moved on the account at a payment service, in the account's currency.

    amount, fee: what came in (negative: went out), and what the service kept of it. original: in
    the buyer's currency. category: the service's own word. source: its id of what moved it.
    payment: the reference of the payment it belongs to, order and refund: ours. members: of a
    payout, the references of what it pays out, its own included.
    """

    reference: str
    kind: MovementKind
    category: str
    source: str
    amount: Money
    fee: Money
    happened_at: datetime
    available_at: datetime
    original: Money | None = None
    payment: str | None = None
    order: uuid.UUID | None = None
    refund: uuid.UUID | None = None
    members: Sequence[str] = ()


@dataclass(frozen=True)
class GatewayEvent:
    """A signed message of a gateway: its id, its kind and what it says about our orders."""

    id: str
    type: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Started:
    """An open payment page: where to send the buyer, and the gateway's id of it."""

    address: str
    session: str | None = None


def part_reference(reference: str, part: int) -> str:
    """How the part of a payment that belongs to one order of several is named, counted from 1."""
    return f"{reference}/{part}"


def whole_reference(reference: str) -> str:
    """The service's own id of the payment that this is, or is a part of."""
    return reference.partition("/")[0]


class RefundFailed(Exception):
    """The gateway will not give the money back; trying again is of no use."""


class Payable(Protocol):
    """What one payment page is opened for: an order, or several that are paid at once."""

    @property
    def uuid(self) -> Any:
        """UUID that names it at the service."""

    @property
    def number(self) -> Any:
        """Text that names it for people."""

    @property
    def attempt(self) -> Any:
        """How many pages were opened for it."""

    @property
    def currency(self) -> Any:
        """ISO 4217 code."""

    @property
    def language(self) -> Any:
        """The buyer's, BCP 47."""

    @property
    def expires_at(self) -> Any:
        """Until when it is kept."""

    @property
    def gateway_session(self) -> Any:
        """The service's id of the open page, or None."""

    @property
    def user(self) -> Any:
        """The buyer."""

    @property
    def total(self) -> Money:
        """What is to be paid."""

    @property
    def bought(self) -> Sequence[tuple[Mapping[str, str], Money]]:
        """Title by language and price of each thing; they add up to the total."""

    @property
    def page(self) -> tuple[str, dict[str, Any]]:
        """Endpoint and values of the page to which the buyer comes back."""


class PaymentGateway(ABC):
    """One way to pay, offered at the checkout."""

    name: ClassVar[str]  # kept in Order.gateway
    label: ClassVar[str | LazyString]  # beside the choice: "Card"
    description: ClassVar[str | LazyString]  # one sentence below it
    button: ClassVar[str | LazyString]  # on the checkout's button
    holds_seat_for: ClassVar[timedelta]
    refunds_by_hand: ClassVar[bool] = False  # an administrator sends the money and says so
    instructions: ClassVar[str | None] = None  # notification kind that tells how to pay
    takes_baskets: ClassVar[bool] = False  # several orders at once
    is_on_account: ClassVar[bool] = False  # delivered at once, paid by a day
    sees_cards: ClassVar[bool] = False  # can say of which country a card is

    @property
    def ledger_account(self) -> str:
        """The account that holds its money: on its way from the service, unless it is ours."""
        return Account.CLEARING.of(self.name)

    def ledger_account_for(self, order: Order) -> str:
        """The account that holds the money of an order."""
        return self.ledger_account

    @abstractmethod
    def is_available(self, currency: str) -> bool:
        """Whether it is set up and takes this ISO 4217 currency."""

    def offers(self, currency: str, run: CourseRun | None, country: str | None) -> bool:
        """Whether a buyer from a country may choose it for a place in a run, or for another thing.

        country: ISO 3166-1 alpha-2, None while it is not known.
        """
        return self.is_available(currency)

    def is_offered_to(self, buyer: User) -> bool:
        """Whether this person may choose it."""
        return True

    @abstractmethod
    def start(self, payable: Payable) -> Started:
        """Open the page on which it is paid. Called outside of any transaction.

        Safe to repeat for the same `payable.attempt`. Raises GatewayUnavailable.
        """

    def close(self, session: str) -> None:
        """Close an open payment page, so that nobody pays there any more."""

    def look_up(self, payable: Payable) -> Sequence[Fact]:
        """Ask the service what became of an open page. Raises GatewayUnavailable."""
        return ()

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent | None:
        """Check and translate a message of the service; None when this gateway sends none.

        Raises WebhookRefused when it is not signed by the service.
        """
        return None

    def movements(self, since: datetime) -> Iterable[Movement] | None:
        """Money that moved at the service since an instant, the oldest first.

        None when the service does not tell, or is not set up. Raises GatewayUnavailable.
        """
        return None

    def balance(self) -> Sequence[Money]:
        """What the account at the service holds, by currency. Raises GatewayUnavailable."""
        return ()

    def find_dispute(self, reference: str) -> DisputeTold | None:
        """What became of a dispute. Raises GatewayUnavailable."""
        return None

    def card_country(self, payment: Payment) -> str | None:
        """ISO 3166-1 alpha-2 code of the card that paid; None when it was no card, or not known.

        Called in a job. Raises GatewayUnavailable.
        """
        return None

    def refund(self, refund: Refund) -> str | None:
        """Send money back; the service's id of the refund, None while it is on its way.

        Called in a job, with `refund.uuid` as idempotency key. Raises RefundFailed when it can
        never succeed, GatewayUnavailable when it should be tried again.
        """
        raise RefundFailed("refunded by hand")


payment_gateways: Registered[PaymentGateway] = Registered("payment_gateways", PaymentGateway)  # type: ignore[type-abstract]
