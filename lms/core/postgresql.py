"""PostgreSQL's connections, with no more ways to the server and back than are needed.

A page that only reads asks each thing by itself: BEGIN and COMMIT would be two more ways, and tell
nothing apart, for in PostgreSQL's READ COMMITTED each statement sees what is committed when it
begins, within a transaction or not.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import InvalidatePoolError

RESTED = 20  # seconds after which a connection is asked whether it still lives

_one_by_one: ContextVar[bool] = ContextVar("one_by_one", default=False)


@contextmanager
def one_by_one(is_on: bool = True) -> Iterator[None]:
    """Statements of transactions that begin inside stand alone, without BEGIN and COMMIT."""
    token = _one_by_one.set(is_on)
    try:
        yield
    finally:
        _one_by_one.reset(token)


def hold_together(connection: Connection) -> None:
    """What is asked from here on belongs to one transaction, as cursors of the server need it."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql" and driver.autocommit:
        driver.autocommit = False


def prepare_postgresql(engine: Engine) -> None:
    """Have transactions begin as `one_by_one` says, and dead connections found without asking.

    A server that has gone closes its end, which this machine knows by itself. Asking each time, as
    the pool's own `pool_pre_ping` does, is one more way to the server for each page.
    """

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            return
        driver: Any = connection.connection.driver_connection
        if driver.autocommit is not _one_by_one.get():
            driver.autocommit = not driver.autocommit

    @event.listens_for(engine, "checkin")
    def _rest(driver: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _wake(driver: Any, record: Any, fairy: Any) -> None:
        since = record.info.get("rests_since")
        if since is None or (time.monotonic() - since < RESTED and _is_quiet(driver)):
            return
        try:
            engine.dialect.do_ping(driver)
        except psycopg.Error as error:
            raise InvalidatePoolError from error  # the pool opens another one


def _is_quiet(driver: psycopg.Connection[Any]) -> bool:
    """Whether the server has sent nothing since the last answer: its end is still open then."""
    if driver.closed:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)
