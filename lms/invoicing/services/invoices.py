"""Issuing: an invoice for a sale, a credit note for what is taken back of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.core.language import speaking
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.core.sealing import seal
from lms.core.settings import settings
from lms.core.text import in_language
from lms.invoicing.errors import NoTaxRow, NothingToCredit
from lms.invoicing.models import (
    SEALED_FOR,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceTax,
    Seller,
)
from lms.invoicing.services.numbers import next_number
from lms.invoicing.services.sellers import details
from lms.invoicing.services.tax_rows import rows_of
from lms.invoicing.taxes import (
    BuyerKind,
    Category,
    NoRule,
    Place,
    SupplyKind,
    Taxed,
    TaxRule,
    rules_for,
    share_of,
    tax,
)


@dataclass(frozen=True)
class Buyer:
    """Who buys, as far as they said. country None: not known, so taxed as in the seller's place."""

    name: str
    kind: str = BuyerKind.CONSUMER
    country: str | None = None
    province: str = ""
    organisation: str = ""
    address: str = ""
    tax_id: str = ""
    purchase_order: str = ""
    user_id: int | None = None
    language: str = "en"
    evidence: Mapping[str, Any] = field(default_factory=dict)  # of where they live


@dataclass(frozen=True)
class Item:
    """One thing sold: its whole amount, with the tax in it unless told otherwise."""

    description: str
    amount: Money
    quantity: int = 1
    is_gross: bool = True


@dataclass(frozen=True)
class Sale:
    """What an invoice is issued for. source: names it, once. reference: the order's number."""

    source: str
    reference: str
    product: str
    day: date
    items: Sequence[Item]
    supply: str = SupplyKind.COURSE
    facts: Collection[str] = ()
    due_on: date | None = None


def present_rules(seller: Seller, buyer: Buyer, sale: Sale) -> tuple[TaxRule, ...]:
    """What a sale is taxed with. Raises NoTaxRow."""
    if not seller.is_registered(sale.day):
        return (_not_registered(seller, sale.day),)
    place = _place(seller, buyer)
    try:
        return rules_for(
            [row.rule() for row in rows_of(seller)],
            day=sale.day,
            place=place,
            buyer=buyer.kind,
            supply=sale.supply,
            facts=sale.facts,
            home=seller.home,
        )
    except NoRule as missing:
        raise NoTaxRow from missing


def _place(seller: Seller, buyer: Buyer) -> Place:
    """Where the sale is taxed: without evidence of another place, where the seller is."""
    if not buyer.country:
        return seller.home
    if buyer.country == seller.country and not buyer.province:
        return seller.home
    return Place(buyer.country, buyer.province)


def _not_registered(seller: Seller, day: date) -> TaxRule:
    return TaxRule(seller.country, 0, Category.OUTSIDE, day)


def tax_sale(seller: Seller, buyer: Buyer, sale: Sale) -> list[Taxed]:
    """The items of a sale, taxed. Raises NoTaxRow."""
    rules = present_rules(seller, buyer, sale)
    return [tax(rules, item.amount, is_gross=item.is_gross) for item in sale.items]


def find_invoice(source: str, kind: InvoiceKind = InvoiceKind.INVOICE) -> Invoice | None:
    """What was issued for this, None when nothing was."""
    return db.session.scalar(
        select(Invoice).where(Invoice.source == source, Invoice.kind == kind.value)
    )


def issue_invoice(seller: Seller, buyer: Buyer, sale: Sale) -> Invoice:
    """Issue the invoice of a sale, and have its PDF made. Safe to repeat. Raises NoTaxRow."""
    before = find_invoice(sale.source)
    if before is not None:
        return before
    taxed = tax_sale(seller, buyer, sale)
    place = _place(seller, buyer)
    with speaking(buyer.language):
        lines = [
            _line(position, item.description, item.quantity, one, seller.is_registered(sale.day))
            for position, (item, one) in enumerate(zip(sale.items, taxed, strict=True), 1)
        ]
    return _issue(
        seller,
        InvoiceKind.INVOICE,
        lines,
        source=sale.source,
        reference=sale.reference,
        product=sale.product,
        user_id=buyer.user_id,
        buyer=buyer.kind,
        organisation=buyer.organisation,
        buyer_sealed=seal(
            json.dumps({"name": buyer.name, "address": buyer.address, "tax_id": buyer.tax_id}),
            SEALED_FOR,
        ),
        country=buyer.country or "",
        province=buyer.province,
        purchase_order=buyer.purchase_order,
        language=buyer.language,
        supplied_on=sale.day,
        due_on=sale.due_on,
        evidence={
            **buyer.evidence,
            "place": [place.country, place.province],
            "facts": sorted(sale.facts),
        },
    )


def _line(
    position: int, description: str, quantity: int, taxed: Taxed, is_registered: bool
) -> InvoiceLine:
    return InvoiceLine(
        position=position,
        description=description,
        quantity=quantity,
        currency=taxed.gross.currency,
        net_minor=taxed.net.minor,
        gross_minor=taxed.gross.minor,
        taxes=[
            InvoiceTax(
                position=at,
                tax_row_id=one.rule.key,
                jurisdiction=one.rule.jurisdiction,
                name=in_language(one.rule.name),
                rate=one.rule.rate,
                category=one.rule.category,
                reason=in_language(one.rule.reason)
                if is_registered
                else _("The seller is not registered for tax: none is charged."),
                currency=one.amount.currency,
                base_minor=one.base.minor,
                amount_minor=one.amount.minor,
            )
            for at, one in enumerate(taxed.lines, 1)
        ],
    )


