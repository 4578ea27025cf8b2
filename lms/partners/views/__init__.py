"""Pages of administrators and of partners' managers."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import format_decimal

from lms.core.money import Money
from lms.core.text import in_language
from lms.partners.forms import BASES, BORNE_BY
from lms.partners.models import Agreement, AgreementParty, Basis, RefundsBorneBy

bp = Blueprint("partners", __name__, template_folder="../templates")


@bp.app_template_filter("agreement_subject")
def agreement_subject(agreement: Agreement) -> str:
    """What an agreement is about."""
    title = in_language(agreement.course.title)
    return f"{title}, {agreement.run.slug}" if agreement.run else title


@bp.app_template_filter("share_basis")
def share_basis(basis: str) -> str:
    """What is shared, in words."""
    return str(BASES[Basis(basis)])


@bp.app_template_filter("refunds_borne_by")
def refunds_borne_by(who: str) -> str:
    """Who bears refunds, in words."""
    return str(BORNE_BY[RefundsBorneBy(who)])


@bp.app_template_filter("share_percent")
def share_percent(party: AgreementParty) -> str:
    """A percentage as people write it."""
    return f"{format_decimal((party.percent_hundredths or 0) / 100)} %"


@bp.app_template_filter("minor_in")
def minor_in(minor: int, currency: str) -> Money:
    """Minor units as money."""
    return Money(minor, currency)


@bp.app_template_filter("document_name")
def document_name(about: str) -> str:
    """The document of a statement's line: the number of an order."""
    return about.partition(":")[2]
