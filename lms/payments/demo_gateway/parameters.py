"""Reading requests in Stripe's form encoding: line_items[0][price_data][currency]=cad."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PART = re.compile(r"\[([^\]]*)\]")
_NUMBERS = {"quantity", "unit_amount", "expires_at", "amount"}


def read_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nested parameters; what Stripe counts is a number, all else stays text."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        first, _, rest = name.partition("[")
        path = [first, *(_PART.findall("[" + rest) if rest else [])]
        place = tree
        for part in path[:-1]:
            place = place.setdefault(part, {})
        last = path[-1]
        is_number = last in _NUMBERS and value.lstrip("-").isdecimal()
        place[last] = int(value) if is_number else value
    found = _with_lists(tree)
    assert isinstance(found, dict)
    return found


def _with_lists(tree: Any) -> Any:
    """Mappings whose keys are 0, 1, 2... become lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_with_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _with_lists(value) for key, value in tree.items()}
