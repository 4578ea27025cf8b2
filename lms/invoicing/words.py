"""What codes of tax are called, for people."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from flask_babel.speaklater import LazyString

from lms.core.places import country_choices
from lms.invoicing.models import InvoiceKind
from lms.invoicing.taxes import BuyerKind, Category, SupplyKind

CATEGORIES: dict[str, LazyString] = {
    Category.STANDARD: lazy_gettext("Taxed"),
    Category.ZERO: lazy_gettext("Zero-rated"),
    Category.EXEMPT: lazy_gettext("Exempt"),
    Category.REVERSE_CHARGE: lazy_gettext("Buyer pays the tax"),
    Category.EXPORT: lazy_gettext("Export, zero-rated"),
    Category.OUTSIDE: lazy_gettext("Outside the scope of tax"),
}
SUPPLIES: dict[str, LazyString] = {
    "": lazy_gettext("Everything"),
    SupplyKind.COURSE: lazy_gettext("Courses"),
    SupplyKind.PUBLICATION: lazy_gettext("Publications"),
    SupplyKind.FEE: lazy_gettext("Fees"),
}
BUYERS: dict[str, LazyString] = {
    "": lazy_gettext("Anybody"),
    BuyerKind.CONSUMER: lazy_gettext("Private person"),
    BuyerKind.ORGANISATION: lazy_gettext("Organisation"),
}
KINDS: dict[str, LazyString] = {
    InvoiceKind.INVOICE: lazy_gettext("Invoice"),
    InvoiceKind.CREDIT_NOTE: lazy_gettext("Credit note"),
}
# ISO 3166-2:CA without its prefix; the province decides what a course is taxed with.
PROVINCES: dict[str, LazyString] = {
    "AB": lazy_gettext("Alberta"),
    "BC": lazy_gettext("British Columbia"),
    "MB": lazy_gettext("Manitoba"),
    "NB": lazy_gettext("New Brunswick"),
    "NL": lazy_gettext("Newfoundland and Labrador"),
    "NS": lazy_gettext("Nova Scotia"),
    "NT": lazy_gettext("Northwest Territories"),
    "NU": lazy_gettext("Nunavut"),
    "ON": lazy_pgettext("province", "Ontario"),
    "PE": lazy_gettext("Prince Edward Island"),
    "QC": lazy_pgettext("province", "Québec"),
    "SK": lazy_gettext("Saskatchewan"),
    "YT": lazy_gettext("Yukon"),
}


def place_label(country: str, province: str = "") -> str:
    """A place of supply in words."""
    if not country:
        return str(_("Everywhere else"))
    name = dict(country_choices()).get(country, country)
    if not province:
        return name
    known = PROVINCES.get(province) if country == "CA" else None
    return f"{name}, {known or province}"
