"""A bank's file from the upload to the books: all lands or nothing, sure lines enrol, once."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.accounts import Account
from lms.ledger.kinds import EntryKind
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.ledger.services.entries import post
from lms.payments import jobs
from lms.payments.bank_models import BankAccount, BankImport, BankLine
from lms.payments.errors import ReferenceUsed
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Payment, Purchase, Refund, RefundReason
from lms.payments.movement_models import GatewayMovement
from lms.payments.services import bank_imports, baskets, payments, purchases, refunds
from lms.payments.services.bank_lines import match_by_hand
from tests.conftest import DATABASE
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import make_manager, make_organisation
from tests.factories.payments import make_paid_run
from tests.payments.bank_steps import count, file_of, land, line, make_account, order, today, told


@pytest.fixture
def account(app) -> BankAccount:
    return make_account()


def whys() -> list[str | None]:
    return list(db.session.scalars(select(BankLine.why).order_by(BankLine.line)))


def test_the_issues_own_case_windows_commas_and_a_duplicate_line(account):
    ana, rosa = order(), order(Money(69_050, "CAD"))
    twice = line("Comisión", "-2,50")
    found = land(
        account,
        line(f"Transferencia {ana.number}", "120,00", "Ana Núñez"),
        twice,
        twice,
        line(f"PAGO{rosa.number.replace('-', '')}CURSO", "690,50"),
    )

    assert (found.state, found.lines, found.confirmed, found.known) == ("done", 4, 2, 0)
    assert [ana.state, rosa.state] == ["paid", "paid"]
    assert db.session.scalars(select(Enrolment.state)).all() == ["active", "active"]
    names = db.session.scalars(select(BankLine.name)).all()
    assert "Ana Núñez" in names
    assert told()["Assets:Bank CAD"] == 12_000 + 69_050 - 500  # both fees: two lines of one file
    assert told()["Equity:NotExplained CAD"] == -500
    assert [one.what for one in check.unexplained()] == ["money moved and not explained"] * 2


def test_the_same_file_again_lands_nothing(account):
    ana = order()
    lines = [line(f"x {ana.number}"), line("Comisión", "-2,50"), line("Comisión", "-2,50")]
    land(account, *lines)
    before = told()
    again = land(account, *lines, line("nuevo", "7,00"))

    assert (again.lines, again.known, again.confirmed) == (4, 3, 0)
    assert count(BankLine) == 4
    assert count(Payment) == 1
    assert told()["Assets:Bank CAD"] == before["Assets:Bank CAD"] + 700


def test_a_line_with_the_banks_own_number_is_one_however_often_it_stands_there(account):
    headings = "Fecha;Nro operación;Concepto;Importe\r\n"
    rows = [f"{today()};A{n};pago;10,00" for n in range(3)]
    land(account, content=(headings + "\r\n".join(rows)).encode())
    text = headings + "\r\n".join([rows[1].replace("pago", "PAGO VISTO"), f"{today()};A9;x;10,00"])
    again = land(account, content=text.encode())

    assert (again.lines, again.known) == (2, 1)
    assert count(BankLine) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount": "119,99"}, "amount_differs"),
        ({"state": "cancelled"}, "order_closed"),
        ({"state": "refunded"}, "order_closed"),
        ({"gateway": "stripe"}, "other_way"),
        ({"currency": "USD"}, "currency_differs"),
        ({"day": today(-9)}, "too_early"),
        ({"text": "sin referencia"}, "unknown"),
    ],
)
def test_what_is_not_sure_waits_for_a_person_and_enrols_nobody(account, change, why):
    ana = order()
    for name in ("state", "gateway", "currency"):
        if name in change:
            setattr(ana, name, change[name])
    db.session.commit()
    text = change.get("text", ana.number)
    found = land(account, line(text, change.get("amount", "120,00"), day=change.get("day", "")))

    assert (found.confirmed, whys()) == (0, [why])
    assert count(Payment) == 0
    assert db.session.scalars(select(GatewayMovement.state)).all() == ["open"]
    assert "money moved and not explained" in [one.what for one in check.unexplained()]


def test_two_orders_in_one_line_and_an_order_paid_twice_wait_too(account):
    ana, rosa = order(), order()
    found = land(
        account,
        line(ana.number),
        line(f"{ana.number} otra vez"),
        line(f"{ana.number} y {rosa.number}", "240,00"),
    )

    assert (found.confirmed, whys()) == (1, [None, "paid_twice", "two_orders"])
    assert count(Payment) == 1
    assert (ana.state, rosa.state) == ("paid", "draft")


def test_an_order_whose_week_is_over_is_paid_by_the_rule_of_all_late_transfers(account):
    ana = order()
    ana.state = "expired"
    land(account, line(ana.number))

    assert ana.state == "paid"


def test_what_was_confirmed_by_hand_before_is_recognised(account):
    ana, rosa = order(), order()
    by = make_administrator()
    payments.confirm_transfer(ana, ana.total, "EXTRACTO-7", by)
    payments.confirm_transfer(rosa, rosa.total, "A77", by)
    found = land(
        account,
        content=f"Fecha;Nro;Concepto;Importe\r\n{today()};A77;sin nada;120,00\r\n"
        f"{today()};A78;{ana.number};120,00\r\n".encode(),
    )

    assert (found.confirmed, whys()) == (0, [None, None])
    assert count(Payment) == 2
    assert told()["Assets:Bank CAD"] == 24_000
    assert not check.unexplained()


def test_a_payout_of_the_card_service_is_one_with_the_entry_that_told_it(account):
    post(
        EntryKind.PAYOUT, "movement:99", clock.now().date() - timedelta(days=2),
        {Account.BANK: Money(55_000, "CAD"), Account.CLEARING.of("stripe"): Money(-55_000, "CAD")},
    )  # fmt: skip
    land(account, line("STRIPE PAYOUT", "550,00"))

    assert db.session.scalars(select(GatewayMovement.state)).all() == ["matched"]
    assert told()["Assets:Bank CAD"] == 55_000


def test_a_payout_that_is_told_later_is_found_at_night(account):
    land(account, line("STRIPE PAYOUT", "550,00"))
    assert told()["Equity:NotExplained CAD"] == 55_000
    post(
        EntryKind.PAYOUT, "movement:99", clock.now().date(),
        {Account.BANK: Money(55_000, "CAD"), Account.CLEARING.of("stripe"): Money(-55_000, "CAD")},
    )  # fmt: skip
    jobs.match_bank_lines()

    assert told()["Assets:Bank CAD"] == 55_000
    assert "Equity:NotExplained CAD" not in told()
    assert whys() == [None]


def test_money_that_was_sent_back_settles_the_refund_that_was_asked_for(account):
    ana = order()
    land(account, line(ana.number))
    refunds.refund_order(ana, RefundReason.BY_ADMINISTRATOR, by=make_administrator())
    land(account, line(f"Devolución {ana.number}", "-120,00"))

    refund = db.session.scalars(select(Refund)).one()
    assert (refund.state, ana.state) == ("done", "refunded")
    assert "Assets:Bank CAD" not in told()
    assert not check.unexplained()


def test_a_line_that_fails_is_named_and_nothing_lands(account, monkeypatch):
    from lms.payments.errors import ReferenceUsed

    ana, rosa = order(), order()
    confirm = payments.confirm_transfer

    def fail_at_rosa(order, *values, **more):
        if order.id == rosa.id:
            raise ReferenceUsed
        return confirm(order, *values, **more)

    monkeypatch.setattr(payments, "confirm_transfer", fail_at_rosa)
    lines = [line("Comisión", "-1,00"), line(ana.number), line(rosa.number)]
    found = land(account, *lines)

    assert (found.state, found.failed_line) == ("failed", 4)
    assert "recorded before" in found.failure
    assert [count(model) for model in (BankLine, GatewayMovement, Payment, LedgerEntry)] == [0] * 4
    assert ana.state == "draft"

    monkeypatch.undo()
    bank_imports.confirm(found, found.version, make_administrator())
    db.session.commit()
    jobs.land_bank_file(found.id)
    db.session.expire_all()
    assert (found.state, found.confirmed, found.failure) == ("done", 2, "")


def test_a_closing_balance_shows_a_missing_file_and_what_the_bank_does_not_know(account):
    ana = order()
    land(account, line(ana.number, day=today(-40)), closing=Money(112_000, "CAD"))
    ana.created_at -= timedelta(days=60)
    land(account, line("x", "1,00", day=today(-1)), closing=Money(117_100, "CAD"))
    found = {(one.what, one.amount) for one in check.unexplained()}
    assert ("bank and ledger differ", Money(5_000, "CAD")) in found

    with clock.set_to(clock.now() - timedelta(days=20)):
        payments.confirm_transfer(other := order(), other.total, "never came", make_administrator())
    found = {(one.what, one.amount) for one in check.unexplained()}
    assert ("bank and ledger differ", Money(12_000, "CAD")) in found


def test_a_partners_account_keeps_only_what_names_an_order(app, account):
    south = make_organisation(slug="sur")
    theirs = bank_imports.add_account(
        "Banco del Sur", "CAD", "partner_transfer", make_administrator(), south
    )
    ana = order()
    found = land(theirs, line("Sueldos", "-9000,00"), line("Venta"), line(ana.number))

    assert (found.passed_over, found.confirmed) == (2, 0)
    assert whys() == ["other_way"]
    assert not told()


def upload(browser, account, content: bytes, name: str = "mayo.csv"):
    data = {"file": (io.BytesIO(content), name)}
    return browser.post(f"/payments/bank/{account.id}", data=data)


def test_an_administrator_uploads_looks_confirms_and_sees_what_became_of_it(
    account, signed_in, run_jobs
):
    ana = order()
    browser = signed_in(make_administrator())
    content = file_of(line(ana.number), line("=HYPERLINK(1)", "3,00"))

    answer = upload(browser, account, content)
    page = browser.get(answer.location).text
    assert "Confirms the order" in page
    assert ana.number in page
    assert count(GatewayMovement) == 0  # nothing has landed

    version = db.session.scalars(select(BankImport.version)).one()
    assert browser.post(f"{answer.location}/confirm", data={"version": 99}).status_code == 409
    for _click in range(2):
        browser.post(f"{answer.location}/confirm", data={"version": version})
    assert "being read" in browser.get(answer.location).text
    run_jobs()
    page = browser.get(answer.location).text
    assert "1 line waits for a person" in page

    rows = list(csv.reader(io.StringIO(browser.get(f"{answer.location}.csv").text)))
    assert rows[1][-1] == ana.number
    assert rows[2][4] == "'=HYPERLINK(1)"
    row = db.session.scalars(select(GatewayMovement).where(GatewayMovement.state == "open")).one()
    assert "HYPERLINK" in browser.get("/admin/payments/reconciliation").text
    values = {"account": Account.BANK_FEE.value, "explanation": "Fee"}
    address = f"/admin/payments/movements/{row.id}"
    assert browser.post(f"{address}/explain", data=values).status_code == 303
    assert not check.unexplained()


def test_columns_are_put_right_and_remembered(account, signed_in):
    browser = signed_in(make_administrator())
    rows = ["Uno;Dos;Tres;Cuatro", f"{today()};5,00;120,00;hola", f"{today()};6,00;7,00;hola"]
    address = upload(browser, account, "\n".join(rows).encode()).location
    values = {
        "encoding": "utf-8-sig", "delimiter": ";", "decimal": ",", "day_order": "dmy",
        "columns-0": "day", "columns-1": "", "columns-2": "amount", "columns-3": "text",
    }  # fmt: skip

    wrong = browser.post(f"{address}/layout", data=values | {"columns-2": ""})
    assert "which column holds the amount" in browser.get(wrong.location).text
    assert browser.post(f"{address}/layout", data=values).status_code == 303
    assert "CAD 120.00" in browser.get(address).text
    found = db.session.scalars(select(BankImport)).one()
    browser.post(f"{address}/confirm", data={"version": found.version})
    jobs.land_bank_file(found.id)
    again = upload(browser, account, "\n".join([*rows[:1], f"{today()};1,00;99,00;x"]).encode())

    assert "CAD 99.00" in browser.get(again.location).text


def test_a_wrong_file_is_refused_with_the_reason_and_one_not_wanted_is_forgotten(
    account, signed_in
):
    browser = signed_in(make_administrator())

    answer = upload(browser, account, b"PK\x03\x04 renamed", "mayo.csv")
    assert (answer.status_code, count(BankImport)) == (422, 0)
    assert "This is a spreadsheet" in answer.text
    assert browser.post(f"/payments/bank/{account.id}").status_code == 422

    address = upload(browser, account, file_of(line("x"))).location
    assert browser.post(f"{address}/discard").status_code == 303
    assert count(BankImport) == 0


def test_days_that_could_be_months_are_told(account, signed_in):
    browser = signed_in(make_administrator())
    words = "day and month the other way round"
    for day, is_told in (("03/04/2026", True), ("03/14/2026", False), ("2026-03-04", False)):
        address = upload(browser, account, file_of(line("x", day=day))).location
        assert (words in browser.get(address).text) == is_told, day


def test_days_of_a_kept_layout_are_told_as_well(account, signed_in):
    """The layout of the file before says day first; a word in place of a month leaves no doubt."""
    browser = signed_in(make_administrator())
    land(account, line("x", day="14/02/2026"))
    for day, is_told in (("03/04/2026", True), ("3-abr-26", False), ("2026-03-04", False)):
        page = browser.get(upload(browser, account, file_of(line("y", day=day))).location).text
        assert ("day and month the other way round" in page) == is_told, day


def test_a_broken_row_cannot_be_confirmed(account, signed_in):
    browser = signed_in(make_administrator())
    content = file_of(line("a"), line("b", day="32/01/2027"), line("c"))
    address = upload(browser, account, content).location

    assert "Line 3" in browser.get(address).text
    version = db.session.scalars(select(BankImport.version)).one()
    assert browser.post(f"{address}/confirm", data={"version": version}).status_code == 422


@pytest.mark.parametrize(("amount", "state"), [("120,00", "paid"), ("100,00", "draft")])
def test_a_line_is_matched_by_hand_with_a_reason(account, signed_in, amount, state):
    ana = order()
    land(account, line("sin referencia", amount))
    row = db.session.scalars(select(GatewayMovement)).one()
    address = f"/admin/payments/movements/{row.id}"
    browser = signed_in(make_administrator())
    assert (ana.number in browser.get(address).text) == (state == "paid")  # offered

    wrong = browser.post(f"{address}/match", data={"order": "P-2020-999999", "reason": "x"})
    assert (wrong.status_code, "no order with this number" in wrong.text) == (422, True)
    assert browser.post(f"{address}/match", data={"order": ana.number}).status_code == 422
    values = {"order": ana.number.lower().replace("-", " "), "reason": "She phoned"}
    assert browser.post(f"{address}/match", data=values).status_code == 303
    assert browser.post(f"{address}/match", data=values).status_code in (303, 404)

    db.session.expire_all()
    assert (ana.state, row.state, count(Payment)) == (state, "matched", 1)
    assert "Equity:NotExplained CAD" not in told()
    assert told()["Assets:Bank CAD"] == int(amount[:3]) * 100


def test_only_those_whose_account_it_is_open_its_files(account, signed_in):
    manager = make_manager(south := make_organisation(slug="sur"))
    theirs = bank_imports.add_account(
        "Banco del Sur", "CAD", "partner_transfer", make_administrator(), south
    )
    own = bank_imports.upload(account, file_of(line("x")), "a.csv", make_administrator())
    db.session.commit()
    browser, other = signed_in(manager), signed_in(make_user())

    assert browser.get(f"/payments/bank/{theirs.id}").status_code == 200
    assert browser.get(f"/payments/bank/{account.id}").status_code == 403
    for one in (browser, other):
        address = f"/payments/bank/files/{own.uuid}"
        assert one.get(address).status_code == 403
        assert one.get("/admin/payments/bank").status_code == 403
        for act in ("layout", "confirm", "discard"):
            assert one.post(f"{address}/{act}", data={"version": 1}).status_code == 403
        assert upload(one, account, file_of(line("x"))).status_code == 403
    assert other.get(f"/payments/bank/{theirs.id}").status_code == 403


def test_files_that_nobody_confirms_are_forgotten(account):
    made = bank_imports.upload(account, file_of(line("x")), "a.csv", make_administrator())
    bank_imports.forget_files()
    assert count(BankImport) == 1
    made.made_at -= timedelta(days=8)
    bank_imports.forget_files()
    assert count(BankImport) == 0


@pytest.mark.slow
def test_thousands_of_lines_land_at_once(account):
    day, lines = date(2027, 5, 3), 20_000 if DATABASE == "sqlite" else 4_000
    rows = [f"{day:%d/%m/%Y};Linea {n};x;{n},00" for n in range(1, lines + 1)]
    found = land(account, *rows)

    assert (found.state, found.lines, count(BankLine)) == ("done", lines, lines)


def bought_at_once(*totals: Money) -> Purchase:
    """Somebody who ordered several courses from the basket, and chose to transfer."""
    buyer = make_user(country="BO", name="Ana Núñez")
    for total in totals or (Money(12_000, "CAD"), Money(8_050, "CAD")):
        baskets.add_run(buyer, make_paid_run(price=total))
    shown = baskets.show_basket(buyer, "BO", "CAD")
    purchase = baskets.order_basket(
        buyer, "bank_transfer", shown.tickets(buyer), country="BO", currency="CAD"
    )
    started = payment_gateways["bank_transfer"].start(purchase)
    purchases.keep_page(purchase, started, purchase.attempt)
    db.session.commit()
    return purchase


def all_paid(purchase: Purchase) -> bool:
    states = [(order.state, order.enrolment.state) for order in purchase.orders]
    return states == [("paid", "active")] * len(purchase.orders)


@pytest.mark.parametrize("which", [[0], [1], [0, 1]])
def test_one_transfer_pays_all_that_was_bought_at_once(account, which):
    purchase = bought_at_once()
    words = " ".join(purchase.orders[place].number for place in which)
    found = land(account, line(f"cursos {words}", "200,50"), line("Comisión", "-2,50"))

    assert all_paid(purchase)
    assert (found.lines, found.confirmed) == (2, 2)
    assert [row.amount.minor for row in db.session.scalars(select(Payment)).all()] == [
        12_000,
        8_050,
    ]
    assert told()["Assets:Bank CAD"] == 20_050 - 250
    assert [one.what for one in check.unexplained()] == ["money moved and not explained"]
    again = land(account, line(f"cursos {words}", "200,50"))
    assert (again.known, count(Payment)) == (1, 2)


def test_another_sum_than_all_or_one_of_them_waits_for_a_person(account):
    purchase = bought_at_once()
    first, second = purchase.orders
    land(account, line(first.number, "199,00"), line(second.number, "80,50"))

    assert [first.state, second.state] == ["pending", "paid"]  # it paid its own order alone
    assert whys() == ["amount_differs", None]
    land(account, line(first.number, "120,00"))
    assert all_paid(purchase)


def test_what_a_person_confirmed_for_all_of_them_is_told_by_the_line(account):
    purchase = bought_at_once()
    purchases.confirm_transfer(purchase.orders[1], purchase.total, "TR-1", make_administrator())
    db.session.commit()
    assert all_paid(purchase)
    assert not check.unexplained()
    found = land(account, line(purchase.reference, "200,50"))

    assert (found.confirmed, count(Payment), count(BankLine)) == (0, 2, 2)
    assert not check.unexplained()
    with pytest.raises(ReferenceUsed):
        purchases.confirm_transfer(order(), Money(12_000, "CAD"), "TR-1/1", make_administrator())


def test_a_line_without_reference_is_matched_to_all_of_them_by_hand(account):
    purchase = bought_at_once()
    land(account, line("sin referencia", "200,50"))
    [row] = db.session.scalars(select(BankLine)).all()
    assert not all_paid(purchase)
    match_by_hand(row, purchase.orders[1], "The buyer wrote", make_administrator())
    db.session.commit()

    assert all_paid(purchase)
    assert [one.movement.amount.minor for one in db.session.scalars(select(BankLine))] == [
        12_000, 8_050,
    ]  # fmt: skip
    assert told()["Assets:Bank CAD"] == 20_050
    assert not check.unexplained()
    again = land(account, line("sin referencia", "200,50"))
    assert (again.known, count(Payment)) == (1, 2)
