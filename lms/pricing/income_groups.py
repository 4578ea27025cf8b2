"""The World Bank's income groups, from the data file of this room: nothing is asked outside."""

from __future__ import annotations

import csv
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files


class IncomeGroup(StrEnum):
    """Income groups as the World Bank names them; each is a tier of prices."""

    HIGH = "high"
    UPPER_MIDDLE = "upper_middle"
    LOWER_MIDDLE = "lower_middle"
    LOW = "low"


LIST_TIER = IncomeGroup.HIGH  # pays the list price


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[str, IncomeGroup, int], ...]:
    text = files("lms.pricing").joinpath("data/income_groups.csv").read_text("utf-8")
    return tuple(
        (row["country"], IncomeGroup(row["group"]), int(row["year"]))
        for row in csv.DictReader(text.splitlines())
    )


@lru_cache(maxsize=1)
def income_groups() -> dict[str, IncomeGroup]:
    """ISO 3166-1 alpha-2 code -> group; countries without a group are not in it."""
    return {country: group for country, group, _year in _rows()}


def year_of_groups() -> int:
    """The World Bank's fiscal year of the groups."""
    return max(year for _country, _group, year in _rows())
