"""The basket: what somebody means to buy, what it costs, and ordering all of it or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lms.accounts.models import User
from lms.core.db import db, insert_if_new
from lms.core.errors import DomainError, NotFound
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.courses.services.enrolment import is_enrolment_open, lock_run
from lms.payments import queries
from lms.payments.basket_models import BasketLine
from lms.payments.errors import BasketFull, BasketRefused, NotForSale, VoucherRefused
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order, OrderState, Purchase, Voucher
from lms.payments.products import PLACE, Item, products
from lms.payments.services import orders
from lms.payments.services.grants import awards_for
from lms.payments.services.prices import Wishes, show_price
from lms.payments.services.terms import Billing
from lms.pricing.engine import OfferKind
from lms.pricing.errors import QuoteChanged
from lms.pricing.services.quotes import Calculation, PriceBook, Terms, make_ticket
from lms.scholarships.models import Application

MOST = 10  # lines that one payment takes


@dataclass(frozen=True)
class ShownLine:
    """A line with what it costs. calculation: of a place; price: None where it cannot be bought."""

    line: BasketLine
    title: Mapping[str, str]
    price: Money | None
    calculation: Calculation | None = None
    terms: Terms | None = None
    item: Item | None = None
    voucher: Voucher | None = None
    problem: str = ""

    @property
    def uses_voucher(self) -> bool:
        """Whether the voucher lowers its price."""
        return self.voucher is not None


@dataclass(frozen=True)
class ShownBasket:
    """The basket as it is shown. currencies: in which all of it has a price, the best first.

    total: None where something has no price in the chosen currency. voucher: the one that was
    typed, when a line can use it.
    """

    lines: Sequence[ShownLine]
    currencies: Sequence[str]
    currency: str | None
    voucher: Voucher | None

    @property
    def can_buy(self) -> bool:
        """Whether all of it can be ordered."""
        return bool(self.lines) and all(line.price is not None for line in self.lines)

    @property
    def total(self) -> Money | None:
        """What is to be paid for all of it."""
        if not self.can_buy or self.currency is None:
            return None
        return Money(sum(line.price.minor for line in self.lines if line.price), self.currency)

    def tickets(self, user: User) -> str:
        """The quotes for what is shown, as they travel in a form."""
        shown = []
        for line in self.lines:
            if line.calculation is not None:
                shown.append(f"{line.line.id}:{make_ticket(line.calculation, user)}")
            elif line.price is not None:
                shown.append(f"{line.line.id}:{line.price.minor}")
        return " ".join(shown)


def add_run(user: User, run: CourseRun) -> None:
    """Put a place into the basket. Safe to repeat. Raises NotForSale, BasketFull."""
    if not run.price:
        raise NotForSale
    _add(user, product=PLACE, run_id=run.id)


def add_item(user: User, product: str, key: uuid.UUID) -> None:
    """Put something else into the basket. Safe to repeat. Raises NotFound, BasketFull."""
    found = products.get(product)
    if found is None:
        raise NotFound
    found.find(key, user, user.country)
    _add(user, product=product, item=key)


def _add(user: User, **values: object) -> None:
    if len(queries.basket_of(user)) >= MOST:
        raise BasketFull
    insert_if_new(BasketLine, user_id=user.id, **values)


def remove_line(user: User, line_id: int) -> None:
    """Take a line out of one's own basket. Safe to repeat."""
    for line in queries.basket_of(user):
        if line.id == line_id:
            db.session.delete(line)
    db.session.flush()


def show_basket(
    user: User, country: str | None, currency: str | None, voucher_code: str = ""
) -> ShownBasket:
    """The basket of a person at today's prices.

    The voucher is used on the lines that it is for, as often as it may be. Raises VoucherRefused
    when it is for none of them.
    """
    lines = queries.basket_of(user)
    book = PriceBook([line.run for line in lines if line.run], user, country)
    items = {line.id: _find_item(line, user, country) for line in lines if line.item}
    offered = [_currencies(line, book, items) for line in lines]
    common = [code for code in (offered[0] if offered else ()) if all(code in o for o in offered)]
    chosen = currency if currency in common else next(iter(common), None)
    awards = awards_for(user, [line.run for line in lines if line.run])
    shown: list[ShownLine] = []
    voucher: Voucher | None = None
    refusal: VoucherRefused | None = None
    for line in lines:
        if line.run is None:
            shown.append(_show_item(line, items[line.id], chosen))
            continue
        terms, award = book.terms(line.run, chosen), awards.get(line.run.id)
        times = sum(one.uses_voucher for one in shown)
        wishes = Wishes(country, chosen, None, "" if _is_used_up(voucher, times) else voucher_code)
        try:
            found = _show_place(line, line.run, user, wishes, terms, award)
        except VoucherRefused as refused:
            refusal = refused
            without = replace(wishes, voucher_code="")
            found = _show_place(line, line.run, user, without, terms, award)
        if found.uses_voucher:
            voucher = found.voucher
        shown.append(found)
    if voucher_code.strip() and voucher is None:
        raise refusal or VoucherRefused
    return ShownBasket(shown, common, chosen, voucher)


