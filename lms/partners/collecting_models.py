"""Partners that collect money for the seller, and the orders they collect."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.core import clock
from lms.core.db import Model, PrimaryKey
from lms.core.models import StoredFile
from lms.directory.models import Organisation
from lms.payments.bank_models import BankAccount
from lms.payments.models import Order


class Collector(Model):
    """Where people of a country pay a partner, in its currency, for courses that it shares.

    qr_text: what the banks' QR code holds; drawn where no picture of it was given. bank_account:
    through which the partner's own files of its bank are read.
    """

    __tablename__ = "partner_collectors"
    __table_args__ = (UniqueConstraint("organisation_id", "currency", "country"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    currency: Mapped[str]
    country: Mapped[str]  # of the buyers, ISO 3166-1 alpha-2
    holder: Mapped[str]
    bank: Mapped[str]
    account: Mapped[str]
    qr_text: Mapped[str] = mapped_column(default="")
    qr_file_id: Mapped[int | None] = mapped_column(ForeignKey("stored_files.id"), index=True)
    bank_account_id: Mapped[int] = mapped_column(ForeignKey("bank_accounts.id"), index=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    organisation: Mapped[Organisation] = relationship()
    qr_file: Mapped[StoredFile | None] = relationship()
    bank_account: Mapped[BankAccount] = relationship()


class CollectedOrder(Model):
    """Which partner collects an order: said when its instructions are shown, and kept."""

    __tablename__ = "partner_collected_orders"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id"), primary_key=True, autoincrement=False
    )
    collector_id: Mapped[int] = mapped_column(ForeignKey("partner_collectors.id"), index=True)

    order: Mapped[Order] = relationship()
    collector: Mapped[Collector] = relationship()