def _issue(seller: Seller, kind: InvoiceKind, lines: list[InvoiceLine], **values: Any) -> Invoice:
    today = clock.local_date(clock.now(), settings().default_time_zone)
    sequence, number = next_number(seller, kind, today.year)
    net = sum(line.net_minor for line in lines)
    gross = sum(line.gross_minor for line in lines)
    invoice = Invoice(
        seller=seller,
        kind=kind.value,
        year=today.year,
        sequence=sequence,
        number=number,
        seller_details=details(seller, today),
        currency=lines[0].currency,
        net_minor=net,
        tax_minor=gross - net,
        gross_minor=gross,
        issued_on=today,
        lines=lines,
        **values,
    )
    db.session.add(invoice)
    db.session.flush()
    enqueue("invoicing.draw", invoice_id=invoice.id)
    return invoice


def credited(invoice: Invoice) -> Money:
    """What was taken back of an invoice; a credit note that did not hold counts no more."""
    undone = select(Invoice.cancels_id).where(
        Invoice.kind == InvoiceKind.INVOICE.value, Invoice.cancels_id.is_not(None)
    )
    minor = db.session.scalar(
        select(func.coalesce(func.sum(Invoice.gross_minor), 0)).where(
            Invoice.cancels_id == invoice.id,
            Invoice.kind == InvoiceKind.CREDIT_NOTE.value,
            Invoice.id.not_in(undone),
        )
    )
    return Money(int(minor or 0), invoice.currency)


def issue_credit_note(invoice: Invoice, amount: Money, source: str) -> Invoice:
    """Take a part of an invoice back, net and each tax in proportion. Safe to repeat.

    The last part takes exactly what is left. The caller holds the lock of what was sold. Raises
    NothingToCredit.
    """
    before = find_invoice(source, InvoiceKind.CREDIT_NOTE)
    if before is not None:
        return before
    left = _left_of(invoice)
    parts = [part for line in left for part in line]
    if amount.currency != invoice.currency or not 0 < amount.minor <= sum(parts):
        raise NothingToCredit
    shares = iter(share_of(parts, amount.minor))
    lines = []
    for line, part in zip(invoice.lines, left, strict=True):
        net, *taxes = [next(shares) for _one in part]
        lines.append(_part_of(line, net, taxes))
    return _issue(
        invoice.seller,
        InvoiceKind.CREDIT_NOTE,
        lines,
        source=source,
        cancels=invoice,
        supplied_on=invoice.supplied_on,
        **_as_on(invoice),
    )


def undo_credit_note(note: Invoice, source: str) -> Invoice:
    """The money of a credit note did not arrive: what it took back is invoiced again."""
    before = find_invoice(source)
    if before is not None:
        return before
    lines = [
        _part_of(line, line.net_minor, [one.amount_minor for one in line.taxes])
        for line in note.lines
    ]
    return _issue(
        note.seller,
        InvoiceKind.INVOICE,
        lines,
        source=source,
        cancels=note,
        supplied_on=note.supplied_on,
        **_as_on(note),
    )


def _left_of(invoice: Invoice) -> list[list[int]]:
    """What is left of each line: its net, then each of its taxes."""
    left = [[line.net_minor, *(one.amount_minor for one in line.taxes)] for line in invoice.lines]
    notes = db.session.scalars(
        select(Invoice).where(
            Invoice.cancels_id == invoice.id, Invoice.kind == InvoiceKind.CREDIT_NOTE.value
        )
    ).all()
    undone = set(
        db.session.scalars(
            select(Invoice.cancels_id).where(
                Invoice.cancels_id.in_([note.id for note in notes]),
                Invoice.kind == InvoiceKind.INVOICE.value,
            )
        )
    )
    for note in notes:
        if note.id in undone:
            continue
        for part, line in zip(left, note.lines, strict=True):
            taken = [line.net_minor, *(one.amount_minor for one in line.taxes)]
            part[:] = [held - back for held, back in zip(part, taken, strict=True)]
    return left


def _quantity_of(line: InvoiceLine, net: int) -> int:
    """How many things a part of a line is: one where it is no whole number of them."""
    if net == line.net_minor:
        return line.quantity
    unit = line.unit
    return net // unit.minor if unit and net and not net % unit.minor else 1


def _part_of(line: InvoiceLine, net: int, taxes: list[int]) -> InvoiceLine:
    return InvoiceLine(
        position=line.position,
        description=line.description,
        quantity=_quantity_of(line, net),
        currency=line.currency,
        net_minor=net,
        gross_minor=net + sum(taxes),
        taxes=[
            InvoiceTax(
                position=one.position,
                tax_row_id=one.tax_row_id,
                jurisdiction=one.jurisdiction,
                name=one.name,
                rate=one.rate,
                category=one.category,
                reason=one.reason,
                currency=one.currency,
                base_minor=net,
                amount_minor=minor,
            )
            for one, minor in zip(line.taxes, taxes, strict=True)
        ],
    )


def _as_on(invoice: Invoice) -> dict[str, Any]:
    names = (
        "reference", "product", "user_id", "buyer", "organisation", "buyer_sealed", "country",
        "province", "purchase_order", "language", "evidence",
    )  # fmt: skip
    return {name: getattr(invoice, name) for name in names}


def taxes_of(invoice: Invoice) -> dict[str, Money]:
    """All tax of an invoice by jurisdiction, for the ledger."""
    found: dict[str, Money] = {}
    for line in invoice.lines:
        for one in line.taxes:
            before = found.get(one.jurisdiction, Money(0, invoice.currency))
            found[one.jurisdiction] = before + one.amount
    return {whose: amount for whose, amount in found.items() if amount}
