"""Numbers in a series that starts anew each year."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from lms.core import clock
from lms.core.db import Model, db
from lms.core.settings import settings
from lms.payments.models import Counter


def insert_if_new(model: type[Model], **values: Any) -> bool:
    """Insert a row unless its unique key is taken; whether it was inserted.

    Of two transactions with the same key the second waits for the first.
    """
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    insert: Any = sqlite.insert if is_sqlite else postgresql.insert
    table = model.__table__
    statement = insert(table).values(**values).on_conflict_do_nothing()
    # A count of rows is not to be had from every driver; a returned row is.
    return db.session.execute(statement.returning(*table.primary_key)).first() is not None


def this_year() -> int:
    """The calendar year where the seller is."""
    return clock.local_date(clock.now(), settings().default_time_zone).year


def next_number(series: str, year: int) -> int:
    """The next number; without gaps, as it is given back when the transaction is."""
    insert_if_new(Counter, series=series, year=year, last=0)
    number: int = db.session.execute(
        update(Counter)
        .where(Counter.series == series, Counter.year == year)
        .values(last=Counter.last + 1)
        .returning(Counter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    return number
