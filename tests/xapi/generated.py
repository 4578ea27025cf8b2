"""Statements made at random by the rules of xAPI, and ways to break one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
iris = st.builds("http://{}.example/{}".format, words, words)
uuids = st.uuids().map(str)
tags = st.sampled_from(("en", "es-419", "pt-BR", "zh-Hans-CN", "cmn", "de-CH-1996", "x-own"))
language_maps = st.dictionaries(tags, texts, max_size=2)
instants = st.sampled_from(
    ("2026-03-01T10:20:30Z", "2026-03-01T10:20:30.123456-05:00", "2026-03-01 10:20:30+0530")
)
durations = st.sampled_from(("PT5S", "P4W", "P1Y2M3DT4H5M6.25S", "PT0.5H", "P1DT12H"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=5,
)
extensions = st.dictionaries(iris, json_values, max_size=2)

identifiers = st.one_of(
    st.fixed_dictionaries({"mbox": st.builds("mailto:{}@{}.example".format, words, words)}),
    st.fixed_dictionaries({"mbox_sha1sum": st.text("0123456789abcdef", min_size=40, max_size=40)}),
    st.fixed_dictionaries({"openid": iris}),
    st.fixed_dictionaries({"account": st.fixed_dictionaries({"homePage": iris, "name": texts})}),
)


def _joined(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda all_: {k: v for part in all_ for k, v in part.items()})


agents = _joined(
    identifiers,
    st.fixed_dictionaries({}, optional={"objectType": st.just("Agent"), "name": texts}),
)
groups = st.one_of(
    _joined(
        identifiers,
        st.fixed_dictionaries(
            {"objectType": st.just("Group")}, optional={"member": st.lists(agents, max_size=2)}
        ),
    ),
    st.fixed_dictionaries(
        {"objectType": st.just("Group"), "member": st.lists(agents, min_size=1, max_size=3)}
    ),
)
actors = agents | groups
components = st.lists(
    st.fixed_dictionaries({"id": words}, optional={"description": language_maps}),
    max_size=3,
    unique_by=lambda part: part["id"],
)
interactions = st.one_of(
    st.fixed_dictionaries(
        {"interactionType": st.just("choice")},
        optional={"choices": components, "correctResponsesPattern": st.lists(texts, max_size=2)},
    ),
    st.fixed_dictionaries(
        {"interactionType": st.just("matching")},
        optional={"source": components, "target": components},
    ),
    st.fixed_dictionaries({"interactionType": st.sampled_from(("true-false", "numeric"))}),
    st.just({}),
)
definitions = _joined(
    interactions,
    st.fixed_dictionaries(
        {},
        optional={
            "name": language_maps,
            "description": language_maps,
            "type": iris,
            "moreInfo": iris,
            "extensions": extensions,
        },
    ),
)
activities = st.fixed_dictionaries(
    {"id": iris}, optional={"objectType": st.just("Activity"), "definition": definitions}
)
references = st.fixed_dictionaries({"objectType": st.just("StatementRef"), "id": uuids})
verbs = st.fixed_dictionaries({"id": iris}, optional={"display": language_maps})
results = st.fixed_dictionaries(
    {},
    optional={
        "score": st.fixed_dictionaries(
            {},
            optional={
                "scaled": st.floats(-1, 1),
                "raw": st.integers(10, 20),
                "min": st.integers(0, 10),
                "max": st.integers(20, 30),
            },
        ),
        "success": st.booleans(),
        "completion": st.booleans(),
        "response": texts,
        "duration": durations,
        "extensions": extensions,
    },
)
context_activities = st.dictionaries(
    st.sampled_from(("parent", "grouping", "category", "other")),
    activities | st.lists(activities, max_size=2),
    max_size=2,
)
_context = {
    "registration": uuids,
    "instructor": actors,
    "team": groups,
    "contextActivities": context_activities,
    "language": tags,
    "statement": references,
    "extensions": extensions,
}
_relevant = {"relevantTypes": st.lists(iris, min_size=1, max_size=2)}
_context_2_0 = {
    "contextAgents": st.lists(
        st.fixed_dictionaries(
            {"objectType": st.just("contextAgent"), "agent": agents}, optional=_relevant
        ),
        max_size=2,
    ),
    "contextGroups": st.lists(
        st.fixed_dictionaries(
            {"objectType": st.just("contextGroup"), "group": groups}, optional=_relevant
        ),
        max_size=2,
    ),
}


def statements(version: str) -> st.SearchStrategy[dict[str, Any]]:
    """Good statements by the rules of this version."""
    context = st.fixed_dictionaries(
        {}, optional=_context | (_context_2_0 if version == "2.0.0" else {})
    )
    common = {"result": results, "context": context, "timestamp": instants}
    inside = {"actor": actors, "verb": verbs, "object": activities | actors_as_object | references}
    sub_statements = st.fixed_dictionaries(
        {"objectType": st.just("SubStatement"), **inside}, optional=common
    )
    return st.fixed_dictionaries(
        {**inside, "object": inside["object"] | sub_statements},
        optional={
            **common,
            "id": uuids,
            "stored": instants,
            "authority": agents,
            "version": st.sampled_from(("1.0", "1.0.9")),
        },
    )


actors_as_object = _joined(agents, st.just({"objectType": "Agent"})) | groups


def places(statement: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each property, with the object that holds it, outside of extensions and language maps."""

    def walk(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
        if isinstance(value, dict):
            for name, member in value.items():
                yield value, name
                if name not in ("extensions", "display", "name", "description"):
                    yield from walk(member)
        elif isinstance(value, list):
            for one in value:
                yield from walk(one)

    return walk(statement)


@st.composite
def broken(draw: st.DrawFn, version: str) -> dict[str, Any]:
    """A statement with exactly one property that breaks a rule."""
    statement = copy.deepcopy(draw(statements(version)))
    holder, name = draw(st.sampled_from(list(places(statement))))
    how = draw(st.sampled_from(("null", "letter case", "kind", "unknown")))
    if how == "null":
        holder[name] = None
    elif how == "letter case":
        holder[name.upper()] = holder.pop(name)
    elif how == "kind":
        holder[name] = [[1]] if not isinstance(holder[name], bool) else "true"
    else:
        holder["surprise"] = holder[name]
    return statement
