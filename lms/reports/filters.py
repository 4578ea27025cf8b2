"""From the parameters of an address to filters; what is wrong is told, not guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from flask_babel import get_timezone
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.core import clock
from lms.core.text import current_language
from lms.reports.base import Filters, Selection
from lms.reports.periods import EARLIEST, LATEST, PRESETS, preset_days

DEFAULT_PERIOD = "12-months"


@dataclass
class Asked:
    """What a reader asked for: the filters as far as they make sense, and what does not.

    errors: sentences by name of the field. typed: the days as they were typed.
    """

    filters: Filters
    errors: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    choices: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def read_filters(
    parameters: Mapping[str, str],
    selections: Sequence[Selection],
    user: User,
    default_period: str = DEFAULT_PERIOD,
) -> Asked:
    """Filters of the address, in the reader's time zone and language."""
    zone = str(get_timezone())
    asked = Asked(Filters(user, zone, current_language()))
    _read_period(asked, parameters, default_period, clock.local_date(clock.now(), zone))
    for selection in selections:
        value = parameters.get(selection.name, "").strip()
        choices = asked.choices[selection.name] = selection.choices(asked.filters)
        if not value:
            continue
        if value in {choice for choice, _label in choices}:
            asked.filters = asked.filters.chosen(selection.name, value)
        else:
            asked.errors[selection.name] = str(selection.unknown)
    return asked


def _read_period(
    asked: Asked, parameters: Mapping[str, str], default_period: str, today: date
) -> None:
    """Typed days go before the preset, unless they are just the preset's own."""
    typed = {name: parameters.get(name, "").strip() for name in ("first", "last")}
    wanted = parameters.get("period", "")
    has_days = any(typed.values()) or wanted == "days"
    if wanted and wanted != "days" and wanted not in PRESETS:
        asked.errors["period"] = _("There is no such period.")
    preset = wanted if wanted in PRESETS else default_period
    first, last = preset_days(preset, today)
    if not has_days:
        asked.filters = replace(asked.filters, period=preset, first=first, last=last)
        asked.typed = {"first": _iso(first), "last": _iso(last)}
        return
    asked.typed = typed
    days = {name: _day(name, text, asked.errors) for name, text in typed.items()}
    if days["first"] and days["last"] and days["first"] > days["last"]:
        asked.errors["last"] = _("The last day lies before the first one.")
    is_preset = wanted in PRESETS and (days["first"], days["last"]) == (first, last)
    asked.filters = replace(
        asked.filters,
        period=wanted if is_preset else "days",
        first=days["first"],
        last=days["last"],
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(name: str, text: str, errors: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        errors[name] = _("This is not a date. Write it as 2027-02-28.")
        return None
    if not EARLIEST <= day <= LATEST:
        errors[name] = _("Choose a day between 2000 and 2099.")
        return None
    return day
