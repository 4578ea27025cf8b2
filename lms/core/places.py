"""Countries and time zones: their names for the reader, and which zone a country lies in."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from importlib.resources import files

import pycountry
from babel import Locale
from flask_babel import gettext as _

from lms.core.text import current_language, fold

# Countries whose first line in the zone table is not where most people live.
_LARGEST_ZONE = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "RU": "Europe/Moscow",
}
# Where most of Puente's people who read a language live, while the country is not known.
_ZONE_OF_LANGUAGE = {
    "es": "America/La_Paz",
    "fr": "America/Toronto",
    "pt": "America/Sao_Paulo",
}


@lru_cache(maxsize=1)
def _zone_table() -> list[tuple[str, str]]:
    """ISO 3166-1 country and IANA zone, as in the time zone database's own `zone.tab`."""
    text = files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return [(row[0], row[2]) for row in rows]


@lru_cache(maxsize=1)
def _country_codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


@lru_cache(maxsize=8)
def _countries(language: str) -> tuple[tuple[str, str], ...]:
    names = Locale.parse(language).territories
    found = [(code, names.get(code, code)) for code in _country_codes()]
    return tuple(sorted(found, key=lambda pair: fold(pair[1])))


def country_choices() -> list[tuple[str, str]]:
    """All countries, ISO 3166-1 alpha-2 code and name, sorted for the reader."""
    return list(_countries(current_language()))


def is_country(code: str) -> bool:
    """Whether this is an ISO 3166-1 alpha-2 code."""
    return code in _country_codes()


def country_name(code: str | None) -> str:
    """The country's name for the reader; nothing for no country."""
    if not code:
        return ""
    return str(Locale.parse(current_language()).territories.get(code, code))


@lru_cache(maxsize=8)
def _zones(language: str) -> dict[str, list[tuple[str, str]]]:
    names = Locale.parse(language).time_zones
    regions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for _country, zone in _zone_table():
        region, _slash, rest = zone.partition("/")
        city = names.get(zone, {}).get("city") or rest.replace("_", " ").replace("/", ", ")
        regions[region].append((zone, city))
    return {
        region: sorted(set(cities), key=lambda pair: fold(pair[1]))
        for region, cities in regions.items()
    }


def time_zone_choices() -> dict[str, list[tuple[str, str]]]:
    """All time zones, IANA name and city, by part of the world."""
    labels = {
        "America": _("America"),
        "Europe": _("Europe"),
        "Africa": _("Africa"),
        "Asia": _("Asia"),
        "Australia": _("Australia"),
        "Pacific": _("Pacific"),
        "Atlantic": _("Atlantic"),
        "Indian": _("Indian Ocean"),
        "Arctic": _("Arctic"),
        "Antarctica": _("Antarctica"),
    }
    zones = _zones(current_language())
    choices = {label: zones[region] for region, label in labels.items() if region in zones}
    return choices | {_("World"): [("UTC", "UTC")]}


def is_time_zone(name: str) -> bool:
    """Whether people can choose this zone."""
    return name == "UTC" or any(zone == name for _country, zone in _zone_table())


def guess_time_zone(country: str | None, language: str, default: str) -> str:
    """The zone of most people of the country; without a country, of the language's readers."""
    if country in _LARGEST_ZONE:
        return _LARGEST_ZONE[country]
    for code, zone in _zone_table():
        if code == country:
            return zone
    return _ZONE_OF_LANGUAGE.get(language, default)
