"""Answers of other sites, kept for a short time by the process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from lms.certificates.verifier.outcome import CannotCheck

T = TypeVar("T")
_FAILURE_SECONDS = 15.0  # so that a site that is away is not asked for each row of a list


class Kept(Generic[T]):
    """The newest `most` answers, each for `seconds`; that one was away is kept more briefly."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._found: OrderedDict[str, tuple[float, T | CannotCheck]] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str, ask: Callable[[], T]) -> T:
        """What is kept under the name, else what `ask` says. Raises CannotCheck as `ask` does."""
        now = time.monotonic()
        with self._lock:
            until, kept = self._found.get(name, (0.0, None))
        if kept is None or until < now:
            try:
                kept = ask()
            except CannotCheck as failure:
                kept = failure
            self._keep(name, kept)
        if isinstance(kept, CannotCheck):
            raise CannotCheck(kept.problem)
        return kept

    def _keep(self, name: str, answer: T | CannotCheck) -> None:
        seconds = _FAILURE_SECONDS if isinstance(answer, CannotCheck) else self._seconds
        with self._lock:
            self._found[name] = (time.monotonic() + seconds, answer)
            self._found.move_to_end(name)
            while len(self._found) > self._most:
                self._found.popitem(last=False)

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._found.clear()
