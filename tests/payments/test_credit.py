"""Refunds that are kept as credit, and credit that pays."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from lms.accounts.services.claiming import make_waiting
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import EnrolmentState
from lms.ledger.accounts import Account
from lms.ledger.queries import balance_of
from lms.ledger.services import check
from lms.payments import queries
from lms.payments.credit_models import CreditBalance, CreditMovement
from lms.payments.errors import CreditGone, CreditNeedsAccount
from lms.payments.models import Order, OrderState, Refund, RefundReason
from lms.payments.services import credits, leaving, orders, payments, refunds
from tests.doubles.stripe import API_KEY
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run
from tests.payments.checkout_steps import quote_in

PRICE = Money(12_000, "CAD")


@pytest.fixture(autouse=True)
def cards(app, settings):
    """Cards can be chosen; nobody is asked for the money here."""
    app.extensions["settings"] = settings.model_copy(
        update={"stripe_secret_key": SecretStr(API_KEY)}
    )
    make_seller()
    yield
    app.extensions["settings"] = settings


def coming_run(**values):
    starts = clock.now().date() + timedelta(days=20)
    return make_paid_run(starts_on=starts, ends_on=starts + timedelta(days=34), **values)


def begun_run():
    """Two of five weeks are over."""
    starts = clock.now().date() - timedelta(days=14)
    return make_paid_run(starts_on=starts, ends_on=starts + timedelta(days=34))


def buy(run, user, credit=None):
    order = orders.place_order(run, user, "stripe", country="BO", credit=credit)
    if order.due:
        payments.take_payment(order, "stripe", f"pi_{order.uuid}", order.due)
    else:
        payments.pay_by_credit(order)
    db.session.commit()
    return order


def with_credit(user, price=PRICE):
    """Somebody who left a run and kept all of it."""
    order = buy(coming_run(price=price), user)
    leaving.leave_run(order, price, as_credit=True)
    db.session.commit()
    return order


def has(user, currency="CAD"):
    found = db.session.get(CreditBalance, (user.id, currency))
    return found.balance_minor if found else 0


def owed(user):
    return balance_of(Account.CREDIT.of(user.id), "CAD").minor


def test_who_leaves_keeps_the_money_as_credit_and_no_card_is_asked(app, mails):
    ana = make_user()

    order = with_credit(ana)

    refund = db.session.scalars(select(Refund)).one()
    assert (refund.is_credit, refund.state, order.state) == (True, "done", OrderState.REFUNDED)
    assert (has(ana), owed(ana)) == (12_000, 12_000)
    assert order.enrolment.state not in (EnrolmentState.ACTIVE, EnrolmentState.COMPLETED)
    assert check.unexplained() == []
    assert any("refund" in mail["Subject"] for mail in mails())


def test_as_credit_no_fee_is_kept(app, signed_in):
    ana = make_user()
    order = buy(begun_run(), ana)
    back = leaving.back_for(order)
    assert (back.amount, back.as_credit) == (Money(6_480, "CAD"), Money(7_200, "CAD"))
    browser = signed_in(ana)
    page = browser.get(f"/orders/{order.uuid}/leave").text
    assert "64.80" in page
    assert "72.00" in page

    forged = browser.post(f"/orders/{order.uuid}/leave", data={"shown": 12_000, "as_credit": "1"})
    assert forged.status_code == 409
    done = browser.post(f"/orders/{order.uuid}/leave", data={"shown": 7_200, "as_credit": "1"})

    assert done.status_code == 303
    assert has(ana) == 7_200
    assert "72.00" in browser.get("/orders").text
    assert "72.00" in browser.get(f"/orders/{order.uuid}").text
    assert check.unexplained() == []


def test_credit_pays_all_of_an_order_at_the_checkout(app, signed_in):
    ana = make_user()
    with_credit(ana)
    run, browser = coming_run(), signed_in(ana)

    page = browser.get(f"/checkout/{run.uuid}").text
    assert "Your credit pays all of it" in page
    data = {"country": "", "use_credit": "y", "credit": "12000", "quote": quote_in(page)}
    done = browser.post(f"/checkout/{run.uuid}", data=data)

    order = db.session.scalars(select(Order).order_by(Order.id.desc())).first()
    assert (done.status_code, order.state, order.gateway) == (303, OrderState.PAID, "credit")
    assert order.receipt is not None
    assert order.enrolment.may_study
    assert (has(ana), owed(ana)) == (0, 0)
    assert check.unexplained() == []


def test_credit_pays_a_part_and_the_card_the_rest(app, signed_in):
    ana = make_user()
    with_credit(ana, Money(5_000, "CAD"))
    run, browser = coming_run(), signed_in(ana)

    page = browser.get(f"/checkout/{run.uuid}").text
    assert "70.00" in page
    order = buy(run, ana, Money(5_000, "CAD"))

    assert [(p.gateway, p.amount_minor) for p in order.payments] == [
        ("stripe", 7_000),
        ("credit", 5_000),
    ]
    assert order.state == OrderState.PAID
    assert check.unexplained() == []

    leaving.leave_run(order, PRICE)  # money: each part goes where it came from
    [card, credit] = db.session.scalars(select(Refund).where(Refund.order_id == order.id))
    assert (card.state, credit.is_credit) == ("requested", True)
    refunds.settle_refund(card, "re_1")
    assert (has(ana), order.state) == (5_000, OrderState.REFUNDED)
    assert check.unexplained() == []


def test_a_part_that_was_not_shown_is_not_taken(app, signed_in):
    ana = make_user()
    with_credit(ana, Money(5_000, "CAD"))
    run, browser = coming_run(), signed_in(ana)
    page = browser.get(f"/checkout/{run.uuid}").text
    data = {"country": "", "use_credit": "y", "gateway": "stripe", "quote": quote_in(page)}

    for shown in ("", "12000", "x"):
        answer = browser.post(f"/checkout/{run.uuid}", data=data | {"credit": shown})
        assert answer.status_code == 409
    assert has(ana) == 5_000


def test_an_order_that_comes_to_nothing_gives_its_credit_back(app):
    ana = make_user()
    with_credit(ana, Money(5_000, "CAD"))
    order = orders.place_order(
        coming_run(), ana, "stripe", country="BO", credit=Money(5_000, "CAD")
    )
    assert has(ana) == 0
    assert check.unexplained() == []

    orders.cancel_order(order)

    assert has(ana) == 5_000
    assert check.unexplained() == []


def test_money_that_comes_after_the_credit_was_used_elsewhere_goes_back(app):
    ana, part = make_user(), Money(5_000, "CAD")
    with_credit(ana, part)
    late = orders.place_order(coming_run(), ana, "stripe", country="BO", credit=part)
    orders.close_order(late, OrderState.EXPIRED)
    buy(coming_run(), ana, part)

    payment = payments.take_payment(late, "stripe", "pi_late", Money(7_000, "CAD"))

    assert payment.exception == "seat_gone"
    assert not payment.remaining
    refunds.settle_refund(
        db.session.scalars(select(Refund).where(Refund.payment_id == payment.id)).one(), "re"
    )
    assert has(ana) == 0
    assert check.unexplained() == []


def test_credit_is_never_more_than_one_has(app):
    ana = make_user()
    with_credit(ana, Money(5_000, "CAD"))

    with pytest.raises(CreditGone):
        orders.place_order(coming_run(), ana, "stripe", country="BO", credit=Money(6_000, "CAD"))
    with pytest.raises(CreditGone):
        credits.pay_out(ana, Money(5_001, "CAD"), "B-1", make_administrator())


def test_administrators_turn_refunds_into_credit_and_pay_it_out(app, signed_in):
    ana = make_user(name="Ana Flores")
    order = buy(coming_run(), ana)
    admin = signed_in(make_administrator())

    address = f"/admin/payments/orders/{order.uuid}/refund"
    assert admin.post(address, data={"amount": "", "as_credit": "y"}).status_code == 303
    assert has(ana) == 12_000
    assert "Ana Flores" in admin.get("/admin/payments/credits?q=flores").text
    page = f"/admin/payments/credits/{ana.id}/CAD"
    assert order.number in admin.get(page).text
    assert admin.post(page, data={"amount": "120.01", "reference": "B-1"}).status_code == 422
    assert admin.post(page, data={"amount": "20", "reference": "B-1"}).status_code == 303

    assert (has(ana), owed(ana)) == (10_000, 10_000)
    assert check.unexplained() == []
    for address in ("/admin/payments/credits", page):
        assert signed_in(ana).get(address).status_code == 403
    assert signed_in(ana).post(page, data={"amount": "20", "reference": "B"}).status_code == 403
    assert has(ana) == 10_000
    assert admin.get(f"/admin/payments/credits/{ana.id}/USD").status_code == 404


def test_nobody_elses_order_is_left_as_credit(app, signed_in):
    order = buy(coming_run(), make_user())

    answer = signed_in(make_user()).post(
        f"/orders/{order.uuid}/leave", data={"shown": 12_000, "as_credit": "1"}
    )

    assert answer.status_code == 403


def test_what_nobody_has_claimed_holds_no_credit(app):
    waiting = make_waiting(name="Rosa", email="rosa@example.org", language="en")
    order = buy(coming_run(), waiting)

    with pytest.raises(CreditNeedsAccount):
        refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR, as_credit=True)


def test_the_check_finds_credit_that_nobody_booked(app):
    ana = make_user()
    with_credit(ana)
    db.session.get(CreditBalance, (ana.id, "CAD")).balance_minor = 13_000
    db.session.flush()

    assert {one.what for one in check.unexplained()} == {"credit and ledger differ"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_whatever_people_do_the_ledger_owes_what_they_hold(app, seed):
    """Buying, cancelling, leaving with money or credit, and paying out, in any order."""
    dice, people = random.Random(seed), [make_user() for _ in range(2)]
    runs = [coming_run(price=Money(minor, "CAD")) for minor in (3_000, 12_000, 7_777)]
    admin, paid = make_administrator(), []

    for _step in range(25):
        user, run = dice.choice(people), dice.choice(runs)
        enrolment = queries.find_enrolment(run.id, user.id)
        deed = dice.choice(["buy", "buy", "cancel", "money", "credit", "credit", "pay out"])
        if deed in ("buy", "cancel") and not (enrolment and enrolment.may_study):
            credit = Money(dice.randint(0, min(has(user), run.price.minor)), "CAD")
            order = orders.place_order(run, user, "stripe", country="BO", credit=credit or None)
            if deed == "cancel":
                orders.cancel_order(order)
            elif order.due:
                payments.take_payment(order, "stripe", f"pi_{order.uuid}", order.due)
                paid.append(order)
            else:
                payments.pay_by_credit(order)
                paid.append(order)
        elif deed in ("money", "credit") and paid:
            order = paid.pop(dice.randrange(len(paid)))
            amount = leaving.back_for(order).amount
            leaving.leave_run(order, amount, as_credit=deed == "credit")
            for refund in db.session.scalars(select(Refund).where(Refund.order_id == order.id)):
                refunds.settle_refund(refund, f"re_{refund.uuid}")
        elif deed == "pay out" and has(user):
            credits.pay_out(user, Money(dice.randint(1, has(user)), "CAD"), "B", admin)
        db.session.commit()
        db.session.expire_all()

    assert [owed(user) for user in people] == [has(user) for user in people]
    for user in people:
        moved = db.session.scalars(
            select(CreditMovement.amount_minor).where(CreditMovement.user_id == user.id)
        )
        assert sum(moved) == has(user)
    assert check.unexplained() == []
