"""A confirmed file of a bank on its way into the books: all of it lands, or nothing does.

The worker reads it again and lets it land in one transaction; lines that are sure confirm their
transfers in the same one. A try that breaks off is taken up again, and after some the file is one
that failed: none stays "being read" for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time

from sqlalchemy import insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.models import JobState, OutboxRow
from lms.core.money import Money
from lms.core.outbox import enqueue
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.services.entries import post_many
from lms.payments.bank_models import BankAccount, BankImport, BankLine, ImportState
from lms.payments.gateways.base import MovementKind, part_reference
from lms.payments.models import Payment
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries import bank as queries
from lms.payments.queries import find_payment
from lms.payments.services import payments, refunds
from lms.payments.services.bank_imports import LAND_JOB as JOB
from lms.payments.services.bank_imports import Preview, preview
from lms.payments.services.bank_matching import Planned, Verdict, why_not
from lms.payments.services.orders import lock_order

LANDS = (Verdict.CONFIRMS, Verdict.RETURNS, Verdict.TELLS, Verdict.LOOK)
MOST_TRIES = 3  # that break off without a reason: an error that nobody expected, a killed worker


class RowFailed(Exception):
    """A line could not land, so none did."""

    def __init__(self, line: int, text: str) -> None:
        self.line, self.text = line, text
        super().__init__(f"line {line}")


def begin(import_id: int) -> bool:
    """Note one more try to let a file land, before anything can break off; whether it is due.

    After `MOST_TRIES` the file has failed, with no other reason than that.
    """
    due = db.session.execute(
        update(BankImport)
        .where(BankImport.id == import_id, BankImport.state == ImportState.WAITING)
        .values(tries=BankImport.tries + 1)
        .execution_options(synchronize_session=False)
        .returning(BankImport.tries)
    ).scalar()
    if due is not None and due > MOST_TRIES:
        fail(import_id, None, "")
        return False
    return due is not None


def note_progress(import_id: int, read: int) -> None:
    """How many lines the worker has read."""
    db.session.execute(
        update(BankImport)
        .where(BankImport.id == import_id)
        .values(read=read)
        .execution_options(synchronize_session=False)
    )


def fail(import_id: int, line: int | None, text: str) -> None:
    """Say why nothing has landed, unless another worker has let it land. text: empty when it broke
    off and nobody knows why."""
    bank_import = db.session.get_one(BankImport, import_id)
    _lock(bank_import)
    if bank_import.state != ImportState.WAITING:
        return
    bank_import.state, bank_import.failed_line = ImportState.FAILED, line
    bank_import.failure = text[:500]
    db.session.flush()


def resume() -> int:
    """Have files read whose work was given up before it could say so; how many."""
    is_under_way = select(OutboxRow.payload).where(
        OutboxRow.job == JOB, OutboxRow.state.in_((JobState.WAITING, JobState.RUNNING))
    )
    under_way = {payload["import_id"] for payload in db.session.scalars(is_under_way)}
    waiting = db.session.scalars(
        select(BankImport.id).where(BankImport.state == ImportState.WAITING).order_by(BankImport.id)
    )
    left = [import_id for import_id in waiting if import_id not in under_way]
    for import_id in left:
        enqueue(JOB, import_id=import_id)
    return len(left)


def _lock(bank_import: BankImport) -> BankAccount:
    """Lock the account: two files of it land one after the other."""
    account = db.session.execute(
        select(BankAccount)
        .where(BankAccount.id == bank_import.account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    db.session.refresh(bank_import)
    return account


def land(bank_import: BankImport) -> None:
    """Let all lines land. Safe to repeat. Raises RowFailed and BankFileRefused."""
    account = _lock(bank_import)
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
        reference = payment_reference(self.account, one.line.reference, one.reference, one.part)
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


def payment_reference(account: BankAccount, number: str, reference: str, part: int = 0) -> str:
    """How a payment is called: by the bank's number, unless that names another one.

    part: counted from 1, of a transfer for several orders.
    """
    if number and part:
        number = part_reference(number, part)
    if number and find_payment(account.gateway, number) is None:
        return number
    return reference


def _kind(one: Planned) -> MovementKind:
    if one.payment is not None or one.verdict == Verdict.CONFIRMS:
        return MovementKind.PAYMENT
    if one.refund is not None or (one.entry and one.entry.kind == EntryKind.REFUND):
        return MovementKind.REFUND
    return MovementKind.OTHER
