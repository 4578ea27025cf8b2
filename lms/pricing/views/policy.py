"""The public page that says who pays what, drawn from the rows by which prices are made."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.config import LANGUAGES
from lms.core.places import country_name
from lms.core.text import fold
from lms.core.web import absolute_url, public
from lms.pricing import queries
from lms.pricing.income_groups import year_of_groups
from lms.pricing.views import bp


def catalogue_link(**values: Any) -> Markup:
    """The way from the catalogue to who pays what."""
    return Markup(render_template("pricing/_catalogue_link.html"))  # noqa: S704 - a template's


@bp.get("/prices")
@public
def policy() -> ResponseReturnValue:
    """Tiers, their countries, and the exceptions with their reasons."""
    found = queries.policy()
    return render_template(
        "pricing/policy.html",
        policy=found,
        names={
            tier: sorted((country_name(code) for code in codes), key=fold)
            for tier, codes in found.countries.items()
        },
        year=year_of_groups(),
        canonical=absolute_url("pricing.policy"),
        alternates=[(code, absolute_url("pricing.policy", lang=code)) for code in LANGUAGES],
    )
