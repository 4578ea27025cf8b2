"""Requests that the endpoint refused, kept for some days so that people can see why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core import clock
from lms.core.db import BigInt, Model, PrimaryKey
from lms.xapi.models.keys import XapiKey


class RefusedRequest(Model):
    """One request that was answered with a status of the four hundreds.

    Headers are not kept, since they hold secrets.
    """

    __tablename__ = "xapi_refused_requests"
    __table_args__ = (Index("ix_xapi_refused_requests_key_id_id", "key_id", "id"),)

    id: Mapped[PrimaryKey]
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    key_id: Mapped[int | None] = mapped_column(ForeignKey("xapi_keys.id", ondelete="SET NULL"))
    method: Mapped[str]
    address: Mapped[str]  # path and query
    status: Mapped[int]
    statement_index: Mapped[int | None]  # counted from 0, in the order sent
    path: Mapped[str | None]  # of the property or parameter: "result.score.scaled"
    rule: Mapped[str]  # what was broken
    size: Mapped[int] = mapped_column(BigInt)  # bytes of the whole body
    body: Mapped[str] = mapped_column(Text)  # its beginning
    key: Mapped[XapiKey | None] = relationship()
