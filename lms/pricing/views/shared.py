"""Prices in words, on the pages of several rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from lms.core import clock
from lms.core.money import Money
from lms.core.places import country_name
from lms.core.templating import format_day, format_money
from lms.core.text import in_language
from lms.pricing.engine import StepKind
from lms.pricing.forms import TIER_LABELS
from lms.pricing.income_groups import IncomeGroup
from lms.pricing.models import Quote
from lms.pricing.services.quotes import Calculation, steps_as_json
from lms.pricing.views import bp

bp.add_app_template_filter(country_name)


@bp.app_template_filter("tier_label")
def tier_label(tier: str) -> str:
    """A tier in words."""
    return str(TIER_LABELS[IncomeGroup(tier)])


def _step_text(kind: StepKind, words: Mapping[str, Any]) -> str:
    match kind:
        case StepKind.LIST if "tier" not in words:
            return str(_("List price"))
        case StepKind.LIST | StepKind.TIER:
            return str(
                _(
                    "Price for %(country)s: %(tier)s",
                    country=country_name(words.get("country")) or "–",
                    tier=tier_label(words["tier"]),
                )
            )
        case StepKind.EARLY_BIRD if "until" in words:
            last = datetime.fromisoformat(words["until"]) - _MOMENT
            day = format_day(clock.local_date(last, words["zone"]))
            return str(_("Early, until %(day)s", day=day))
        case StepKind.EARLY_BIRD:
            return str(_("Early"))
        case StepKind.CONTRACT:
            name = in_language(words["organisation"])
            return str(_("Agreement with %(organisation)s", organisation=name))
        case StepKind.SCHOLARSHIP:
            return _scholarship(words)
        case StepKind.VOUCHER:
            return str(_("Voucher %(code)s", code=words["code"]))
        case StepKind.FLOOR:
            return str(_("Lowest price"))
        case StepKind.ROUNDING:
            return str(_("Rounded down"))
        case StepKind.PAY_WHAT_YOU_CAN:
            return str(_("Your choice"))


def _scholarship(words: Mapping[str, Any]) -> str:
    """A scholarship with its fund and, where it may be named, its donor."""
    if "fund" not in words:
        return str(_("Scholarship"))
    fund, donor = in_language(words["fund"]), words.get("donor")
    if not donor:
        return str(_("Scholarship: %(fund)s", fund=fund))
    return str(_("Scholarship: %(fund)s, given by %(donor)s", fund=fund, donor=donor))


_MOMENT = datetime.resolution


def _lines(steps: Sequence[Mapping[str, Any]], currency: str) -> list[tuple[str, str]]:
    """Each step with what it changes; nothing where nothing changed."""
    if len(steps) < 2 and "tier" not in steps[0]["words"]:
        return []
    lines = []
    for step in steps:
        kind, change = StepKind(step["kind"]), step["after"] - step["before"]
        if kind == StepKind.LIST:
            amount = format_money(Money(step["after"], currency))
        else:
            sign = "−" if change < 0 else "+"
            amount = sign + format_money(Money(abs(change), currency))
        lines.append((_step_text(kind, step["words"]), amount))
    return lines


@bp.app_template_filter("price_lines")
def price_lines(shown: Calculation | Quote) -> list[tuple[str, str]]:
    """How a price came about, line by line, with amounts in the reader's format."""
    if isinstance(shown, Quote):
        return _lines(shown.steps, shown.currency)
    return _lines(steps_as_json(shown.priced.steps), shown.total.currency)


@bp.app_template_filter("unused_offers")
def unused_offers(calculation: Calculation) -> list[str]:
    """The reductions that do not count because another one gives more, in words."""
    return [_step_text(StepKind(offer.kind), offer.words) for offer in calculation.priced.unused]
