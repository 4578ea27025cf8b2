"""What an open movement was, as a person says: for one, or for several at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record, record_all
from lms.core.db import db
from lms.core.settings import settings
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.queries import told_facts
from lms.ledger.services.entries import post_many
from lms.payments.bank_models import BankLine
from lms.payments.errors import MovementExplained, NotForAllMovements
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.queries.bank import bank_lines

# What a person may find an open movement to be.
EXPLAINS = (
    Account.PROCESSOR,
    Account.DISPUTE_FEE,
    Account.DONATIONS,
    Account.BANK,
    Account.BAD_DEBT,
    Account.EXCHANGE_GAIN,
    Account.EXCHANGE_LOSS,
)
# The same for a line of a bank account; not of another's account, which the ledger does not keep.
EXPLAINS_LINES = (
    Account.BANK_FEE,
    Account.OTHER,
    Account.DONATIONS,
    Account.PROCESSOR,
    Account.EXCHANGE_GAIN,
    Account.EXCHANGE_LOSS,
    Account.BAD_DEBT,
)


def accounts_for(line: BankLine | None) -> Sequence[Account]:
    """What a person may find a movement to be. line: the bank's behind it, where there is one."""
    if line is None:
        return EXPLAINS
    return EXPLAINS_LINES if line.account.organisation_id is None else (Account.OTHER,)


def own_movement(row: GatewayMovement, owner: User | None, by: User) -> None:
    """Say who looks after an open movement."""
    row.owner = owner
    record("payments.own_movement", row, by.id, owner=owner.id if owner else None)


def explain(rows: Sequence[GatewayMovement], account: Account, explanation: str, by: User) -> None:
    """Say what open movements were: all of them, or none.

    Raises MovementExplained when somebody explained one of them before, and NotForAllMovements
    when one of them cannot be this.
    """
    lines = bank_lines(rows)
    if any(account not in accounts_for(lines.get(row.id)) for row in rows):
        raise NotForAllMovements
    _close(rows, account, explanation)
    record_all("payments.explain_movement", rows, by.id, account=account.value)
    sources = {f"movement:{row.id}": row for row in rows}
    told = told_facts(EntryKind.UNKNOWN, sources)  # on a partner's account: never ours
    day = clock.local_date(clock.now(), settings().default_time_zone)
    by_rail: dict[str, list[str]] = {}
    for source in told:
        by_rail.setdefault(sources[source].gateway, []).append(source)
    for rail, some in by_rail.items():
        amounts = [(source, sources[source].amount) for source in some]
        facts = [
            (source, day, ((Account.SUSPENSE.value, amount), (account.value, -amount)))
            for source, amount in amounts
        ]
        post_many(EntryKind.EXPLAINED, facts, rail=rail, reason=explanation)


def _close(rows: Sequence[GatewayMovement], account: Account, explanation: str) -> None:
    ids = sorted({row.id for row in rows})
    chosen = GatewayMovement.id.in_(ids)
    db.session.scalars(  # in one order, so that two people never wait for each other
        select(GatewayMovement.id).where(chosen).order_by(GatewayMovement.id).with_for_update()
    ).all()
    closed = db.session.scalars(
        update(GatewayMovement)
        .where(chosen, GatewayMovement.state == MovementState.OPEN)
        .values(
            state=MovementState.EXPLAINED,
            account=account.value,
            explanation=explanation,
            explained_at=clock.now(),
        )
        .execution_options(synchronize_session="fetch")
        .returning(GatewayMovement.id)
    ).all()
    if len(closed) < len(ids):
        raise MovementExplained
