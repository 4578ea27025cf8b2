"""The country of a card that paid: a fact for later prices, never for the one that it paid."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.payments.jobs import see_card
from lms.payments.models import Payment, RefundReason
from lms.payments.movement_models import Dispute, DisputeState
from lms.payments.personal_data import PERSONAL_DATA
from lms.payments.queries.cards import card_facts
from lms.payments.services.refunds import refund_order
from lms.pricing.residence import Fact, FactKind, Residence
from lms.pricing.services.quotes import PriceBook
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_order, make_paid_run, make_payment
from tests.factories.pricing import make_amounts, make_role, make_tiers

BOLIVIAN, CANADIAN, AMERICAN = "4000000680000000", "4000001240000000", "4242424242424242"


@pytest.fixture(autouse=True)
def tiers(app):
    make_tiers()


def make_priced_run():
    run = make_paid_run(price=Money(18_000, "CAD"))
    make_amounts(run, upper_middle=9_000, lower_middle=5_400, low=2_700)
    return run


@pytest.fixture
def pay(stripe, signed_in, check_out, run_jobs):
    """Buy a place with a card, from the checkout to the message that it is paid."""

    def go(user, card: str, country: str = "BO", **more: str) -> Payment:
        address = check_out(signed_in(user), make_priced_run(), country=country)
        stripe.pay(address, card, **more)
        stripe.deliver()
        run_jobs()
        return db.session.scalars(select(Payment).order_by(Payment.id.desc()).limit(1)).one()

    return go


def state_for(user) -> tuple[str, int]:
    terms = PriceBook([run := make_priced_run()], user).terms(run)
    return terms.assessment.state, terms.tier_price.minor


def test_a_card_of_the_declared_country_agrees_the_next_time(pay):
    ana = make_user(country="BO")
    assert state_for(ana) == (Residence.UNCONFIRMED, 18_000)

    payment = pay(ana, BOLIVIAN)

    assert (payment.card_country, payment.order.total_minor) == ("BO", 18_000)
    assert state_for(ana) == (Residence.AGREED, 5_400)


def test_a_card_of_a_country_where_the_price_is_no_lower_does_not_agree(pay):
    ana = make_user(country="BO")

    pay(ana, "4000006040000068")  # Peru, upper middle income

    assert state_for(ana) == (Residence.UNCONFIRMED, 18_000)


def test_another_card_changes_nothing_that_is_paid_nor_what_agrees_by_itself(pay):
    ana = make_user(country="BO")
    make_role(ana, country="BO")

    payment = pay(ana, CANADIAN)

    assert (payment.card_country, payment.amount_minor) == ("CA", 5_400)
    assert (payment.order.state, payment.exception) == ("paid", None)
    assert state_for(ana) == (Residence.AGREED, 5_400)


def test_the_buyer_reads_plainly_which_card_did_not_agree(pay, signed_in):
    ana = make_user(country="BO")
    pay(ana, CANADIAN)

    page = signed_in(ana).get(f"/checkout/{make_priced_run().uuid}")

    assert "A card with which you paid before is from Canada." in page.text
    assert "There are two ways on" in page.text


def test_administrators_find_cards_of_another_country(pay, signed_in):
    other = pay(make_user(country="BO"), AMERICAN).order
    own = pay(make_user(country="BO"), BOLIVIAN).order
    browser = signed_in(make_user(is_administrator=True))

    found = browser.get("/admin/payments?card=other").text

    assert other.number in found
    assert own.number not in found
    page = browser.get(f"/admin/payments/orders/{other.uuid}").text
    assert "declared Bolivia and paid with a card of United States" in page
    assert "nothing is asked of the buyer" in page
    plain = browser.get(f"/admin/payments/orders/{own.uuid}").text
    assert "card of Bolivia" in plain
    assert "declared Bolivia" not in plain


def test_strangers_do_not_see_it(pay, signed_in, client):
    order = pay(make_user(country="BO"), AMERICAN).order

    assert signed_in(make_user()).get(f"/admin/payments/orders/{order.uuid}").status_code == 403
    assert client.get("/admin/payments?card=other").status_code in (302, 303)
    assert "United States" not in signed_in(order.user).get(f"/orders/{order.uuid}").text


def test_what_is_no_card_has_no_country(stripe, signed_in, check_out, run_jobs):
    address = check_out(signed_in(make_user(country="BO")), make_priced_run())
    session = address.rsplit("/", 1)[1]
    stripe.double.pay_later(session, succeeds=True, after=0)
    stripe.double.settle_due()
    stripe.deliver()
    run_jobs()

    assert db.session.scalars(select(Payment)).one().card_country is None


def test_a_bank_that_asks_first_tells_the_country_too(stripe, signed_in, check_out, run_jobs):
    address = check_out(signed_in(make_user(country="BO")), make_priced_run())
    stripe.pay(address, "4000002500003155")
    stripe.pay(address, way="bank_yes")
    stripe.deliver()
    run_jobs()

    assert db.session.scalars(select(Payment)).one().card_country == "FR"


def test_a_refund_goes_its_way(pay, stripe, run_jobs):
    payment = pay(make_user(country="BO"), AMERICAN)

    refund_order(payment.order, RefundReason.BY_ADMINISTRATOR)
    run_jobs()
    stripe.deliver()

    assert (payment.order.state, payment.refunded) == ("refunded", payment.amount)


def test_a_card_whose_bank_took_the_money_back_says_nothing(app):
    payment = make_payment(make_paid_order(country="BO"), card_country="BO")
    user = payment.order.user
    dispute = Dispute(
        gateway="stripe",
        reference="dp_1",
        payment=payment,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        reason="fraudulent",
    )
    db.session.add(dispute)
    db.session.flush()

    assert card_facts(user.id) == ()
    dispute.state = DisputeState.WON
    db.session.flush()
    assert card_facts(user.id) == (Fact(FactKind.CARD, "BO"),)


def test_it_is_exported_and_erased_with_the_person(stripe, pay):
    payment = pay(make_user(country="BO"), BOLIVIAN)
    user_id = payment.order.user_id

    assert PERSONAL_DATA.export(user_id)[0]["payments"][0]["card_country"] == "BO"
    PERSONAL_DATA.erase(user_id)
    db.session.refresh(payment)
    assert payment.card_country is None


def test_an_unknown_payment_is_left_alone(stripe, app):
    payment = make_payment(make_paid_order(country="BO"), reference="pi_unknown")

    see_card(payment.id)

    assert payment.card_country is None
