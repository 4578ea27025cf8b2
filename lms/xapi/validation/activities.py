"""Rules of activities and their definitions (xAPI 1.0.3, part two, 2.4.4.1)."""

from __future__ import annotations

from typing import Any

from lms.xapi.validation.values import (
    Broken,
    Check,
    extensions,
    iri,
    language_map,
    list_of,
    members,
    one_of,
    remembered,
    text,
)

_INTERACTIONS: dict[str, frozenset[str]] = {
    "true-false": frozenset(),
    "choice": frozenset({"choices"}),
    "fill-in": frozenset(),
    "long-fill-in": frozenset(),
    "matching": frozenset({"source", "target"}),
    "performance": frozenset({"steps"}),
    "sequencing": frozenset({"choices"}),
    "likert": frozenset({"scale"}),
    "numeric": frozenset(),
    "other": frozenset(),
}
_COMPONENT_LISTS = frozenset({"choices", "scale", "source", "target", "steps"})
_COMPONENT: dict[str, Check] = {"id": text, "description": language_map}


def _component(value: Any) -> None:
    members(value, _COMPONENT, ("id",))
    if not value["id"]:
        raise Broken("must not be empty", ".id")


_component_list = list_of(_component)


def _components(value: Any) -> None:
    _component_list(value)
    seen: set[str] = set()
    for index, part in enumerate(value):
        if part["id"] in seen:
            raise Broken("must be unique", ".id", f"[{index}]")
        seen.add(part["id"])


_DEFINITION: dict[str, Check] = {
    "name": language_map,
    "description": language_map,
    "type": iri,
    "moreInfo": iri,
    "extensions": extensions,
    "interactionType": one_of(*_INTERACTIONS),
    "correctResponsesPattern": list_of(text),
    **dict.fromkeys(_COMPONENT_LISTS, _components),
}


def _definition(value: Any) -> None:
    members(value, _DEFINITION)
    parts = _COMPONENT_LISTS & value.keys()
    kind = value.get("interactionType")
    if kind is None:
        if parts or "correctResponsesPattern" in value:
            raise Broken("is needed", ".interactionType")
    elif parts - _INTERACTIONS[kind]:
        raise Broken(f"does not belong to {kind}", f".{min(parts - _INTERACTIONS[kind])}")


_ACTIVITY: dict[str, Check] = {
    "objectType": one_of("Activity"),
    "id": iri,
    "definition": _definition,
}


def _activity(value: Any) -> None:
    members(value, _ACTIVITY, ("id",))


activity = remembered(_activity)  # an Activity
_activity_list = list_of(activity)


def activities(value: Any) -> None:
    """One activity or a list of them (2.4.6.2)."""
    if type(value) is list:
        _activity_list(value)
    else:
        activity(value)
