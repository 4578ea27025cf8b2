"""The database: engine, session, base class and column types of all models.

The only module that knows Flask-SQLAlchemy-Lite. SQLite runs in WAL mode, and a transaction that
will write takes the write lock at its beginning: otherwise two that read and then write at the
same time lose one of them to "database is locked".
"""

from __future__ import annotations

import fcntl
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from inspect import iscoroutinefunction
from typing import Annotated, Any

import orjson
from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Engine,
    Executable,
    Integer,
    MetaData,
    Result,
    String,
    TypeDecorator,
    event,
)
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import Uuid

from lms.config import Settings
from lms.core.postgresql import hold_together, one_by_one, prepare_postgresql

_will_write: ContextVar[bool] = ContextVar("will_write", default=False)
_in_turn: ContextVar[bool] = ContextVar("in_turn", default=False)

db = SQLAlchemy()


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; always gives back an aware one in UTC."""

    impl = SqlDateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse a naive datetime and store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: use clock.now()")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


AnyJSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
BigInt = BigInteger().with_variant(Integer(), "sqlite")

PrimaryKey = Annotated[int, mapped_column(BigInt, primary_key=True)]
ByLanguage = dict[str, str]  # BCP 47 code -> text


class Model(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime(),
        dict[str, str]: AnyJSON,
        dict[str, Any]: AnyJSON,
        list[str]: AnyJSON,
        list[dict[str, Any]]: AnyJSON,
        list[dict[str, str]]: AnyJSON,
        uuid.UUID: Uuid(),
        str: String(),
    }


def _to_json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def engine_options(settings: Settings) -> dict[str, Any]:
    """Options of `create_engine` for the configured database."""
    options: dict[str, Any] = {
        "url": settings.sqlalchemy_url,
        "json_serializer": _to_json,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,  # errors are logged, and values are people's data
    }
    if settings.is_sqlite:
        options["connect_args"] = {"timeout": 30}
    else:
        options |= {"pool_size": settings.server_threads + 2}
    return options


def init_db(app: Flask, settings: Settings) -> None:
    """Give the app its engine."""
    if settings.database_url is None:
        settings.own_file("puente.sqlite3")  # SQLite gives its other files the same mode
    app.config["SQLALCHEMY_ENGINES"] = {"default": engine_options(settings)}
    db.init_app(app)
    # The extension also closes asynchronous sessions, of which there are none: Flask would start
    # a thread with an event loop for that after each request.
    app.teardown_appcontext_funcs[:] = [
        function for function in app.teardown_appcontext_funcs if not iscoroutinefunction(function)
    ]
    with app.app_context():
        prepare_engine(db.engine)


def prepare_engine(engine: Engine) -> None:
    """Set SQLite's pragmas and let writing transactions begin with the write lock."""
    if engine.dialect.name != "sqlite":
        prepare_postgresql(engine)
        return

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=wal",
            "synchronous=full",  # what was answered survives a power cut
            "busy_timeout=30000",
            "foreign_keys=on",
            "cache_size=-16000",
            "wal_autocheckpoint=8000",
        ):
            connection.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # by the driver: SQLAlchemy's way to it takes longer than all else that a small write does
        statement = "begin immediate" if _will_write.get() else "begin"
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute(statement)
        except sqlite3.OperationalError as error:
            raise OperationalError(statement, None, error) from error


@contextmanager
def write_intent(will_write: bool) -> Iterator[None]:
    """Transactions that begin inside take SQLite's write lock at once when `will_write`."""
    token = _will_write.set(will_write)
    try:
        yield
    finally:
        _will_write.reset(token)


def will_write() -> bool:
    """Whether a transaction that begins now takes SQLite's write lock at once."""
    return _will_write.get()


@contextmanager
def _turn_to_write() -> Iterator[None]:
    """Stand in line for SQLite's write lock, among all threads and processes of this machine.

    SQLite by itself asks again after pauses that grow to 100 ms, so the unlucky wait for seconds
    while others pass by.
    """
    file = db.engine.url.database
    if db.engine.dialect.name != "sqlite" or not file or file == ":memory:" or _in_turn.get():
        yield
        return
    token = _in_turn.set(True)
    try:
        with open(f"{file}.turn", "ab") as line:
            fcntl.flock(line, fcntl.LOCK_EX)  # given back when the file is closed
            yield
    finally:
        _in_turn.reset(token)


def has_turn() -> bool:
    """Whether what runs now is within a transaction that has the turn to write."""
    return _in_turn.get()


def someone_writes() -> bool:
    """Whether a transaction that writes is open on this machine's SQLite file; waits for none."""
    file = db.engine.url.database
    if not file or file == ":memory:":
        return False
    try:
        with open(f"{file}.turn", "ab") as line:
            fcntl.flock(line, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


@contextmanager
def transaction(write: bool = True) -> Iterator[None]:
    """One transaction: committed when the block ends, rolled back when it raises.

    Opened at the edge only: by the request, the job and the command. Nothing else commits.
    """
    with _turn_to_write() if write else nullcontext(), write_intent(write), one_by_one(False):
        if write and db.session.in_transaction():
            db.session.rollback()  # a read that came before must not hold an old snapshot
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


@contextmanager
def reading() -> Iterator[None]:
    """A page that changes nothing: as `transaction(write=False)`, and each statement may stand
    alone where nothing is gained by holding them together.
    """
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise


def portions(statement: Executable, size: int) -> Result[Any]:
    """The rows of a long answer, which the database hands over so many at a time."""
    hold_together(db.session.connection())
    return db.session.execute(statement, execution_options={"yield_per": size})


def upsert(model: type[Model]) -> Any:
    """An INSERT of the database in use, which can say what to do where the key is taken."""
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert if is_sqlite else postgresql.insert
    return insert(model.__table__)


def count_up(model: type[Model], **key: Any) -> int:
    """The next number of a counter, from 1 on; given back when the transaction is.

    model: its key, and the last number in `last`. Of two transactions with the same key the second
    waits for the first, so that there are no gaps.
    """
    table = model.__table__
    one_more = (
        upsert(model)
        .values(**key, last=1)
        .on_conflict_do_update(
            index_elements=list(table.primary_key), set_={"last": table.c.last + 1}
        )
    )
    return int(db.session.execute(one_more.returning(table.c.last)).scalar_one())


def insert_if_new(model: type[Model], **values: Any) -> bool:
    """Insert a row unless its unique key is taken; whether it was inserted.

    Of two transactions with the same key the second waits for the first.
    """
    statement = upsert(model).values(**values).on_conflict_do_nothing()
    # A count of rows is not to be had from every driver; a returned row is.
    keys = model.__table__.primary_key
    return db.session.execute(statement.returning(*keys)).first() is not None
