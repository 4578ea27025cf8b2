"""What can be bought.

A product knows what its orders mean: what is held while somebody pays, what happens when the money
is there, and what is given up when it is not or goes back. The services of this room keep orders,
payments and refunds; they ask the product of an order and know none by name.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from flask_babel.speaklater import LazyString

from lms.accounts.models import User
from lms.core.money import Money
from lms.core.registry import Registered
from lms.core.text import in_language
from lms.courses.models import CourseRun
from lms.invoicing.taxes import SupplyKind
from lms.ledger.accounts import Account
from lms.payments.models import Order, PaymentException, RefundReason
from lms.pricing.services.quotes import Calculation, Terms

PLACE = "place"


@dataclass(frozen=True)
class Item:
    """One thing as it is offered to one person.

    key: finds it again among what the product sells. title: by language. prices: what it costs all
    in all, one stored amount for each currency that it is sold in. run: the course run that it is
    for. details: label and value, for the checkout. back: address and words of the page before.
    rule: when money comes back, in a sentence. calculations: how the price of one came about, by
    currency: it is quoted, for a time, and the steps are kept. terms: what these rest on, also
    where no price is known yet. organisation: whose name the invoice bears unless another is told.
    """

    product: str
    key: uuid.UUID
    title: Mapping[str, str]
    prices: Mapping[str, Money]
    quantity: int = 1
    run: CourseRun | None = None
    details: Sequence[tuple[str, str]] = ()
    back: tuple[str, str] = ("", "")
    rule: str = ""
    calculations: Mapping[str, Calculation] = field(default_factory=dict)
    terms: Terms | None = None
    organisation: str = ""


@dataclass(frozen=True)
class Refused:
    """Money that came cannot do what it came for, and goes back."""

    why: PaymentException
    reason: RefundReason


@dataclass(frozen=True)
class Taxable:
    """How an invoice describes and taxes what was sold. supply: a SupplyKind of invoicing."""

    description: str
    supply: str
    facts: Sequence[str] = ()


@dataclass(frozen=True)
class Onward:
    """Where the buyer goes on from a paid order."""

    address: str
    label: str
    said: str = ""


@dataclass(frozen=True)
class Delivery:
    """What became of a paid order, for its page."""

    is_delivered: bool
    onward: Onward | None = None
    notes: Sequence[str] = field(default_factory=tuple)


class Product(ABC):
    """A kind of thing that can be bought. Every method may be called again for the same order."""

    name: ClassVar[str]  # kept in Order.product
    label: ClassVar[str | LazyString]  # "Place in a course run"
    income: ClassVar[Account] = Account.COURSES  # what it earns, where it earns at once
    can_be_offered: ClassVar[bool] = False  # whether organisations can ask for an offer

    @abstractmethod
    def find(self, key: uuid.UUID, buyer: User, country: str | None) -> Item:
        """What is offered to this person. Raises NotFound or another DomainError."""

    def country_for(self, key: uuid.UUID, buyer: User) -> str | None:
        """Where the buyer is taken to live until they tell."""
        return buyer.country

    def lock(self, order: Order) -> None:
        """Lock what the order is about, before the order itself is locked."""

    def hold(self, order: Order, for_: timedelta) -> None:
        """Keep it for the buyer. Raises a DomainError when it cannot be had any more."""

    def hold_until(self, order: Order, until: datetime) -> None:
        """Keep what is kept already until then."""

    def release(self, order: Order, *, is_over: bool) -> None:
        """Let others have it: the order was given up or, `is_over`, its time has passed."""

    def refuses(self, order: Order) -> Refused | None:
        """Whether money that has just come cannot do what it came for."""
        return None

    @abstractmethod
    def deliver(self, order: Order) -> None:
        """The order is paid, or there was nothing to pay."""

    def take_back(self, order: Order) -> None:
        """All money went back."""

    def note_owed(self, order: Order, *, is_owed: bool, is_late: bool) -> None:
        """A part of a delivered order is still to be paid, or is late; or nothing is any more.

        What is late closes access until it is paid; nothing is deleted.
        """

    def taxable(self, order: Order) -> Taxable:
        """How it stands on the invoice, in the language that is spoken."""
        return Taxable(in_language(order.title), SupplyKind.COURSE)

    def delivery(self, order: Order) -> Delivery:
        """What became of it, for the buyer's page."""
        return Delivery(order.is_settled)


products: Registered[Product] = Registered("products", Product)  # type: ignore[type-abstract]


def product_of(order: Order) -> Product:
    """The product of an order."""
    return products[order.product]


def ledger_product(order: Order) -> str:
    """How entries and invoices name what was sold: its run, or what it is and which one."""
    return f"run:{order.run_id}" if order.run_id else f"{order.product}:{order.item}"
