"""Small deeds of several threads in one transaction, where writers stand in line (SQLite).

A durable commit costs more than a small write. Whoever gets the turn to write also does what other
threads of its process are waiting to do, and one commit keeps it all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from flask import current_app

from lms.core.db import has_turn, transaction
from lms.core.settings import settings

Result = TypeVar("Result")


class _Waiting(Generic[Result]):
    """A deed that waits for its turn, and what came of it."""

    def __init__(self, deed: Callable[[], Result]) -> None:
        self.deed = deed
        self.is_done = False
        self._result: Result | None = None
        self._error: BaseException | None = None

    def succeed(self, result: Result) -> None:
        self._result, self.is_done = result, True

    def fail(self, error: BaseException) -> None:
        self._error, self.is_done = error, True

    def outcome(self) -> Result:
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]


class _Line:
    """The deeds of one process that wait."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting[Any]] = deque()
        self._turn = threading.Lock()

    def do(self, deed: Callable[[], Result]) -> Result:
        mine = _Waiting(deed)
        self._waiting.append(mine)
        with self._turn:
            if not mine.is_done:
                self._work_off(mine)
        return mine.outcome()

    def _work_off(self, mine: _Waiting[Any]) -> None:
        """Do one's own deed, and with it all that wait when the turn to write has come."""
        taken: list[_Waiting[Any]] = []
        try:
            with transaction():
                while self._waiting:
                    taken.append(self._waiting.popleft())
                results = [one.deed() for one in taken]
        except BaseException as error:
            if taken == [mine]:
                mine.fail(error)
                return
            if mine not in taken:  # the turn did not come; others try for themselves
                self._waiting.remove(mine)
                mine.fail(error)
            for one in taken:
                self._alone(one)
            return
        for one, result in zip(taken, results, strict=True):
            one.succeed(result)

    def _alone(self, one: _Waiting[Any]) -> None:
        """Do a deed in a transaction of its own: one of those taken together was refused."""
        try:
            with transaction():
                result = one.deed()
        except BaseException as error:
            one.fail(error)
        else:
            one.succeed(result)


def in_one_turn(deed: Callable[[], Result]) -> Result:
    """Do a small deed in a writing transaction, which it may share; its result or its exception.

    deed: changes the database alone, has its values with it, and may be run again: another thread
    may do it, and all is rolled back and done one by one when a deed beside it fails.
    """
    # PostgreSQL lets many write, and joins their commits itself; who has the turn stands in no line
    if not settings().is_sqlite or has_turn():
        with transaction():
            return deed()
    line: _Line = current_app.extensions.setdefault("puente-line", _Line())
    return line.do(deed)
