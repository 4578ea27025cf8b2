"""What statements are found by can be worked out anew, and is then as storing them afresh."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import delete, select

from lms.core.db import db
from lms.xapi import queries
from lms.xapi.commands.retention import rebuild_keys
from lms.xapi.models import StatementKey, StoredStatement
from lms.xapi.services import rebuilding
from lms.xapi.services.record import own_authority
from lms.xapi.services.store import store_statements
from tests.xapi.test_chains import VOIDED, about, first

FOREIGN = 4711  # a number under which nothing is found


def entries() -> set[tuple[int, int]]:
    rows = db.session.execute(select(StatementKey.key, StatementKey.statement_pk))
    return {(row.key, row.statement_pk) for row in rows}


def rebuild() -> tuple[int, int]:
    found = rebuilding.compare(0, queries.newest_pk())
    changed = sum(rebuilding.mend(found))
    assert changed == len(found.missing) + len(found.surplus)
    return len(found.missing), len(found.surplus)


@pytest.fixture
def fresh(app) -> set[tuple[int, int]]:
    """The entries of statements and chains, in several orders, as storing them wrote them."""
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)):
        end = first()
        middle = about(end["id"])
        chain = [end, middle, about(middle["id"].upper()), about(end["id"], VOIDED)]
        for place in order:
            store_statements([chain[place]], authority=own_authority())
    itself = about(str(uuid.uuid4()))
    itself["object"]["id"] = itself["id"]
    store_statements([itself, first()], authority=own_authority())
    return entries()


def test_nothing_is_wrong_with_what_was_just_stored(fresh):
    assert rebuild() == (0, 0)


def test_lost_entries_come_back_and_false_ones_go(fresh):
    some = sorted(fresh)[::2]
    for key, primary_key in some:
        db.session.execute(
            delete(StatementKey).where(
                StatementKey.key == key, StatementKey.statement_pk == primary_key
            )
        )
    newest = queries.newest_pk()
    db.session.add_all(StatementKey(key=FOREIGN, statement_pk=one) for one in (1, newest))
    db.session.flush()

    assert rebuild() == (len(some), 2)
    assert entries() == fresh
    assert rebuild() == (0, 0)


def test_chains_whose_entries_were_never_passed_on_are_closed(fresh):
    db.session.execute(delete(StatementKey))

    assert rebuild() == (len(fresh), 0)
    assert entries() == fresh


def test_what_an_erased_statement_gave_to_others_goes(app):
    end = first()
    store_statements([end, about(end["id"])], authority=own_authority())
    db.session.execute(
        delete(StoredStatement).where(StoredStatement.statement_id == uuid.UUID(end["id"]))
    )
    rebuild()
    kept = entries()

    db.session.execute(delete(StatementKey))
    rebuild()
    assert entries() == kept
    assert {primary_key for _key, primary_key in kept} == {queries.newest_pk()}


def test_what_was_stored_meanwhile_is_left_alone(fresh):
    db.session.execute(delete(StatementKey).where(StatementKey.statement_pk == 1))
    found = rebuilding.compare(0, queries.newest_pk())
    db.session.execute(delete(StoredStatement).where(StoredStatement.id == 1))

    assert sum(rebuilding.mend(found)) == 0


def test_the_command_goes_through_the_store_in_windows_and_can_only_look(app, fresh, monkeypatch):
    monkeypatch.setattr(rebuilding, "WINDOW", 4)
    run = app.test_cli_runner().invoke
    assert run(rebuild_keys, ["--check"]).exit_code == 0
    with app.app_context():
        db.session.execute(delete(StatementKey).where(StatementKey.statement_pk < 7))
        db.session.commit()

    assert run(rebuild_keys, ["--check"]).exit_code == 1
    done = run(rebuild_keys, [])
    assert done.exit_code == 0
    assert "too many: 0" in done.output
    assert run(rebuild_keys, ["--check"]).exit_code == 0
