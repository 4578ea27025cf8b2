"""A bank's file from its upload to its lines in the books: all of it lands, or nothing does.

Nothing lands before it was looked at and confirmed. The worker then reads it again and lets it land
in one transaction; lines that are sure confirm their transfers in the same one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.core.settings import settings
from lms.directory.models import Organisation
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post_many
from lms.payments.bank_cells import DayOrder
from lms.payments.bank_files import BankFile, read_file
from lms.payments.bank_layouts import Layout, guess_layout
from lms.payments.bank_models import BankAccount, BankImport, BankLine, ImportState
from lms.payments.errors import AccountExists, ImportChanged
from lms.payments.gateways.base import MovementKind
from lms.payments.models import Payment
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries import bank as queries
from lms.payments.queries import find_payment
from lms.payments.services import payments, refunds
from lms.payments.services.bank_matching import Planned, Verdict, plan, why_not
from lms.payments.services.orders import lock_order

KEPT_FOR = timedelta(days=7)  # files that nobody confirms
LANDS = (Verdict.CONFIRMS, Verdict.RETURNS, Verdict.TELLS, Verdict.LOOK)


class RowFailed(Exception):
    """A line could not land, so none did."""

    def __init__(self, line: int, text: str) -> None:
        self.line, self.text = line, text
        super().__init__(f"line {line}")


@dataclass(frozen=True)
class Preview:
    """What a file would do."""

    file: BankFile
    planned: Sequence[Planned]
    day_order: str

    @property
    def counts(self) -> Counter[Verdict]:
        """How many lines of each kind."""
        return Counter(one.verdict for one in self.planned)

    @property
    def may_be_turned(self) -> bool:
        """Whether each day could as well be a month, and the other way round."""
        days = [line.day for line in self.file.lines]
        return (
            self.day_order != DayOrder.YEAR_FIRST
            and all(day.day <= 12 for day in days)
            and any(day.day != day.month for day in days)
        )

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
    return Preview(file, planned, Layout.from_json(bank_import.layout).day_order)


def confirm(bank_import: BankImport, version: int, by: User, closing: Money | None = None) -> None:
    """Let the worker land what was looked at. closing: what the bank says is left, if it does.

    Raises ImportChanged when it is not that any more.
    """
    _still(bank_import)
    if bank_import.version != version:
        raise ImportChanged
    bank_import.state, bank_import.by_id, bank_import.read = ImportState.WAITING, by.id, 0
    bank_import.failure, bank_import.failed_line = "", None
    bank_import.closing_minor = closing.minor if closing is not None else None
    try:
        db.session.flush()
    except StaleDataError:
        raise ImportChanged from None
    record("payments.confirm_bank_file", bank_import, by.id, account=bank_import.account_id)
    enqueue("payments.land_bank_file", import_id=bank_import.id)


def discard(bank_import: BankImport) -> None:
    """Forget a file that was not confirmed. Raises ImportChanged."""
    _still(bank_import)
    db.session.delete(bank_import)
    db.session.flush()


def note_progress(bank_import: BankImport, read: int) -> None:
    """How many lines the worker has read."""
    db.session.execute(
        update(BankImport)
        .where(BankImport.id == bank_import.id)
        .values(read=read)
        .execution_options(synchronize_session=False)
    )


def fail(bank_import: BankImport, line: int | None, text: str) -> None:
    """Say why nothing has landed."""
    bank_import.state, bank_import.failed_line = ImportState.FAILED, line
    bank_import.failure = text[:500]
    db.session.flush()


def land(bank_import: BankImport) -> None:
    """Let all lines land. Safe to repeat. Raises RowFailed and BankFileRefused."""
    account = db.session.execute(
        select(BankAccount)
        .where(BankAccount.id == bank_import.account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()  # two files of an account land one after the other
    db.session.refresh(bank_import)
    if bank_import.state != ImportState.WAITING:
        return
    found = preview(bank_import)
    if not found.is_ready:
        problem = next(iter(found.file.problems), None)
        raise RowFailed(problem.line if problem else 0, problem.text if problem else "")
    _lock_orders(account, found.planned)
    landing = [one for one in found.planned if one.verdict in LANDS]
    _Landing(account, bank_import, landing).run()
    _close(bank_import, found)


def _lock_orders(account: BankAccount, planned: Sequence[Planned]) -> None:
    """Lock what is to be paid before anything else, in one order; leave out what was paid since."""
    sure = [one for one in planned if one.verdict == Verdict.CONFIRMS and one.order is not None]
    for one in sorted(sure, key=lambda one: (one.order.run_id or 0, one.order.id)):  # type: ignore[union-attr]
        assert one.order is not None
        one.order = lock_order(one.order)
        amount = Money(one.line.minor, account.currency)
        one.why = why_not(account, one.order, one.line.day, amount)
        if one.why is not None:
            one.verdict = Verdict.LOOK


def _close(bank_import: BankImport, found: Preview) -> None:
    counts, file = found.counts, found.file
    bank_import.state, bank_import.done_at = ImportState.DONE, clock.now()
    bank_import.lines = bank_import.read = len(file.lines)
    bank_import.known = counts[Verdict.KNOWN]
    bank_import.confirmed = counts[Verdict.CONFIRMS]
    bank_import.passed_over = counts[Verdict.PASSED]
    bank_import.first_on, bank_import.last_on = file.first_on, file.last_on
    moved = sum(line.minor for line in file.lines)
    if bank_import.account.organisation_id is not None:
        bank_import.closing_minor = None
    elif file.closing is not None:
        bank_import.opening_minor, bank_import.closing_minor = file.opening, file.closing
    elif bank_import.closing_minor is not None:
        bank_import.opening_minor = bank_import.closing_minor - moved
    bank_import.content = None
    bank_import.account.layout = bank_import.layout
    db.session.flush()


class _Landing:
    """The lines of one file on their way into the books."""

    def __init__(
        self, account: BankAccount, bank_import: BankImport, planned: Sequence[Planned]
    ) -> None:
        self.account, self.bank_import, self.planned = account, bank_import, planned
        self.by = db.session.get_one(User, bank_import.by_id)
        self.entries: dict[str, int] = {}  # of lines, by reference
        self.payments: dict[str, int] = {}

    def run(self) -> None:
        """Keep the movements, post them, do what is sure, keep the lines."""
        if not self.planned:
            return
        ids = self._keep_movements()
        if self.account.organisation_id is None:
            self._post_open(ids)
        for one in self.planned:
            self._do(one, ids[one.reference])
        self._keep_lines(ids)

    def _keep_movements(self) -> dict[str, int]:
        currency = self.account.currency
        rows = []
        for one in self.planned:
            at = datetime.combine(one.line.day, time(12), UTC)
            is_open = one.verdict == Verdict.LOOK
            rows.append(
                {
                    "gateway": self.account.gateway,
                    "reference": one.reference,
                    "kind": _kind(one),
                    "category": one.line.text[:200],
                    "source": one.line.reference,
                    "currency": currency,
                    "amount_minor": one.line.minor,
                    "fee_minor": 0,
                    "happened_at": at,
                    "available_at": at,
                    "state": MovementState.OPEN if is_open else MovementState.MATCHED,
                    "explanation": "",
                }
            )
        found = db.session.execute(
            insert(GatewayMovement).returning(GatewayMovement.reference, GatewayMovement.id), rows
        )
        return {row.reference: row.id for row in found}

    def _post_open(self, ids: dict[str, int]) -> None:
        """Money that nobody can explain yet is there all the same."""
        currency = self.account.currency
        unknown = [one for one in self.planned if one.verdict == Verdict.LOOK]
        facts = [
            (
                f"movement:{ids[one.reference]}",
                one.line.day,
                (
                    (Account.BANK.value, Money(one.line.minor, currency)),
                    (Account.SUSPENSE.value, Money(-one.line.minor, currency)),
                ),
            )
            for one in unknown
        ]
        told = post_many(EntryKind.UNKNOWN, facts, rail=self.account.gateway)
        for one in unknown:
            self.entries[one.reference] = told[f"movement:{ids[one.reference]}"]

    def _do(self, one: Planned, movement_id: int) -> None:
        """Do what a sure line asks for. Raises RowFailed, naming the line."""
        if one.verdict == Verdict.LOOK:
            return
        try:
            payment, refund = one.payment, one.refund
            if one.verdict == Verdict.CONFIRMS:
                payment = self._confirm(one)
            if one.verdict == Verdict.RETURNS and refund is not None:
                refunds.settle_by_hand(refund, one.line.reference or one.reference, self.by)
            if payment is not None:
                self._tie(one, movement_id, payment_id=payment.id)
                self._told(one, f"payment:{payment.id}", EntryKind.PAYMENT)
            if refund is not None:
                self._tie(one, movement_id, refund_id=refund.id, payment_id=refund.payment_id)
                self._told(one, f"refund:{refund.id}", EntryKind.REFUND)
        except DomainError as refusal:
            raise RowFailed(one.line.line, str(refusal.text)) from refusal
        except SQLAlchemyError as error:
            raise RowFailed(one.line.line, type(error).__name__) from error
        if one.entry is not None:
            self.entries[one.reference] = one.entry.id

    def _confirm(self, one: Planned) -> Payment:
        assert one.order is not None
        amount = Money(one.line.minor, self.account.currency)
        reference = payment_reference(self.account, one.line.reference, one.reference)
        return payments.confirm_transfer(
            one.order, amount, reference, self.by,
            file=str(self.bank_import.uuid), line=one.line.line,
        )  # fmt: skip

    def _tie(self, one: Planned, movement_id: int, **values: int) -> None:
        db.session.execute(
            update(GatewayMovement)
            .where(GatewayMovement.id == movement_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    def _told(self, one: Planned, source: str, kind: EntryKind) -> None:
        entry_id = queries.entry_id_of(source, kind)
        if entry_id is not None and self.account.organisation_id is None:
            self.entries[one.reference] = entry_id

    def _keep_lines(self, ids: dict[str, int]) -> None:
        db.session.execute(
            insert(BankLine),
            [
                {
                    "movement_id": ids[one.reference],
                    "import_id": self.bank_import.id,
                    "account_id": self.account.id,
                    "line": one.line.line,
                    "day": one.line.day,
                    "text": one.line.text,
                    "name": one.line.name,
                    "why": one.why,
                    "entry_id": self.entries.get(one.reference),
                }
                for one in self.planned
            ],
        )


def payment_reference(account: BankAccount, number: str, reference: str) -> str:
    """How a payment is called: by the bank's number, unless that names another one."""
    if number and find_payment(account.gateway, number) is None:
        return number
    return reference


def _kind(one: Planned) -> MovementKind:
    if one.payment is not None or one.verdict == Verdict.CONFIRMS:
        return MovementKind.PAYMENT
    if one.refund is not None or (one.entry and one.entry.kind == EntryKind.REFUND):
        return MovementKind.REFUND
    return MovementKind.OTHER


def forget_files() -> None:
    """Forget files that nobody has confirmed for a week."""
    for bank_import in queries.forgotten_imports(clock.now() - KEPT_FOR):
        db.session.delete(bank_import)
    db.session.flush()
