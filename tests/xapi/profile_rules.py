"""Statements checked against the templates of a profile (xAPI Profiles 1.0, part three, 2)."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\['([^']+)'\]|\[(\*)\]")
_DETERMINING = {
    "objectActivityType": "$.object.definition.type",
    "contextParentActivityType": "$.context.contextActivities.parent[*].definition.type",
    "contextGroupingActivityType": "$.context.contextActivities.grouping[*].definition.type",
}


def values_at(statement: Any, location: str) -> list[Any]:
    """What a statement has at a JSONPath of names, quoted names and [*]."""
    assert location.startswith("$")
    assert "".join(m.group(0) for m in _STEP.finditer(location)) == location[1:], location
    found = [statement]
    for step in _STEP.finditer(location):
        name = step[1] or step[2]
        if step[3]:
            found = [one for value in found if isinstance(value, list) for one in value]
        else:
            found = [v[name] for v in found if isinstance(v, dict) and name in v]
    return found


def fits(statement: dict, template: dict) -> bool:
    """Whether verb and activity types are those that determine the template."""
    if statement["verb"]["id"] != template["verb"]:
        return False
    for name, location in _DETERMINING.items():
        wanted = template.get(name)
        if wanted is None:
            continue
        types = set(values_at(statement, location))
        if not types.issuperset(wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def broken_rules(statement: dict, template: dict) -> list[str]:
    """What a statement that fits a template does not keep of its rules."""
    broken = []
    for rule in template["rules"]:
        found = values_at(statement, rule["location"])
        if rule["presence"] == "excluded" and found:
            broken.append(f"{rule['location']} must not be there")
        if rule["presence"] == "included" and not found:
            broken.append(f"{rule['location']} is missing")
        if "all" in rule and any(value not in rule["all"] for value in found):
            broken.append(f"{rule['location']} is {found}")
    return broken
