"""The rules of xAPI 1.0.3 and 2.0.0. Refuses with path and rule, never repairs."""

from __future__ import annotations

from typing import Any

from lms.xapi.errors import StatementRefused
from lms.xapi.validation import activities, agents, values
from lms.xapi.validation.statements import RULES_1_0, RULES_2_0, VOIDED
from lms.xapi.validation.values import Broken, Check, read_instant

__all__ = [
    "VOIDED",
    "check_activity",
    "check_actor",
    "check_instant",
    "check_iri",
    "check_statement",
    "check_uuid",
    "read_instant",
]


def check_statement(value: Any, index: int | None = None, version: str = "1.0.3") -> None:
    """Refuse what is not a statement by the rules of the version, "1.0.3" or "2.0.0".

    Raises StatementRefused with the index in the batch, the property's path and the rule.
    """
    try:
        (RULES_2_0 if version.startswith("2") else RULES_1_0).check(value)
    except Broken as broken:
        raise StatementRefused(broken.path("statement"), broken.rule, index) from None


def _check(check: Check, value: Any, path: str) -> None:
    try:
        check(value)
    except Broken as broken:
        raise StatementRefused(broken.path(path), broken.rule) from None


def check_iri(value: Any, path: str) -> None:
    """An absolute IRI, with a scheme. Raises StatementRefused."""
    _check(values.iri, value, path)


def check_uuid(value: Any, path: str) -> None:
    """A UUID in its usual form. Raises StatementRefused."""
    _check(values.uuid_text, value, path)


def check_instant(value: Any, path: str) -> None:
    """An ISO 8601 date and time. Raises StatementRefused."""
    _check(values.instant, value, path)


def check_actor(value: Any, path: str) -> None:
    """An Agent or a Group (1.0.3, part two, 2.4.2). Raises StatementRefused."""
    _check(agents.actor, value, path)


def check_activity(value: Any, path: str) -> None:
    """An Activity (1.0.3, part two, 2.4.4.1). Raises StatementRefused."""
    _check(activities.activity, value, path)
