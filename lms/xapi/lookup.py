"""What statements are found by: who and what they name, and the numbers under which that is kept.

Every filter walks one table of pairs (number, statement). The number is a hash of 64 bits of what
is asked for, so that an entry has the same few bytes for a short verb and for a long address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any


class By(StrEnum):
    """In which role a statement names something."""

    AGENT = "agent"  # actor or object, or member of the group that is
    RELATED_AGENT = "related agent"  # anywhere
    VERB = "verb"
    ACTIVITY = "activity"  # the object
    RELATED_ACTIVITY = "related activity"  # anywhere
    REGISTRATION = "registration"
    REFERENCE = "reference"  # the statement that is the object of this one


@lru_cache(maxsize=65536)
def lookup_key(by: By, value: str) -> int:
    """The number under which statements that name `value` in this role are found."""
    digest = blake2b(f"{by.value}:{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def agent_key(agent: Mapping[str, Any]) -> str | None:
    """What identifies an agent or identified group; None for an anonymous group."""
    if "mbox" in agent:
        return f"mbox:{agent['mbox']}"
    if "account" in agent:
        account = agent["account"]
        return f"account:{account['homePage']}|{account['name']}"
    if "mbox_sha1sum" in agent:
        return f"sha1:{agent['mbox_sha1sum'].lower()}"
    if "openid" in agent:
        return f"openid:{agent['openid']}"
    return None


def object_key(thing: Mapping[str, Any]) -> str:
    """What identifies the object of a statement."""
    kind = thing.get("objectType", "Activity")
    if kind == "Activity":
        return str(thing["id"])
    if kind == "StatementRef":
        return f"ref:{str(thing['id']).lower()}"
    if kind == "SubStatement":
        return f"sub:{object_key(thing['object'])}"
    return agent_key(thing) or "group:anonymous"


def agent_keys(thing: Mapping[str, Any]) -> Iterator[str]:
    """Identifiers of an agent or group and of a group's members."""
    key = agent_key(thing)
    if key:
        yield key
    for member in thing.get("member", ()):
        yield from agent_keys(member)


def related_agents(statement: Mapping[str, Any]) -> set[str]:
    """All agents that a statement names, its actor included."""
    thing = statement["object"]
    kind = thing.get("objectType")
    found = set(agent_keys(statement["actor"]))
    context = statement.get("context")
    if context:
        named = [context.get("instructor"), context.get("team")]
        named += [one["agent"] for one in context.get("contextAgents", ())]
        named += [one["group"] for one in context.get("contextGroups", ())]
        for part in named:
            if part:
                found.update(agent_keys(part))
    if "authority" in statement:
        found.update(agent_keys(statement["authority"]))
    if kind in ("Agent", "Group"):
        found.update(agent_keys(thing))
    elif kind == "SubStatement":
        found |= related_agents(thing)
    return found


def related_activities(statement: Mapping[str, Any]) -> set[str]:
    """All activities that a statement names, its object included."""
    thing = statement["object"]
    kind = thing.get("objectType", "Activity")
    found: set[str] = set()
    if kind == "Activity":
        found.add(thing["id"])
    elif kind == "SubStatement":
        found = related_activities(thing)
    context = statement.get("context")
    if context and "contextActivities" in context:
        for named in context["contextActivities"].values():
            if type(named) is list:
                found.update(one["id"] for one in named)
            else:
                found.add(named["id"])
    return found


def lookup_keys(statement: Mapping[str, Any]) -> set[int]:
    """All numbers under which a statement is found by itself, but for its reference.

    What it refers to adds to them (`services.chains`).
    """
    thing = statement["object"]
    kind = thing.get("objectType", "Activity")
    found = {lookup_key(By.VERB, statement["verb"]["id"])}
    for agent in agent_keys(statement["actor"]):
        found.add(lookup_key(By.AGENT, agent))
    if kind == "Activity":
        found.add(lookup_key(By.ACTIVITY, thing["id"]))
    elif kind in ("Agent", "Group"):
        for agent in agent_keys(thing):
            found.add(lookup_key(By.AGENT, agent))
    for agent in related_agents(statement):
        found.add(lookup_key(By.RELATED_AGENT, agent))
    for iri in related_activities(statement):
        found.add(lookup_key(By.RELATED_ACTIVITY, iri))
    registration = statement.get("context", {}).get("registration")
    if registration:
        found.add(lookup_key(By.REGISTRATION, registration.lower()))
    return found


def reference_of(statement: Mapping[str, Any]) -> str | None:
    """The id, in small letters, of the statement that is the object of this one."""
    thing = statement["object"]
    if thing.get("objectType") != "StatementRef":
        return None
    return str(thing["id"]).lower()
