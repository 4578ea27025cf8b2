"""Counts that are kept for dashboards, so that none of them scans the statements."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import BigInt, Model, PrimaryKey


class StatementCount(Model):
    """How many statements with one verb belong to one course run and one day, voided ones left out.

    The day is that of the statement's `timestamp`, in UTC.
    """

    __tablename__ = "xapi_statement_counts"

    run: Mapped[str] = mapped_column(primary_key=True)  # IRI; empty when it names none
    day: Mapped[date] = mapped_column(primary_key=True)
    verb_id: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInt)


class CountingPlace(Model):
    """The one row that says up to which statement all are counted, and that counting locks."""

    __tablename__ = "xapi_counting_place"

    id: Mapped[PrimaryKey]
    last_pk: Mapped[int] = mapped_column(BigInt)


class CountedVoid(Model):
    """A voided statement that the counts leave out already."""

    __tablename__ = "xapi_counted_voids"

    statement_pk: Mapped[int] = mapped_column(
        BigInt,
        ForeignKey("xapi_statements.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
