"""What other rooms know of an award when its certificate is issued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lms.core.registry import Registered
from lms.courses.models import Enrolment


@dataclass(frozen=True)
class RegisterEntry:
    """A part of the register's entry, collected on the day of issue and signed with it.

    name: the member of the facts that it becomes. collect: gives JSON; texts are by language.
    """

    name: str
    collect: Callable[[Enrolment], Any]


register_entries: Registered[RegisterEntry] = Registered("register_entries", RegisterEntry)
