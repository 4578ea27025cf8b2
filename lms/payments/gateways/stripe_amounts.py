"""Amounts as Stripe counts them, which is not always as ISO 4217 does."""

from __future__ import annotations

from babel.numbers import get_currency_precision

from lms.core.money import InvalidAmount, Money

# https://docs.stripe.com/currencies: how many decimals Stripe counts, where it is not two
_NO_DECIMALS = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))


def _shift(currency: str) -> int:
    decimals = 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    return decimals - get_currency_precision(currency)


def to_stripe(amount: Money) -> int:
    """The amount as Stripe counts it. Raises InvalidAmount when that cannot be exact."""
    shift = _shift(amount.currency)
    if shift >= 0:
        return int(amount.minor * 10**shift)
    minor, rest = divmod(amount.minor, 10**-shift)
    if rest:
        raise InvalidAmount(str(amount))
    return int(minor)


def from_stripe(value: int, currency: str) -> Money:
    """The amount that Stripe counts as `value`. Raises InvalidAmount when that is not exact."""
    code = currency.upper()
    shift = _shift(code)
    if shift <= 0:
        return Money(int(value * 10**-shift), code)
    minor, rest = divmod(value, 10**shift)
    if rest:
        raise InvalidAmount(f"{value} {code}")
    return Money(int(minor), code)
