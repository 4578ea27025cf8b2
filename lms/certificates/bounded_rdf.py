"""Canonical RDF (RDFC-1.0) with an end: graphs made to take for ever are given up.

Blank nodes that look alike are told apart by trying their orders (section 4.8 of the standard), so
a hostile document of a few lines can cost years. Documents of people have hardly any such nodes.
"""

from __future__ import annotations

import time
from typing import Any

from pyld.canon import URDNA2015

MOST_ALIKE = 5
MOST_STEPS = 2_000
SECONDS = 4.0


class TooHard(Exception):
    """A graph would take too long."""


class BoundedCanonicalisation(URDNA2015):  # type: ignore[misc]
    """RDFC-1.0 that counts its steps and looks at the clock."""

    def __init__(self) -> None:
        super().__init__()
        self._steps = 0
        self._until = time.monotonic() + SECONDS

    def hash_n_degree_quads(self, id_: str, issuer: Any) -> Any:
        """Section 4.8. Raises TooHard."""
        self._steps += 1
        if self._steps > MOST_STEPS or time.monotonic() > self._until:
            raise TooHard
        return super().hash_n_degree_quads(id_, issuer)

    def create_hash_to_related(self, id_: str, issuer: Any) -> Any:
        """Section 4.8, step 3. Raises TooHard."""
        related = super().create_hash_to_related(id_, issuer)
        if any(len(alike) > MOST_ALIKE for alike in related.values()):
            raise TooHard
        return related
