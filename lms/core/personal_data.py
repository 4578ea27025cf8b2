"""What each room keeps about one person: for the download of all my data and for erasing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lms.core.registry import Registered


@dataclass(frozen=True)
class PersonalData:
    """One room's part of a person's data.

    export: user id -> JSON (lists and mappings, instants as ISO 8601). erase: user id -> removes
    or anonymises what need not be kept; what the law wants kept (orders) stays without a name.
    """

    name: str
    export: Callable[[int], Any]
    erase: Callable[[int], None]


personal_data: Registered[PersonalData] = Registered("personal_data", PersonalData)
