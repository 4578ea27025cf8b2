"""Are these numbers what tax offices give out? By `python-stdnum`, and by own rules beside it."""

from __future__ import annotations

from collections.abc import Callable

from stdnum import ca, get_cc_module
from stdnum.exceptions import ValidationError

# Names under which python-stdnum keeps the number that a buyer in a country has; first that fits.
_MODULES = {
    "AR": ("cuit",),
    "BR": ("cnpj", "cpf"),
    "CL": ("rut",),
    "CO": ("nit",),
    "EC": ("ruc",),
    "MX": ("rfc",),
    "PE": ("ruc",),
    "PY": ("ruc",),
    "UY": ("rut",),
    "US": ("ein", "ssn", "itin"),
}
LONGEST = 40


class WrongTaxId(ValueError):
    """Not a number that the country's tax office gives out."""


def _check_nit_of_bolivia(number: str) -> str:
    """Seven to twelve digits, not all the same. Its office publishes no rule for check digits."""
    digits = "".join(sign for sign in number if sign not in " .-")
    if not digits.isascii() or not digits.isdecimal() or not 7 <= len(digits) <= 12:
        raise WrongTaxId(number)
    if digits.startswith("0") or len(set(digits)) == 1:
        raise WrongTaxId(number)
    return digits


def _check_canadian(number: str) -> str:
    compact = "".join(sign for sign in number.upper() if sign not in " -.")
    try:
        return str(ca.bn.validate(compact))
    except ValidationError:
        pass
    digits = compact[:10] + compact[12:]
    if len(compact) == 16 and compact[10:12] == "TQ" and digits.isascii() and digits.isdecimal():
        return compact  # of Québec's tax
    raise WrongTaxId(number)


_OWN: dict[str, Callable[[str], str]] = {
    "BO": _check_nit_of_bolivia,
    "CA": _check_canadian,
}


def check_tax_id(country: str, number: str) -> str:
    """The number in its short form. Raises WrongTaxId.

    Of a country that nobody knows rules for, anything that looks like a number is taken.
    """
    number = number.strip()
    if not number or len(number) > LONGEST:
        raise WrongTaxId(number)
    own = _OWN.get(country)
    if own is not None:
        return own(number)
    modules = [get_cc_module(country, name) for name in _MODULES.get(country, ("vat",))]
    known = [module for module in modules if module is not None]
    for module in known:
        try:
            return str(module.validate(number))
        except ValidationError:
            continue
    if known or not any(sign.isdecimal() for sign in number):
        raise WrongTaxId(number)
    return number
