"""Money as whole minor units with its ISO 4217 currency; never a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.numbers import NumberFormatError, format_currency, get_currency_precision, parse_decimal


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were added or compared."""


class InvalidAmount(ValueError):
    """A text is not an amount of the currency."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount: `minor` units (cents, centavos, whole pesos in CLP) of `currency`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, float):
            raise InvalidAmount("minor units are whole numbers")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-get_currency_precision(self.currency))

    def format(self, locale: str) -> str:
        """The amount for readers of `locale`, always with the ISO code: "CAD 1,234.50"."""
        plain = format_currency(self.decimal, self.currency, format="#,##0.00", locale=locale)
        return f"{self.currency} {plain.strip()}"

    @classmethod
    def parse(cls, text: str, currency: str, locale: str = "en") -> Money:
        """Read an amount in major units as a person of `locale` writes it.

        Raises InvalidAmount when it is not a number or has more decimals than the currency.
        """
        if any(sign.isalpha() for sign in text):  # such as 1e5
            raise InvalidAmount(text)
        try:
            value = parse_decimal(text.strip(), locale=locale, strict=True)
        except (NumberFormatError, InvalidOperation):
            raise InvalidAmount(text) from None
        minor = value.scaleb(get_currency_precision(currency))
        if minor != minor.to_integral_value():
            raise InvalidAmount(text)
        return cls(int(minor), currency)


def in_proportion(amount: Money, weights: Sequence[int]) -> list[Money]:
    """Divide an amount by weights, exact in sum. Raises ValueError when they sum to nothing."""
    whole = sum(weights)
    if not whole:
        raise ValueError("an amount is divided by weights")
    found, seen, given = [], 0, 0
    for weight in weights:
        seen += weight
        upto = amount.minor * seen // whole
        found.append(Money(upto - given, amount.currency))
        given = upto
    return found
