"""Whether two statements say the same (1.0.3, part two, 2.3.1 and 4.2).

Not compared: what the store sets, the precision and offset of times, the order of members and of
context activities, and whether one of those stands alone or in a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_SET_BY_STORE = ("id", "stored", "authority", "version", "timestamp", "attachments")
_FINE_FRACTION = re.compile(r"([.,]\d{2})\d+S$")


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two valid statements are one."""
    return _bare(one) == _bare(other)


def _bare(statement: Mapping[str, Any]) -> dict[str, Any]:
    bare = {name: value for name, value in statement.items() if name not in _SET_BY_STORE}
    return _normal(bare)


def _normal(part: Mapping[str, Any]) -> dict[str, Any]:
    """A statement or substatement in the one form in which it is compared."""
    whole = dict(part)
    whole["actor"] = _agent(part["actor"])
    thing = part["object"]
    kind = thing.get("objectType", "Activity")
    if kind == "SubStatement":
        whole["object"] = _normal(thing)
    elif kind in ("Agent", "Group"):
        whole["object"] = _agent(thing)
    elif kind == "StatementRef":
        whole["object"] = {**thing, "id": thing["id"].lower()}
    else:
        whole["object"] = _activity(thing)
    if "result" in part and "duration" in part["result"]:
        duration = _FINE_FRACTION.sub(r"\1S", part["result"]["duration"])
        whole["result"] = {**part["result"], "duration": duration}
    if "context" in part:
        whole["context"] = _context(part["context"])
    return whole


def _sign(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _agent(agent: Mapping[str, Any]) -> dict[str, Any]:
    whole = {"objectType": "Agent", **agent}
    if "member" in agent:
        whole["member"] = sorted((_agent(one) for one in agent["member"]), key=_sign)
    return whole


def _activity(activity: Mapping[str, Any]) -> dict[str, Any]:
    return {"objectType": "Activity", **activity}


def _context(context: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(context)
    for name in ("instructor", "team"):
        if name in context:
            whole[name] = _agent(context[name])
    if "registration" in context:
        whole["registration"] = context["registration"].lower()
    if "contextActivities" in context:
        whole["contextActivities"] = {
            kind: sorted(
                (_activity(one) for one in (named if isinstance(named, list) else [named])),
                key=_sign,
            )
            for kind, named in context["contextActivities"].items()
        }
    return whole
