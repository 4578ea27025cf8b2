"""Files that came with statements."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from lms.core import clock
from lms.core.db import BigInt, Model


class Attachment(Model):
    """The bytes that a hash names: kept once, however many statements name them."""

    __tablename__ = "xapi_attachments"

    sha2: Mapped[str] = mapped_column(primary_key=True)  # hexadecimal, small letters
    path: Mapped[str]  # in the file store
    size: Mapped[int] = mapped_column(BigInt)
    kept_at: Mapped[datetime] = mapped_column(default=clock.now)


class AttachmentUse(Model):
    """A statement names an attachment by its hash."""

    __tablename__ = "xapi_attachment_uses"
    __table_args__ = (Index("ix_xapi_attachment_uses_sha2", "sha2", "statement_pk"),)

    statement_pk: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    sha2: Mapped[str] = mapped_column(primary_key=True)
