"""Steps of currencies: what people can really pay, and what a price looks like."""

from __future__ import annotations

from babel.numbers import get_currency_precision

from lms.core.money import Money

# Minor units of the smallest amount in use; one minor unit where nothing is said.
_SMALLEST = {
    "BOB": 10, "CLP": 10, "COP": 5_000, "CRC": 500, "MXN": 50, "PEN": 10, "PYG": 50, "UYU": 100,
}  # fmt: skip
# Minor units between two amounts that look like a price; one major unit where nothing is said.
_PRICES = {
    "BOB": 500, "CLP": 500, "COP": 100_000, "CRC": 50_000, "MXN": 1_000, "PYG": 5_000,
    "UYU": 1_000,
}  # fmt: skip


def smallest_step(currency: str) -> int:
    """Minor units to whose multiples a lowered price is rounded."""
    return _SMALLEST.get(currency, 1)


def price_step(currency: str) -> int:
    """Minor units to whose multiples a proposed price is rounded."""
    return _PRICES.get(currency, int(10 ** get_currency_precision(currency)))


def propose(list_price: Money, percent: int) -> Money:
    """An amount to think about for a tier: rounded to a price, never free by rounding."""
    step = price_step(list_price.currency)
    whole = (list_price.minor * percent + 50 * step) // (100 * step)
    if percent == 100:
        return list_price
    return Money(max(1, whole) * step, list_price.currency) if list_price else list_price