def _is_used_up(voucher: Voucher | None, times: int) -> bool:
    """Whether a voucher that lines above use already cannot be used once more."""
    if voucher is None or voucher.max_uses is None:
        return False
    return voucher.uses + times >= voucher.max_uses


def _find_item(line: BasketLine, user: User, country: str | None) -> Item | None:
    found = products.get(line.product)
    try:
        return found.find(line.item, user, country) if found and line.item else None
    except DomainError:
        return None  # it is sold no more, or not to this person


def _currencies(
    line: BasketLine, book: PriceBook, items: Mapping[int, Item | None]
) -> Sequence[str]:
    if line.run is not None:
        return book.terms(line.run).currencies
    item = items[line.id]
    return list(item.prices) if item else ()


def _show_place(
    line: BasketLine,
    run: CourseRun,
    user: User,
    wishes: Wishes,
    terms: Terms,
    award: Application | None,
) -> ShownLine:
    title = run.course.title
    if not is_enrolment_open(run):
        return ShownLine(line, title, None, terms=terms, problem="closed")
    if wishes.currency is None or terms.currency != wishes.currency:
        return ShownLine(line, title, None, terms=terms, problem="currency")
    shown = show_price(run, user, wishes, None, terms, award)
    assert shown.calculation is not None
    if shown.calculation.total and terms.refuses_payment:
        return ShownLine(line, title, None, shown.calculation, terms, problem="refused")
    uses = shown.voucher is not None and shown.calculation.uses(OfferKind.VOUCHER)
    return ShownLine(
        line, title, shown.calculation.total, shown.calculation, terms,
        voucher=shown.voucher if uses else None,
    )  # fmt: skip


def _show_item(line: BasketLine, item: Item | None, currency: str | None) -> ShownLine:
    if item is None:
        return ShownLine(line, {}, None, problem="gone")
    price = item.prices.get(currency or "")
    return ShownLine(line, item.title, price, item=item, problem="" if price else "currency")


def order_basket(
    user: User,
    gateway_name: str | None,
    tickets: str,
    *,
    country: str | None = None,
    currency: str | None = None,
    voucher_code: str = "",
    language: str = "en",
    billing: Billing | None = None,
) -> Purchase:
    """Order all that is in the basket, at the prices that were shown, and empty it.

    Raises QuoteChanged when something else would be charged, and BasketRefused with the thing that
    cannot be had: then nothing is ordered.
    """
    shown = show_basket(user, country, currency, voucher_code)
    quotes = dict(one.partition(":")[::2] for one in tickets.split())
    if not shown.can_buy or {str(line.line.id) for line in shown.lines} != set(quotes):
        raise QuoteChanged
    meant = [one.line.run or (one.item.run if one.item else None) for one in shown.lines]
    runs = sorted((run for run in meant if run), key=lambda run: run.id)
    for run in runs:
        lock_run(run)
    gateway = payment_gateways.get(gateway_name or "")
    is_free = not shown.total
    if not is_free and (gateway is None or not gateway.takes_baskets):
        gateway_name = None  # refused with the first order that costs something
    purchase = Purchase(
        user_id=user.id,
        currency=shown.currency,
        language=language,
        gateway=None if is_free else gateway_name,
    )
    for one in shown.lines:
        quote = quotes[str(one.line.id)]
        try:
            order = _order(one, user, gateway_name, quote, country, language, billing, shown)
        except (QuoteChanged, VoucherRefused):
            raise
        except DomainError as refusal:
            raise BasketRefused(one.title, refusal) from refusal
        order.purchase = purchase
        db.session.delete(one.line)
    db.session.add(purchase)
    db.session.flush()
    return purchase


def _order(
    one: ShownLine,
    user: User,
    gateway_name: str | None,
    quote: str,
    country: str | None,
    language: str,
    billing: Billing | None,
    shown: ShownBasket,
) -> Order:
    if one.item is not None:
        assert one.price is not None
        if quote != str(one.price.minor):
            raise QuoteChanged
        _give_up(queries.find_open_item(one.item.product, one.item.key, user))
        return orders.order_item(
            one.item, user, gateway_name, one.price,
            country=country, language=language, billing=billing,
        )  # fmt: skip
    run = one.line.run
    assert run is not None
    _give_up(queries.find_open_order(run, user))
    return orders.place_order(
        run,
        user,
        gateway_name,
        voucher_code=one.voucher.code if one.voucher else "",
        country=country,
        language=language,
        currency=shown.currency,
        ticket=quote,
        billing=billing,
    )


def _give_up(before: Order | None) -> None:
    """An order of its own for the same thing is replaced, with its payment page."""
    if before is not None:
        orders.close_order(before, OrderState.CANCELLED)
