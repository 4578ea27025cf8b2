"""An organisation asks for an offer, and orders at its price while it holds."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.core.settings import settings
from lms.courses.services.enrolment import seats_taken
from lms.courses.services.runs import cancel_run
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.notifications.models import Notice
from lms.payments.errors import OrderClosed
from lms.payments.models import Order, OrderState
from lms.payments.offer_models import OrderOffer
from lms.payments.seat_models import SeatBlock
from lms.payments.services import offers, orders, payments, seat_blocks
from lms.payments.services.on_account import approve
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import make_organisation
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, set_bank_account
from tests.factories.pricing import make_role
from tests.factories.seats import order_seats

TYPED = {"country": "CA", "province": "ON", "organisation": "Ville de Québec", "gateway": "stripe"}


@pytest.fixture
def run(app):
    day = clock.now().date() + timedelta(days=90)
    return make_paid_run(capacity=10, starts_on=day, ends_on=day + timedelta(days=20))


@pytest.fixture
def buyer(app):
    return make_user(country="CA", name="Louise Roy")


@pytest.fixture
def browser(stripe, signed_in, buyer):
    return signed_in(buyer)


def typed(page, **values: str) -> dict[str, str]:
    """What the page would send, with what somebody types."""
    hidden = re.findall(r'name="(quote|shown|currency)"[^>]*value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in hidden} | TYPED | values


def ask(browser, run, buyer, seats: int = 3, **values: str):
    """Choose places and ask for an offer; gives the answer and the offer."""
    block = seat_blocks.choose_seats(run, buyer, seats, None)
    db.session.commit()
    address = f"/buy/seats/{block.uuid}"
    page = browser.post(address, data=TYPED | {"apply": "1"})
    answer = browser.post(address, data=typed(page, **values) | {"offer": "1"})
    return answer, last_order()


def last_order() -> Order | None:
    db.session.expire_all()
    return db.session.scalar(select(Order).order_by(Order.id.desc()).limit(1))


def words_of(page) -> str:
    found = re.sub(r"<[^>]+>", " ", page.text[page.text.index("<main") :])
    return re.sub(r"\s+", " ", html.unescape(found))


def accept(browser, order: Order, gateway: str = "stripe", **values: str):
    return browser.post(f"/orders/{order.uuid}/accept", data={"gateway": gateway} | values)


def raise_price(run) -> None:
    run.price = Money(99_000, "CAD")
    db.session.commit()


def test_an_offer_holds_its_price_and_no_place(browser, run, buyer, mails):
    answer, offer = ask(browser, run, buyer)

    assert answer.location.endswith(f"/orders/{offer.uuid}")
    assert (offer.state, offer.total, offer.quantity) == ("quoted", Money(36_000, "CAD"), 3)
    assert seats_taken(run) == 0
    assert not db.session.scalars(select(LedgerEntry)).all()
    assert offer.quote.expires_at == offer.expires_at
    assert settings().offer_days == 30
    days = (offer.expires_at - clock.now()) / timedelta(days=1)
    assert 30 < days <= 31  # to the end of the thirtieth day
    raise_price(run)
    page = words_of(browser.get(answer.location))
    assert "This price holds until" in page
    assert "Ville de Québec" in page
    assert "CAD 360.00" in page
    assert "Offered" in words_of(browser.get("/orders"))
    assert check.unexplained() == []


def test_it_holds_no_longer_than_one_can_enrol(browser, run, buyer):
    run.enrolment_closes_at = clock.now() + timedelta(days=5)
    _answer, offer = ask(browser, run, buyer)

    assert offer.expires_at == run.enrolment_closes_at


def test_it_is_ordered_at_just_that_price_and_paid(browser, stripe, run, buyer):
    _answer, offer = ask(browser, run, buyer)
    raise_price(run)

    answer = accept(browser, offer)

    session = stripe.double.get(answer.location.rsplit("/", 1)[1])
    assert session["amount_total"] == 36_000
    assert seats_taken(run) == 3
    stripe.pay(answer.location)
    stripe.deliver()
    order = last_order()
    assert (order.id, order.state, order.total.minor) == (offer.id, OrderState.PAID, 36_000)
    assert len(db.session.scalars(select(SeatBlock)).one().places) == 3
    assert check.unexplained() == []


def test_accepting_twice_is_one_order(browser, stripe, run, buyer):
    _answer, offer = ask(browser, run, buyer)

    first, second = accept(browser, offer), accept(browser, offer)

    assert first.location == second.location
    assert seats_taken(run) == 3
    assert db.session.query(Order).count() == 1


def test_who_does_not_pay_in_time_has_the_offer_again(browser, stripe, run, buyer):
    _answer, offer = ask(browser, run, buyer)
    first = accept(browser, offer).location
    order = last_order()
    with clock.set_to(order.expires_at + timedelta(seconds=1)):
        orders.expire_order(order)
        db.session.commit()

    order = last_order()
    assert order.state == OrderState.QUOTED
    assert order.expires_at == db.session.get(OrderOffer, order.id).valid_until
    assert seats_taken(run) == 0
    second = accept(browser, order).location
    assert second != first
    stripe.pay(second)
    stripe.deliver()
    assert last_order().state == OrderState.PAID


@pytest.mark.parametrize(("seconds", "is_over"), [(-1, False), (0, True)])
def test_it_ends_on_the_minute(browser, run, buyer, seconds, is_over):
    _answer, offer = ask(browser, run, buyer)
    with clock.set_to(offer.expires_at + timedelta(seconds=seconds)):
        offers.end_offers()
        if is_over:
            assert offer.state == OrderState.EXPIRED
            with pytest.raises(OrderClosed):
                offers.accept_offer(offer, "stripe")
        else:
            assert offers.accept_offer(offer, "stripe").state == OrderState.DRAFT


def test_one_that_is_over_says_so_before_the_job_has_ended_it(browser, stripe, run, buyer):
    _answer, offer = ask(browser, run, buyer)
    ago = clock.now() - timedelta(seconds=1)
    offer.expires_at = db.session.get(OrderOffer, offer.id).valid_until = ago
    db.session.commit()

    answer = accept(browser, offer)

    assert answer.status_code == 409
    assert "This offer has ended" in words_of(answer)
    assert "Ask for a new offer" in words_of(browser.get(f"/orders/{offer.uuid}"))
    assert seats_taken(run) == 0


def test_one_is_reminded_once_before_it_ends(browser, run, buyer, mails):
    _answer, offer = ask(browser, run, buyer)
    with clock.set_to(offer.expires_at - timedelta(days=2)):
        offers.end_offers()
        offers.end_offers()
        db.session.commit()

    kinds = [notice.kind for notice in notices_of(buyer)]
    assert kinds == ["payments.offer_made", "payments.offer_ends"]


def notices_of(user) -> list[Notice]:
    return db.session.scalars(
        select(Notice).where(Notice.user_id == user.id).order_by(Notice.id)
    ).all()


def test_places_that_are_gone_by_then_are_told_and_nothing_is_ordered(browser, stripe, buyer):
    run = make_paid_run(capacity=4)
    _answer, offer = ask(browser, run, buyer)
    order_seats(run, seats=2)

    answer = accept(browser, offer)

    assert answer.status_code == 409
    assert "the places are taken" in words_of(answer)
    assert db.session.get(Order, offer.id).state == OrderState.QUOTED


def test_a_cancelled_run_cannot_be_ordered(browser, stripe, run, buyer):
    _answer, offer = ask(browser, run, buyer)
    cancel_run(run, make_administrator().id)
    db.session.commit()

    assert accept(browser, offer).status_code == 409


def test_places_bought_meanwhile_are_not_bought_again(browser, stripe, run, buyer):
    _answer, offer = ask(browser, run, buyer)
    _block, other = order_seats(run, buyer, seats=3)
    assert other.item == offer.item
    payments.take_payment(other, "stripe", "pi_other", other.total)
    db.session.commit()

    assert accept(browser, offer).status_code == 409
    assert seats_taken(run) == 3


def test_it_may_be_paid_on_invoice_with_a_purchase_order(browser, stripe, run, buyer, mails):
    make_seller()
    set_bank_account()
    organisation = make_role(buyer, make_organisation(name={"en": "Ville de Québec"}))
    for role in organisation.roles:
        role.role = "manager"
    approve(organisation, "", make_administrator())
    db.session.commit()
    _answer, offer = ask(browser, run, buyer)

    refused = accept(browser, offer, "invoice")
    assert refused.status_code == 422
    assert "Write the purchase order" in words_of(refused)
    accept(browser, offer, "invoice", purchase_order="PO-77")

    order = last_order()
    assert (order.id, order.state, order.total.minor) == (offer.id, OrderState.OWED, 36_000)
    assert seats_taken(run) == 3
    assert check.unexplained() == []


def test_the_paper_says_what_it_is_in_the_buyers_language(browser, run, buyer, signed_in):
    make_seller()
    _answer, offer = ask(browser, run, buyer)
    texts = []
    for language in ("en", "es"):
        offer.language = language
        db.session.commit()
        answer = browser.get(f"/orders/{offer.uuid}/offer.pdf")
        assert answer.mimetype == "application/pdf"
        [sheet] = PdfReader(BytesIO(answer.data)).pages
        texts.append(" ".join(sheet.extract_text().split()))

    english, spanish = texts
    assert f"Offer {offer.number}" in english
    assert "This is an offer and no invoice" in english
    assert "Ville de Québec" in english
    assert "CAD 120.00" in english
    assert "13" in english  # the tax in it
    assert f"Oferta {offer.number}" in spanish


def test_an_offer_is_given_up(browser, run, buyer):
    _answer, offer = ask(browser, run, buyer)

    assert browser.post(f"/orders/{offer.uuid}/withdraw").status_code == 303
    assert last_order().state == OrderState.CANCELLED
    assert accept(browser, offer).location.endswith(f"/orders/{offer.uuid}")
    assert last_order().state == OrderState.CANCELLED


def test_an_offer_needs_an_organisation_and_keeps_what_was_typed(browser, run, buyer):
    answer, offer = ask(browser, run, buyer, organisation="", address="Rue 1")

    assert answer.status_code == 422
    assert offer is None
    assert "Write the organisation to which the offer is made." in answer.text
    assert "Rue 1" in answer.text


def test_a_price_that_changed_while_one_looked_is_looked_at_again(browser, run, buyer):
    block = seat_blocks.choose_seats(run, buyer, 3, None)
    db.session.commit()
    page = browser.post(f"/buy/seats/{block.uuid}", data=TYPED | {"apply": "1"})
    raise_price(run)

    answer = browser.post(f"/buy/seats/{block.uuid}", data=typed(page) | {"offer": "1"})

    assert answer.status_code == 409
    assert last_order() is None
    assert "Ville de Québec" in answer.text


@pytest.mark.parametrize(
    ("method", "end"),
    [("get", ""), ("get", "/offer.pdf"), ("post", "/accept"), ("post", "/withdraw")],
)
def test_nobody_else_sees_or_accepts_it(browser, client, signed_in, run, buyer, method, end):
    _answer, offer = ask(browser, run, buyer)
    path = f"/orders/{offer.uuid}{end}"

    assert getattr(signed_in(make_user()), method)(path).status_code in (403, 404)
    assert getattr(signed_in(make_administrator()), method)(path).status_code in (403, 404)
    assert last_order().state == OrderState.QUOTED


def test_a_paid_order_is_no_offer(browser, run, buyer):
    _block, order = order_seats(run, buyer)

    assert browser.get(f"/orders/{order.uuid}/offer.pdf").status_code == 404
    assert accept(browser, order).status_code in (303, 404)
