"""Administrators look after sellers and tax; buyers download what was issued to them."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint
from flask_babel import format_decimal

from lms.invoicing.words import BUYERS, CATEGORIES, KINDS, SUPPLIES, place_label

bp = Blueprint("invoicing", __name__, template_folder="../templates")
bp.add_app_template_global(place_label, "tax_place")


@bp.app_template_filter("rate")
def rate(percent: Decimal) -> str:
    """A rate of tax in the reader's format, with all its decimals."""
    return str(format_decimal(percent, format="0.###"))


@bp.app_template_filter("tax_category")
def tax_category(code: str) -> str:
    """A category of tax in words."""
    return str(CATEGORIES.get(code, code))


@bp.app_template_filter("tax_supply")
def tax_supply(code: str) -> str:
    """What is sold, in words."""
    return str(SUPPLIES.get(code, code))


@bp.app_template_filter("tax_buyer")
def tax_buyer(code: str) -> str:
    """Who buys, in words."""
    return str(BUYERS.get(code, code))


@bp.app_template_filter("invoice_kind")
def invoice_kind(code: str) -> str:
    """Invoice or credit note."""
    return str(KINDS.get(code, code))
