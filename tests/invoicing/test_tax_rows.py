"""Tax rows follow each other day by day, and what an invoice stands on stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from lms.core.db import db
from lms.invoicing.default_rows import RowTerms
from lms.invoicing.errors import TaxRowRefused, TaxRowUsed
from lms.invoicing.models import TaxRow
from lms.invoicing.services import tax_rows
from tests.factories.accounts import make_administrator
from tests.factories.invoicing import make_invoice, make_seller

HALF_YEAR = RowTerms(
    "BO", 13_000, date(2027, 1, 1), date(2027, 6, 30), country="BO", name={"en": "IVA"}
)


@pytest.fixture
def seller(app):
    return make_seller(registered=False)


@pytest.fixture
def by(app):
    return make_administrator()


def row_of(seller, country: str, province: str = "", day: date = date(2027, 3, 1)) -> TaxRow:
    return db.session.scalars(
        select(TaxRow).where(
            TaxRow.seller_id == seller.id,
            TaxRow.country == country,
            TaxRow.province == province,
            TaxRow.starts_on <= day,
        ).order_by(TaxRow.starts_on.desc())
    ).first()  # fmt: skip


def words(refusal) -> str:
    return str(refusal.value.text)


def test_a_gap_is_refused_with_its_days(seller, by):
    tax_rows.add_row(seller, HALF_YEAR, by)

    with pytest.raises(TaxRowRefused) as refusal:
        tax_rows.add_row(seller, replace(HALF_YEAR, starts_on=date(2027, 7, 4), ends_on=None), by)
    assert "Jul 1, 2027 to Jul 3, 2027" in words(refusal)

    with pytest.raises(TaxRowRefused) as refusal:
        tax_rows.add_row(
            seller,
            replace(HALF_YEAR, starts_on=date(2026, 7, 1), ends_on=date(2026, 12, 30)),
            by,
        )
    assert "Dec 31, 2026 to Dec 31, 2026" in words(refusal)


def test_an_overlap_is_refused_with_its_days(seller, by):
    tax_rows.add_row(seller, HALF_YEAR, by)

    with pytest.raises(TaxRowRefused) as refusal:
        tax_rows.add_row(seller, replace(HALF_YEAR, starts_on=date(2027, 6, 20), ends_on=None), by)
    assert "Jun 20, 2027 to Jun 30, 2027" in words(refusal)


def test_rows_for_other_sales_do_not_stand_in_the_way(seller, by):
    tax_rows.add_row(seller, HALF_YEAR, by)

    for changes in ({"supply": "fee"}, {"buyer": "organisation"}, {"jurisdiction": "BO-L"}):
        tax_rows.add_row(seller, replace(HALF_YEAR, starts_on=date(2027, 2, 1), **changes), by)


@pytest.mark.parametrize(
    ("category", "rate", "reason"),
    [("S", 0, {}), ("Z", 5_000, {}), ("E", 5_000, {"en": "Exempt"}), ("G", 0, {}), ("O", 0, {})],
)
def test_code_and_rate_and_reason_agree(seller, by, category, rate, reason):
    terms = replace(HALF_YEAR, category=category, rate=rate, reason=reason)

    with pytest.raises(TaxRowRefused):
        tax_rows.add_row(seller, terms, by)


def test_a_new_rate_ends_the_old_row_the_day_before(app, by):
    seller = make_seller()
    old = row_of(seller, "CA", "ON")
    make_invoice(seller, day=date(2027, 3, 1))

    terms = RowTerms("CA-ON", 12_000, date(2027, 7, 1), country="CA", province="ON")
    new = tax_rows.change_rate(old, terms, by)

    assert (old.ends_on, new.starts_on) == (date(2027, 6, 30), date(2027, 7, 1))
    assert make_invoice(seller, day=date(2027, 6, 30)).lines[0].taxes[0].rate == 13_000
    assert make_invoice(seller, day=date(2027, 7, 1)).lines[0].taxes[0].rate == 12_000


def test_a_row_that_was_used_is_neither_changed_nor_switched_off_nor_ended_before(app, by):
    seller = make_seller()
    row = row_of(seller, "CA", "ON")
    make_invoice(seller, day=date(2027, 3, 1))

    with pytest.raises(TaxRowUsed):
        tax_rows.switch_row(row, by, on=False)
    with pytest.raises(TaxRowUsed):
        tax_rows.end_row(row, date(2027, 2, 28), by)
    tax_rows.end_row(row, date(2027, 3, 1), by)

    with pytest.raises(IntegrityError, match="never changed"):
        db.session.execute(update(TaxRow).where(TaxRow.id == row.id).values(rate=1_000))


def test_a_row_cannot_be_taken_out_from_between_two_others(seller, by):
    rows = [
        tax_rows.add_row(
            seller,
            replace(HALF_YEAR, starts_on=first, ends_on=first + timedelta(days=9)),
            by,
        )
        for first in (date(2027, 1, 1), date(2027, 1, 11), date(2027, 1, 21))
    ]

    with pytest.raises(TaxRowRefused) as refusal:
        tax_rows.switch_row(rows[1], by, on=False)
    assert "Jan 11, 2027 to Jan 20, 2027" in words(refusal)
    tax_rows.switch_row(rows[2], by, on=False)
    tax_rows.switch_row(rows[2], by, on=True)


def test_the_rows_of_the_andes_are_there_and_switched_off(app, by):
    seller = make_seller()
    rows = [row_of(seller, country) for country in ("BO", "CO", "EC", "PE")]

    assert [row.is_active for row in rows] == [False] * 4
    assert make_invoice(seller, country="BO", province="").tax.minor == 0
    tax_rows.switch_row(rows[0], by, on=True)
    assert make_invoice(seller, country="BO", province="").lines[0].taxes[0].rate == 13_000
