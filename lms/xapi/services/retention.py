"""How long statements are kept: rules by age, and orders to erase one person's, with a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlalchemy import Select, func, select

from lms.accounts.models import User
from lms.accounts.queries import find_user
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.outbox import enqueue
from lms.core.sealing import seal, unseal
from lms.core.settings import settings
from lms.xapi import vocabulary
from lms.xapi.lookup import agent_key
from lms.xapi.models import (
    Erasure,
    ErasureKind,
    ErasureWay,
    ForwardingTarget,
    RetentionRule,
    StoredStatement,
)
from lms.xapi.services import erasure, summaries
from lms.xapi.services.selection import Selection

CHUNK = 500  # statements deleted in one transaction
_PURPOSE = "xapi-erasure"


@dataclass(frozen=True)
class Preview:
    """What a rule would delete now."""

    count: int
    oldest: datetime | None
    newest: datetime | None
    verbs: Sequence[tuple[str, int]]  # the most frequent ones


def add_rule(name: str, days: int, wanted: Selection) -> RetentionRule:
    """Write down a rule; it deletes nothing until it is made active."""
    rule = RetentionRule(name=name, days=days)
    wanted.keep_in(rule)
    db.session.add(rule)
    db.session.flush()
    return rule


def _due(rule: RetentionRule) -> Select[StoredStatement]:
    """The statements that a rule deletes now. When no plugin knows its limit, there are none."""
    before = clock.now() - timedelta(days=rule.days)
    return select(StoredStatement).where(
        StoredStatement.stored < before, *Selection.of(rule).conditions()
    )


def preview(rule: RetentionRule) -> Preview:
    """Count what a rule would delete now."""
    found = _due(rule).with_only_columns(
        func.count(), func.min(StoredStatement.stored), func.max(StoredStatement.stored)
    )
    count, oldest, newest = db.session.execute(found).one()
    by_verb = (
        _due(rule)
        .with_only_columns(StoredStatement.verb_id, func.count())
        .group_by(StoredStatement.verb_id)
        .order_by(func.count().desc())
        .limit(10)
    )
    verbs = [(verb, number) for verb, number in db.session.execute(by_verb)] if count else []
    return Preview(count, oldest, newest, verbs)


def keep_rules() -> None:
    """By the clock: delete what active rules do not let stay; outside of a transaction."""
    with transaction(write=False):
        active = select(RetentionRule.id).where(RetentionRule.is_active).order_by(RetentionRule.id)
        rule_ids = db.session.scalars(active).all()
    for rule_id in rule_ids:
        run_rule(rule_id)


def run_rule(rule_id: int, ordered_by_id: int | None = None) -> int:
    """Delete what one rule does not let stay, chunk by chunk; returns how many statements.

    Runs outside of a transaction. Safe to repeat: what is gone is gone, and each chunk is in the
    log in the same transaction.
    """
    log_id: int | None = None
    total = 0
    while True:
        with transaction():
            rule = db.session.get(RetentionRule, rule_id)
            if rule is None:
                return total
            rule.last_run_at = clock.now()
            due = _due(rule).with_only_columns(StoredStatement.id)
            primary_keys = db.session.scalars(due.order_by(StoredStatement.id).limit(CHUNK)).all()
            if primary_keys:
                summaries.count_all()
                log = db.session.get(Erasure, log_id) if log_id else None
                if log is None:
                    log = Erasure(
                        kind=ErasureKind.RULE,
                        way=ErasureWay.DELETE,
                        rule_id=rule.id,
                        ordered_by_id=ordered_by_id,
                        targets=_targets(),
                    )
                    db.session.add(log)
                deleted = erasure.delete_statements(primary_keys)
                log.deleted = (log.deleted or 0) + deleted
                log.finished_at = clock.now()
                db.session.flush()
                log_id, total = log.id, total + deleted
        if len(primary_keys) < CHUNK:
            return total


def _targets() -> list[str]:
    """Other stores that may have copies, by their names."""
    return list(db.session.scalars(select(ForwardingTarget.name).order_by(ForwardingTarget.id)))


def identifiers_of(text: str) -> tuple[str, ...]:
    """All identifiers of the person that a text stands for: also the account, for an own address.

    text: as `erasure.identifiers_of` takes it.
    """
    found = erasure.identifiers_of(text)
    user = find_user(text.strip().removeprefix("mailto:"))
    return (*found, *identifiers_of_user(user)) if user is not None else found


def identifiers_of_user(user: User) -> tuple[str, ...]:
    """As what a person with an account stands in statements: the account here, and the address."""
    account = agent_key(vocabulary.actor(user)) or ""
    return (account, *erasure.identifiers_of_address(user.email))


def order_erasure(
    identifiers: Sequence[str], way: ErasureWay, ordered_by_id: int | None
) -> Erasure:
    """Let a person's records be erased after the commit; the log has the order at once."""
    order = Erasure(
        kind=ErasureKind.PERSON,
        way=way,
        ordered_by_id=ordered_by_id,
        identifiers_sealed=seal(orjson.dumps(list(identifiers)).decode(), _PURPOSE),
        targets=_targets(),
    )
    db.session.add(order)
    db.session.flush()
    enqueue("xapi.erase_person", erasure_id=order.id)
    return order


def carry_out(erasure_id: int) -> None:
    """The job of `order_erasure`; done once."""
    order = db.session.get(Erasure, erasure_id, with_for_update=True)
    if order is None or order.identifiers_sealed is None:
        return
    identifiers = orjson.loads(unseal(order.identifiers_sealed, _PURPOSE))
    _erase(order, identifiers)


def erase_closed_account(user: User) -> Erasure:
    """What the closing of an account does to the person's records, as the setting says."""
    way = ErasureWay(settings().records_of_closed_accounts)
    # not who closed it: that would say who the pseudonym was
    order = Erasure(kind=ErasureKind.ACCOUNT, way=way, targets=_targets())
    db.session.add(order)
    _erase(order, identifiers_of_user(user))
    return order


def _erase(order: Erasure, identifiers: Sequence[str]) -> None:
    done = erasure.erase_person(identifiers, anonymise=order.way == ErasureWay.ANONYMISE)
    order.deleted, order.changed, order.documents = done.deleted, done.changed, done.documents
    order.identifiers_sealed, order.finished_at = None, clock.now()
    db.session.flush()
