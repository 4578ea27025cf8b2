"""Amounts of money as people type and read them in forms."""

from __future__ import annotations

from babel.numbers import format_decimal, get_currency_precision
from flask_babel import get_locale
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from lms.core.money import InvalidAmount, Money


def read_amount(text: str, currency: str) -> Money:
    """An amount above zero as a person of the present language writes it.

    Raises ValidationError.
    """
    locale = str(get_locale() or "en")
    for language in dict.fromkeys((locale, "en")):
        try:
            amount = Money.parse(text, currency, language)
        except InvalidAmount:
            continue
        if amount.minor > 0:
            return amount
    raise ValidationError(
        _("Write an amount of %(currency)s above zero, such as 120.00.", currency=currency)
    )


def amount_text(price: Money) -> str:
    """The amount without its currency, as the author would type it."""
    digits = get_currency_precision(price.currency)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(price.decimal, format=pattern, locale=str(get_locale() or "en"))
