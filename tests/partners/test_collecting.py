"""Partners that collect in their own currency: offered, confirmed, owed, netted, sent back."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select, update

from lms.accounts.step_up import FIELD
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.models import LedgerEntry
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.partners import queries
from lms.partners.collecting_models import CollectedOrder, Collector
from lms.partners.errors import ReferenceUsed, TooMuch
from lms.partners.services import collecting, statements
from lms.payments.bank_models import BankImport
from lms.payments.errors import GatewayUnknown
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order, Payment, RefundReason
from lms.payments.services import orders, refunds
from tests.factories.accounts import code_of, give_second_factor, make_administrator, make_user
from tests.factories.payments import make_paid_run
from tests.partners.ways import agree, partner, percent
from tests.payments.checkout_steps import place_order

PRICE = Money(90_000, "BOB")
RECEIVABLE = "Assets:PartnerReceivable:Sur BOB"


def png() -> bytes:
    content = io.BytesIO()
    Image.new("L", (8, 8)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def south(app):
    """An institution that shares a course and collects for it in bolivianos."""
    run = make_paid_run(price=PRICE, starts_on=clock.now().date() + timedelta(days=9))
    organisation, manager = partner("sur")
    agree(run, percent(organisation, 4_000), on=clock.now().date() - timedelta(days=5),
          managers=[manager])  # fmt: skip
    collector = collecting.add_collector(
        organisation, "BOB", "BO", make_administrator(),
        holder="Centro Sur", bank="Banco Andino", account="400-77", qr_text="BO|400-77",
    )  # fmt: skip
    db.session.commit()
    return run, organisation, manager, collector


def told() -> dict[str, int]:
    return {f"{one.account} {one.currency}": one.amount.minor for one in balances() if one.amount}


def order_of(run, user=None, country="BO") -> Order:
    """Somebody who chose to pay the partner, and has seen how."""
    made = orders.place_order(run, user or make_user(), collecting.GATEWAY, country=country)
    orders.keep_page(made, payment_gateways[collecting.GATEWAY].start(made), made.attempt)
    db.session.commit()
    return made


def confirmed(run, reference="R1") -> Order:
    made = order_of(run)
    kept = collecting.get_collected(made.uuid)
    collecting.confirm(kept, made.total, reference, make_administrator())
    db.session.commit()
    return made


def test_it_is_offered_where_price_course_and_country_fit(south, signed_in):
    run = south[0]
    label = "QR code or transfer in your country"
    browser = signed_in(make_user())

    page = browser.post(f"/checkout/{run.uuid}", data={"apply": "1", "country": "BO"}).text
    assert label in page
    for country in ("PE", ""):
        data = {"apply": "1", "country": country}
        assert label not in browser.post(f"/checkout/{run.uuid}", data=data).text
    in_dollars = make_paid_run(run.course, price=Money(9_000, "CAD"))
    other_course = make_paid_run(price=PRICE)
    for other in (in_dollars, other_course):
        data = {"apply": "1", "country": "BO"}
        assert label not in browser.post(f"/checkout/{other.uuid}", data=data).text
        with pytest.raises(GatewayUnknown):
            orders.place_order(other, make_user(), collecting.GATEWAY, country="BO")


def test_the_buyer_sees_amount_reference_code_and_time_on_the_page_and_by_mail(
    south, signed_in, mails
):
    run = south[0]
    browser = signed_in(make_user(language="en"))

    answer = place_order(browser, run, {"gateway": collecting.GATEWAY, "country": "BO"})
    order = db.session.scalars(select(Order)).one()
    page = browser.get(answer.location.replace("http://puente.test", "")).text

    for words in (order.number, "BOB 900.00", "Banco Andino", "400-77", "<svg", "La Paz"):
        assert words in page
    held = db.session.scalars(select(Enrolment.offer_expires_at)).one()
    assert timedelta(days=2, hours=23) < held - clock.now() < timedelta(days=3)
    [mail] = [one for one in mails() if "How to pay" in one["Subject"]]
    text = mail.get_body(("plain",)).get_content()
    for words in (order.number, "400-77", "Banco Andino", "BOB 900.00"):
        assert words in text


def test_the_partners_people_confirm_and_the_partner_owes_the_money(south, proven):
    run, _organisation, manager, _collector = south
    order = order_of(run)
    browser = proven(manager)
    page = browser.get("/partners/collections").text
    assert order.number in page
    assert order.user.name in page
    address = f"/partners/collections/{order.uuid}/confirm"

    for wrong in ({}, {"amount": "1", "reference": "R1"}, {"amount": "900,00", "reference": ""}):
        assert browser.post(address, data=wrong).status_code == 422
    values = {"amount": "900.00", "reference": "R1"}
    assert browser.post(address, data=values).status_code == 303
    assert browser.post(address, data=values).status_code == 409

    db.session.expire_all()
    assert order.state == "paid"
    assert db.session.scalars(select(Enrolment.state)).all() == ["active"]
    assert told()[RECEIVABLE] == 90_000
    assert "Assets:Bank BOB" not in told()
    assert db.session.scalars(select(Payment.reference)).one() == "sur:R1"
    assert not check.unexplained()


def test_a_file_of_the_partners_bank_confirms_by_the_same_rule(south, proven, run_jobs):
    run, _organisation, manager, collector = south
    order = order_of(run)
    browser = proven(manager)
    day = f"{clock.now():%d/%m/%Y}"
    text = f"Fecha;Glosa;Monto\n{day};QR {order.number};900,00\n{day};Alquiler;-500,00\n"
    data = {"file": (io.BytesIO(text.encode()), "mayo.csv")}

    answer = browser.post(f"/payments/bank/{collector.bank_account_id}", data=data)
    assert "Confirms the order" in browser.get(answer.location).text
    browser.post(f"{answer.location}/confirm", data={"version": 1})
    run_jobs()
    assert "Alquiler" not in browser.get(answer.location).text
    db.session.expire_all()

    assert order.state == "paid"
    assert told()[RECEIVABLE] == 90_000
    assert not check.unexplained()


def test_other_people_neither_see_nor_confirm(south, signed_in, proven):
    run, _organisation, _manager, collector = south
    order = order_of(run)
    _other, stranger = partner("norte")
    buyer = order.user
    values = {"amount": "900.00", "reference": "R1"}
    for user in (stranger, buyer, make_user()):
        browser = signed_in(user)
        assert order.number not in browser.get("/partners/collections").text
        address = f"/partners/collections/{order.uuid}/confirm"
        assert browser.post(address, data=values).status_code == 403
        assert browser.get("/admin/partners/collections").status_code == 403
        assert browser.get(f"/admin/partners/collections/{collector.uuid}").status_code == 403
        qr = browser.get(f"/partners/collections/qr/{collector.uuid}")
        assert qr.status_code == (404 if user is buyer else 403)
    assert proven(make_administrator()).post(address, data=values).status_code == 303


def test_nothing_is_confirmed_without_a_fresh_second_factor(south, signed_in, run_jobs):
    run, _organisation, manager, collector = south
    order = order_of(run)
    browser = signed_in(manager)
    address = f"/partners/collections/{order.uuid}/confirm"
    values = {"amount": "900.00", "reference": "R1"}
    day = f"{clock.now():%d/%m/%Y}"
    text = f"Fecha;Glosa;Monto\n{day};QR {order.number};900,00\n"
    data = {"file": (io.BytesIO(text.encode()), "mayo.csv")}
    file = browser.post(f"/payments/bank/{collector.bank_account_id}", data=data).location
    deeds = ((address, values), (f"{file}/confirm", {"version": 1}))

    for deed, said in deeds:
        missing = browser.post(deed, data=said)
        assert "second-factor" in missing.location + missing.text, deed
    factor = give_second_factor(manager)
    db.session.commit()
    for deed, said in deeds:
        asked = browser.post(deed, data=said)
        assert (asked.status_code, FIELD in asked.text) == (403, True), deed
        wrong = browser.post(deed, data=said | {FIELD: "000000"})
        assert wrong.status_code == 422
    run_jobs()
    assert order.state != "paid"
    assert db.session.scalar(select(BankImport.state)) == "preview"
    assert "Set up the second factor" in browser.get("/partners/collections").text

    with clock.set_to(clock.now() + timedelta(seconds=30)):  # each code is good once
        code = code_of(factor)
    assert browser.post(address, data=values | {FIELD: code}).status_code == 303
    db.session.expire_all()
    assert order.state == "paid"


def test_what_was_collected_is_netted_in_the_statement_of_the_month(south):
    run, organisation, _manager, _collector = south
    confirmed(run)
    month = f"{clock.now():%Y-%m}"
    by = make_administrator()
    with clock.set_to(clock.now() + timedelta(days=40)):
        found = statements.send_statement(organisation, "BOB", month, by)
        sums = statements.sums_of(found)

        assert (sums.collected, found.closing) == (Money(-90_000, "BOB"), Money(-90_000, "BOB"))
        with pytest.raises(TooMuch):
            statements.record_payment_from(organisation, Money(90_001, "BOB"), "B1", by)
        statements.record_payment_from(organisation, Money(90_000, "BOB"), "B1", by)
        with pytest.raises(ReferenceUsed):
            statements.record_payment_from(organisation, Money(1, "BOB"), "B1", by)
        assert told()["Assets:Bank BOB"] == 90_000
        assert RECEIVABLE not in told()
        [balance] = queries.partner_balances()
        assert balance.owed == Money(0, "BOB")


def test_the_partner_sends_a_refund_and_says_so(south, signed_in, proven, mails):
    run, _organisation, manager, _collector = south
    order = confirmed(run)
    refunds.refund_order(order, RefundReason.BY_BUYER)
    db.session.commit()
    assert any("Please send back" in mail["Subject"] for mail in mails())
    browser = proven(manager)
    assert "To send back" in browser.get("/partners/collections").text
    [refund] = order.refunds
    address = f"/partners/collections/refunds/{refund.id}/sent"

    assert signed_in(make_user()).post(address, data={"reference": "OUT-1"}).status_code == 403
    browser.post(address)
    assert refund.state == "requested"
    for _click in range(2):
        browser.post(address, data={"reference": "OUT-1"})

    db.session.expire_all()
    assert (order.state, refund.reference) == ("refunded", "OUT-1")
    assert not told()
    assert not check.unexplained()


def test_the_check_finds_money_that_stands_on_another_account(south):
    order = confirmed(south[0])
    other, _manager = partner("norte")
    elsewhere = collecting.add_collector(
        other, "BOB", "BO", make_administrator(), holder="N", bank="N", account="1", qr_text=""
    )
    db.session.execute(
        update(CollectedOrder)
        .where(CollectedOrder.order_id == order.id)
        .values(collector_id=elsewhere.id)
    )

    [found] = check.unexplained()
    assert (found.what, found.amount) == ("partner and payment differ", PRICE)


def test_an_administrator_says_where_one_pays_with_a_picture_of_the_code(south, signed_in):
    run, organisation, _manager, collector = south
    browser = signed_in(make_administrator())
    values = {
        "partner": str(organisation.id), "country": "PE", "currency": "PEN",
        "holder": "Centro Sur", "bank": "Banco del Lago", "account": "9-1",
    }  # fmt: skip

    broken = values | {"picture": (io.BytesIO(b"GIF89a no"), "qr.png")}
    assert browser.post("/admin/partners/collections/new", data=broken).status_code == 422
    made = values | {"picture": (io.BytesIO(png()), "qr.png")}
    assert browser.post("/admin/partners/collections/new", data=made).status_code == 303
    assert browser.post("/admin/partners/collections/new", data=values).status_code == 422
    found = db.session.scalars(select(Collector).where(Collector.currency == "PEN")).one()
    assert browser.get(f"/partners/collections/qr/{found.uuid}").mimetype == "image/png"
    assert "Banco del Lago" in browser.get("/admin/partners/collections").text

    ended = {"holder": "x", "bank": "x", "account": "x"}
    browser.post(f"/admin/partners/collections/{collector.uuid}", data=ended)
    db.session.expire_all()
    assert not collector.is_active
    assert collecting.find_collector(run, "BOB", "BO") is None


def test_an_order_keeps_its_partner_when_another_one_collects_later(south):
    run, _organisation, _manager, collector = south
    order = order_of(run)
    collecting.change_collector(collector, make_administrator(), is_active=False)
    kept = collecting.get_collected(order.uuid)
    collecting.confirm(kept, order.total, "R9", make_administrator())

    assert told()[RECEIVABLE] == 90_000
    about = db.session.scalars(select(LedgerEntry.rail).distinct()).all()
    assert collecting.GATEWAY in about
