from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.money import CurrencyMismatch, InvalidAmount, Money

CURRENCIES = st.sampled_from(["CAD", "BOB", "CLP", "BRL", "KWD"])


@given(st.integers(-(10**12), 10**12), CURRENCIES)
def test_what_is_written_out_reads_back_the_same(minor, currency):
    amount = Money(minor, currency)

    assert Money.parse(str(amount.decimal), currency) == amount


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (18000, "CAD", "en", "CAD 180.00"),
        (123456, "PEN", "es", "PEN 1.234,56"),
        (1234567, "CLP", "es", "CLP 1.234.567"),
        (123456, "BRL", "pt", "BRL 1.234,56"),
        (0, "USD", "fr", "USD 0,00"),
    ],
)
def test_amounts_are_shown_with_their_code_in_the_readers_format(minor, currency, locale, text):
    shown = Money(minor, currency).format(locale)

    assert shown.replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize("text", ["", "abc", "1.005", "12,34.5", "NaN", "1e5", "1e5x"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(InvalidAmount):
        Money.parse(text, "CAD")


def test_pesos_without_cents_take_no_decimals():
    with pytest.raises(InvalidAmount):
        Money.parse("10.5", "CLP")
    assert Money.parse("10", "CLP") == Money(10, "CLP")


def test_two_currencies_are_never_mixed():
    with pytest.raises(CurrencyMismatch):
        Money(1, "CAD") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "CAD") < Money(1, "USD")


def test_money_is_never_a_float():
    with pytest.raises(InvalidAmount):
        Money(1.5, "CAD")
    assert Money(150, "CAD").decimal == Decimal("1.50")
