"""A bank's file from its upload until it is confirmed: nothing lands before it was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.core.settings import settings
from lms.directory.models import Organisation
from lms.payments.bank_files import BankFile, read_file
from lms.payments.bank_layouts import Layout, guess_layout
from lms.payments.bank_models import BankAccount, BankImport, ImportState
from lms.payments.errors import AccountExists, ImportChanged
from lms.payments.queries import bank as queries
from lms.payments.services.bank_matching import Planned, Verdict, plan

KEPT_FOR = timedelta(days=7)  # files that nobody confirms
LAND_JOB = "payments.land_bank_file"


@dataclass(frozen=True)
class Preview:
    """What a file would do."""

    file: BankFile
    planned: Sequence[Planned]
    may_be_turned: bool  # day and month of all days

    @property
    def counts(self) -> Counter[Verdict]:
        """How many lines of each kind."""
        return Counter(one.verdict for one in self.planned)

    @property
    def is_ready(self) -> bool:
        """Whether it could land."""
        return bool(self.file.lines) and not self.file.problems


def add_account(
    name: str, currency: str, gateway: str, by: User, organisation: Organisation | None = None
) -> BankAccount:
    """An account whose files shall be read. Raises AccountExists."""
    if db.session.scalar(select(BankAccount.id).where(BankAccount.name == name)) is not None:
        raise AccountExists
    account = BankAccount(name=name, currency=currency, gateway=gateway, organisation=organisation)
    db.session.add(account)
    db.session.flush()
    record("payments.add_bank_account", account, by.id, currency=currency)
    return account


def upload(account: BankAccount, content: bytes, name: str, by: User) -> BankImport:
    """Keep a file to be looked at. Raises BankFileRefused."""
    kept = Layout.from_json(account.layout) if account.layout else None
    layout = guess_layout(content, _today(), kept)
    read_file(content, layout, account.currency)  # refuses what cannot be read at all
    made = BankImport(
        account=account,
        name=name[:120],
        content=content,
        layout=layout.as_json(),
        by_id=by.id,
    )
    db.session.add(made)
    db.session.flush()
    return made


def _today() -> date:
    return clock.local_date(clock.now(), settings().default_time_zone)


def read_again(bank_import: BankImport, layout: Layout) -> None:
    """Read the file as a person says. Raises BankFileRefused and ImportChanged."""
    _still(bank_import)
    content, before = bank_import.content or b"", Layout.from_json(bank_import.layout)
    if (layout.encoding, layout.delimiter) != (before.encoding, before.delimiter):
        layout = guess_layout(
            content, _today(), encoding=layout.encoding, delimiter=layout.delimiter
        )
    read_file(content, layout, bank_import.account.currency)
    bank_import.layout = layout.as_json()
    bank_import.state, bank_import.failure, bank_import.failed_line = ImportState.PREVIEW, "", None
    db.session.flush()


def _still(bank_import: BankImport) -> None:
    """Raises ImportChanged when the file was confirmed."""
    if bank_import.state not in (ImportState.PREVIEW, ImportState.FAILED):
        raise ImportChanged


def read(bank_import: BankImport) -> BankFile:
    """The lines of a file that has not landed. Raises BankFileRefused."""
    layout = Layout.from_json(bank_import.layout)
    return read_file(bank_import.content or b"", layout, bank_import.account.currency)


def preview(bank_import: BankImport) -> Preview:
    """What the file would do if it landed now."""
    file = read(bank_import)
    planned = plan(bank_import.account, file.lines) if not file.problems else []
    return Preview(file, planned, file.may_be_turned(_today()))


def confirm(bank_import: BankImport, version: int, by: User, closing: Money | None = None) -> None:
    """Let the worker land what was looked at. closing: what the bank says is left, if it does.

    Raises ImportChanged when it is not that any more.
    """
    _still(bank_import)
    if bank_import.version != version:
        raise ImportChanged
    bank_import.state, bank_import.by_id = ImportState.WAITING, by.id
    bank_import.read = bank_import.tries = 0
    bank_import.failure, bank_import.failed_line = "", None
    bank_import.closing_minor = closing.minor if closing is not None else None
    try:
        db.session.flush()
    except StaleDataError:
        raise ImportChanged from None
    record("payments.confirm_bank_file", bank_import, by.id, account=bank_import.account_id)
    enqueue(LAND_JOB, import_id=bank_import.id)


def discard(bank_import: BankImport) -> None:
    """Forget a file that was not confirmed. Raises ImportChanged."""
    _still(bank_import)
    db.session.delete(bank_import)
    db.session.flush()


def forget_files() -> None:
    """Forget files that nobody has confirmed for a week."""
    for bank_import in queries.forgotten_imports(clock.now() - KEPT_FOR):
        db.session.delete(bank_import)
    db.session.flush()
