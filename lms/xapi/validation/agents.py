"""Rules of agents and groups (xAPI 1.0.3, part two, 2.4.2)."""

from __future__ import annotations

from typing import Any

from lms.xapi.validation.values import Broken, Check, iri, list_of, mapping, members, one_of, text
from lms.xapi.validation.values import pattern as fits

_ACCOUNT: dict[str, Check] = {"homePage": iri, "name": text}


def _account(value: Any) -> None:
    members(value, _ACCOUNT, _ACCOUNT)


IDENTIFIERS: dict[str, Check] = {
    "mbox": fits(
        r"mailto:[^@\s\x00-\x20\x7f]+@[^@\s\x00-\x20\x7f]+", "must be mailto: and an address"
    ),
    "mbox_sha1sum": fits(r"[0-9a-fA-F]{40}", "must be 40 hexadecimal digits"),
    "openid": iri,
    "account": _account,
}
_IDENTIFIER_NAMES = frozenset(IDENTIFIERS)
_AGENT: dict[str, Check] = {"objectType": one_of("Agent"), "name": text, **IDENTIFIERS}


def agent(value: Any) -> None:
    """An Agent: exactly one identifier (2.4.2.1)."""
    members(value, _AGENT)
    if len(_IDENTIFIER_NAMES & value.keys()) != 1:
        raise Broken(f"must have exactly one of {', '.join(IDENTIFIERS)}")


_GROUP: dict[str, Check] = {
    "objectType": one_of("Group"),
    "name": text,
    "member": list_of(agent),
    **IDENTIFIERS,
}


def group(value: Any) -> None:
    """A Group: identified, or anonymous with members (2.4.2.2)."""
    members(value, _GROUP, ("objectType",))
    identifiers = len(_IDENTIFIER_NAMES & value.keys())
    if identifiers > 1:
        raise Broken("must have at most one identifier")
    if not identifiers and not value.get("member"):
        raise Broken("is needed in a group without identifier", ".member")


def actor(value: Any) -> None:
    """An Agent or a Group."""
    mapping(value)
    if value.get("objectType") == "Group":
        group(value)
    else:
        agent(value)


def authority(value: Any) -> None:
    """An agent, or the anonymous group of an application and a person (2.4.9)."""
    actor(value)
    if value.get("objectType") == "Group" and (
        len(value.get("member", ())) != 2 or _IDENTIFIER_NAMES & value.keys()
    ):
        raise Broken("as a group must be anonymous with two members")
