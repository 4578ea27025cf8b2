"""Several movements explained at once, with one account and one reason: all of them, or none."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.ledger.accounts import Account
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.payments.bank_models import BankAccount
from lms.payments.errors import MovementExplained
from lms.payments.movement_models import GatewayMovement
from lms.payments.services import bank_imports, explaining
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import make_organisation
from tests.payments.bank_steps import land, line, make_account, order, told

ADDRESS = "/admin/payments/reconciliation"
FEES = {"account": Account.BANK_FEE.value, "explanation": "Monthly fees"}


@pytest.fixture
def account(app) -> BankAccount:
    return make_account()


def open_rows() -> list[GatewayMovement]:
    db.session.expire_all()
    found = select(GatewayMovement).where(GatewayMovement.state == "open")
    return list(db.session.scalars(found.order_by(GatewayMovement.id)))


def test_several_lines_are_explained_at_once(account, signed_in):
    land(account, *(line(f"Comisión {n}", f"-{n},00") for n in range(1, 5)))
    rows = open_rows()
    browser = signed_in(make_administrator())
    page = browser.get(ADDRESS).text
    assert page.count('name="chosen"') == 4
    assert 'value="Assets:ClearingStripe"' not in page  # only what these lines can be

    chosen = [row.id for row in rows[:3]]
    for missing in (
        {"chosen": []},
        {"account": ""},
        {"explanation": ""},
        {"account": "Assets:Bank"},
    ):
        answer = browser.post(ADDRESS + "/explain", data=FEES | {"chosen": chosen} | missing)
        assert (answer.status_code, len(open_rows())) == (422, 4), missing
    answer = browser.post(f"{ADDRESS}/explain", data=FEES | {"chosen": chosen})

    assert answer.status_code == 303
    assert "3 movements are explained" in browser.get(ADDRESS).text
    assert [row.id for row in open_rows()] == [rows[3].id]
    assert told()["Expenses:BankFee CAD"] == 600
    assert told()["Equity:NotExplained CAD"] == -400
    entries = db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "explained")).all()
    assert {(one.reason, one.rail) for one in entries} == {("Monthly fees", "bank_transfer")}
    acts = db.session.scalars(select(AuditEntry.subject_id).where(
        AuditEntry.act == "payments.explain_movement")).all()  # fmt: skip
    assert sorted(acts) == sorted(str(one) for one in chosen)
    assert len(check.unexplained()) == 1


def test_one_that_somebody_explained_meanwhile_keeps_all_open(account, signed_in):
    by = make_administrator()
    land(account, *(line(f"x{n}", f"{n},00") for n in range(1, 4)))
    rows = open_rows()
    browser = signed_in(by)
    explaining.explain([rows[1]], Account.OTHER, "Seen first", by)
    db.session.commit()
    before = told()

    answer = browser.post(f"{ADDRESS}/explain", data=FEES | {"chosen": [row.id for row in rows]})

    assert answer.status_code == MovementExplained.status
    assert [row.id for row in open_rows()] == [rows[0].id, rows[2].id]
    assert told() == before
    unknown = browser.post(f"{ADDRESS}/explain", data=FEES | {"chosen": [rows[0].id, 999_999]})
    assert (unknown.status_code, len(open_rows())) == (404, 2)


def test_what_not_all_can_be_explains_none(account, signed_in):
    south = make_organisation(slug="sur")
    theirs = bank_imports.add_account(
        "Banco del Sur", "CAD", "partner_transfer", make_administrator(), south
    )
    ana = order()
    land(theirs, line(ana.number))  # to be paid by another way
    land(account, line("Comisión", "-2,00"))
    rows = open_rows()
    browser = signed_in(make_administrator())
    data = {"chosen": [row.id for row in rows], "explanation": "?"}

    answer = browser.post(f"{ADDRESS}/explain", data=data | {"account": Account.BANK_FEE.value})
    assert (answer.status_code, "Not all that you chose" in answer.text) == (422, True)
    assert len(open_rows()) == 2
    assert answer.text.count(" checked") == 2
    assert browser.post(
        f"{ADDRESS}/explain", data=data | {"account": Account.OTHER.value}
    ).status_code == 303  # fmt: skip

    assert not open_rows()
    assert told() == {"Assets:Bank CAD": -200, f"{Account.OTHER} CAD": -200}


def test_only_administrators_explain(account, client, signed_in):
    land(account, line("x"))
    data = FEES | {"chosen": [row.id for row in open_rows()]}
    assert client.post(f"{ADDRESS}/explain", data=data).status_code in (302, 403)
    assert signed_in(make_user()).post(f"{ADDRESS}/explain", data=data).status_code == 403
    assert len(open_rows()) == 1


def test_as_many_statements_for_forty_lines_as_for_four(account, count_queries):
    by = make_administrator()
    counts = []
    for number in (4, 40):
        land(account, *(line(f"fee {number} {n}", f"-{n},00") for n in range(1, number + 1)))
        rows = open_rows()
        count_queries()
        explaining.explain(rows, Account.BANK_FEE, "fees", by)
        counts.append(count_queries())
        db.session.commit()
    assert counts[1] <= counts[0] + 2
