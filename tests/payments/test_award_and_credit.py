"""A scholarship and kept credit in one order: shown = quoted = charged = invoiced = posted."""

from __future__ import annotations

import html
import random
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.courses.events import CourseRunCancelled
from lms.courses.models import PublicationState
from lms.invoicing.models import Invoice
from lms.ledger.queries import balances
from lms.ledger.services.check import unexplained
from lms.payments.credit_models import CreditBalance
from lms.payments.models import Order, OrderState, Payment, Refund, RefundReason
from lms.payments.personal_data import CREDIT_DATA, PERSONAL_DATA
from lms.payments.services import leaving, orders, parts, payments, refunds
from lms.payments.services.bookkeeping import earn_weeks
from lms.payments.services.orders import close_order
from lms.scholarships.jobs import expire_awards
from tests.conftest import DATABASE
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run
from tests.factories.pricing import make_tiers
from tests.factories.scholarships import make_award, make_fund, make_priced_run
from tests.payments.checkout_steps import quote_in

CAD = "CAD"
CREDIT = Money(2_000, CAD)


def cad(minor: int) -> Money:
    return Money(minor, CAD)


@pytest.fixture(autouse=True)
def seller(stripe):
    make_tiers()
    make_seller()


def coming(**values):
    starts = clock.now().date() + timedelta(days=20)
    return make_priced_run(starts_on=starts, ends_on=starts + timedelta(days=27), **values)


def give_credit(user, amount: Money = CREDIT) -> None:
    """The person left another course and kept the money."""
    starts = clock.now().date() + timedelta(days=20)
    run = make_paid_run(price=amount, starts_on=starts, ends_on=starts + timedelta(days=6))
    order = orders.place_order(run, user, "stripe", country="BO")
    payments.take_payment(order, "stripe", f"pi_{order.uuid}", amount)
    leaving.leave_run(order, amount, as_credit=True)
    db.session.commit()


@pytest.fixture
def award():
    """Half of 120 dollars from a fund of 200, for somebody with 20 dollars of credit."""
    made = make_award(make_fund(20_000), coming(), percent=50)
    give_credit(made.user)
    return made


def buy(award, credit: Money | None = CREDIT) -> Order:
    order = orders.place_order(award.run, award.user, "stripe", country="BO", credit=credit)
    db.session.flush()
    return order


def pay(order: Order, reference: str = "pi_rest") -> Payment:
    return payments.take_payment(order, "stripe", reference, order.due)


def held(fund) -> tuple[int, int]:
    db.session.refresh(fund)
    return fund.balance_minor, fund.reserved_minor


def has(user) -> int:
    found = db.session.get(CreditBalance, (user.id, CAD), populate_existing=True)
    return found.balance_minor if found else 0


def told() -> dict[str, int]:
    """What the ledger holds in each kind of account, as it is read."""
    found: dict[str, int] = {}
    for one in balances():
        name = ":".join(one.account.split(":")[:2])
        found[name] = found.get(name, 0) + one.amount.minor
    return {name: minor for name, minor in found.items() if minor}


def check() -> list[tuple[str, str]]:
    return [(str(one.what), one.where) for one in unexplained()]


def settle_all(order: Order) -> None:
    """The card service says that each refund has arrived."""
    for refund in db.session.scalars(select(Refund).where(Refund.order_id == order.id)):
        refunds.settle_refund(refund, f"re_{refund.id}")


def words_of(text: str) -> str:
    found = re.sub(r"<[^>]+>", " ", text[text.index("<main") :])
    return re.sub(r"\s+", " ", html.unescape(found))


# Shown = quoted = charged = invoiced = posted


def test_one_order_is_paid_by_fund_credit_and_card(stripe, signed_in, award, run_jobs):
    browser = signed_in(award.user)
    address = f"/checkout/{award.run.uuid}"

    page = browser.get(address)
    words = words_of(page.text)
    for line in (
        "List price CAD 120.00",
        "−CAD 60.00 To pay CAD 60.00",
        "You have a credit that can pay CAD 20.00 of it.",
        "To pay CAD 60.00 Your credit −CAD 20.00 Left to pay CAD 40.00",
    ):
        assert line in words
    data = {"country": "BO", "gateway": "stripe", "use_credit": "y", "credit": "2000"}
    shown = browser.post(address, data=data | {"apply": "1"}).text
    answer = browser.post(address, data=data | {"quote": quote_in(shown)})
    assert answer.status_code == 303

    order = db.session.scalars(select(Order).order_by(Order.id.desc())).first()
    assert (order.total, order.due, order.quote.total) == (cad(6_000), cad(4_000), cad(6_000))
    assert (order.amount, order.discount) == (cad(12_000), cad(6_000))
    session = stripe.double.get(answer.location.rsplit("/", 1)[1])
    assert (session["amount_total"], session["currency"]) == (4_000, "cad")
    assert (has(award.user), held(award.fund)) == (0, (20_000, 6_000))
    assert check() == []

    stripe.pay(answer.location)
    stripe.deliver()
    run_jobs()

    assert [(one.gateway, one.amount_minor) for one in order.payments] == [
        ("stripe", 4_000),
        ("credit", 2_000),
    ]
    assert (order.state, award.state, order.enrolment.may_study) == ("paid", "used", True)
    assert (has(award.user), held(award.fund)) == (0, (14_000, 0))
    [invoice] = db.session.scalars(select(Invoice).where(Invoice.reference == order.number))
    assert invoice.gross == cad(6_000)
    assert told() == {
        "Assets:Bank": 20_000,
        "Assets:Clearing": 2_000 + 4_000,  # that of the course that was left, and the rest
        "Liabilities:Fund": 14_000,
        "Liabilities:Deferred": 12_000,
    }
    assert check() == []
    assert "Paid with your credit: CAD 20.00. Another way: CAD 40.00." in words_of(
        browser.get(f"/orders/{order.uuid}").text
    )
    [exported] = [
        one for one in PERSONAL_DATA.export(award.user_id) if one["number"] == order.number
    ]
    assert (exported["scholarship_minor"], exported["total_minor"]) == (6_000, 6_000)
    assert [one["amount_minor"] for one in CREDIT_DATA.export(award.user_id)] == [2_000, -2_000]


def test_credit_pays_all_that_a_scholarship_leaves(signed_in):
    award = make_award(make_fund(20_000), coming(), percent=75)
    give_credit(award.user, cad(5_000))
    browser, address = signed_in(award.user), f"/checkout/{award.run.uuid}"
    shown = browser.get(address).text
    assert "Your credit pays all of it." in shown

    data = {"country": "BO", "use_credit": "y", "credit": "3000"}
    shown = browser.post(address, data=data | {"apply": "1"}).text
    answer = browser.post(address, data=data | {"quote": quote_in(shown)})

    assert answer.status_code == 303
    order = db.session.scalars(select(Order).order_by(Order.id.desc())).first()
    assert (order.state, order.gateway, order.total) == ("paid", "credit", cad(3_000))
    assert (has(award.user), held(award.fund)) == (2_000, (11_000, 0))
    assert told()["Liabilities:Deferred"] == 12_000
    assert check() == []


def test_a_whole_scholarship_takes_no_credit(signed_in):
    award = make_award(make_fund(20_000), coming())
    give_credit(award.user)
    browser, address = signed_in(award.user), f"/checkout/{award.run.uuid}"
    shown = browser.get(address).text
    assert "You have a credit that can pay" not in shown

    data = {"country": award.user.country or "", "quote": quote_in(shown)}
    answer = browser.post(address, data=data | {"use_credit": "y", "credit": ""})

    assert answer.status_code == 303
    assert (has(award.user), held(award.fund)) == (2_000, (8_000, 0))
    assert check() == []


def test_who_pays_with_credit_is_not_offered_parts(signed_in, award):
    later = clock.now().date() + timedelta(days=15)
    parts.keep_plan(award.run, [(60, None), (40, later)], make_administrator())
    db.session.commit()
    browser, address = signed_in(award.user), f"/checkout/{award.run.uuid}"

    assert "Pay in" not in browser.get(address).text
    data = {"country": award.user.country or "", "apply": "1"}
    assert "Pay in" in browser.post(address, data=data).text


def test_the_whole_price_is_earned_week_by_week(award):
    order = buy(award)
    pay(order)

    with clock.set_to(award.run.ends_at + timedelta(days=2)):
        earn_weeks(award.run)

    assert told()["Income:Courses"] == 12_000
    assert "Liabilities:Deferred" not in told()
    assert check() == []


# What comes to nothing


@pytest.mark.parametrize("end", [OrderState.CANCELLED, OrderState.EXPIRED])
def test_an_order_that_comes_to_nothing_gives_award_and_credit_back(award, end):
    order = buy(award)
    assert (has(award.user), award.state) == (0, "used")

    close_order(order, end)
    close_order(order, end)

    assert (has(award.user), award.state, held(award.fund)) == (2_000, "awarded", (20_000, 6_000))
    assert check() == []
    again = buy(award)
    pay(again)
    assert (again.state, has(award.user), held(award.fund)) == ("paid", 0, (14_000, 0))
    assert check() == []


def test_another_part_of_credit_replaces_the_open_order(award):
    first = buy(award)

    second = buy(award, cad(500))
    assert (first.state, second.due, has(award.user)) == ("cancelled", cad(5_500), 1_500)
    third = buy(award, cad(500))

    assert third.id == second.id
    assert (award.state, held(award.fund)) == ("used", (20_000, 6_000))
    assert check() == []


def test_money_that_comes_late_takes_award_and_credit_again(award):
    order = buy(award)
    orders.cancel_order(order)

    pay(order)

    assert (order.state, award.state) == ("paid", "used")
    assert (has(award.user), held(award.fund)) == (0, (14_000, 0))
    assert check() == []


def test_money_that_comes_after_the_credit_was_used_leaves_the_award_free(award):
    order = buy(award)
    orders.cancel_order(order)
    other = orders.place_order(
        make_paid_run(price=CREDIT), award.user, "stripe", country="BO", credit=CREDIT
    )
    payments.pay_by_credit(other)

    payment = pay(order)

    assert payment.exception == "seat_gone"
    settle_all(order)
    assert (award.state, held(award.fund), has(award.user)) == ("awarded", (20_000, 6_000), 0)
    assert "Assets:Receivable" not in told()
    assert check() == []


def test_money_that_comes_after_the_fund_gave_to_others_buys_what_was_paid(award):
    fund = make_fund(6_000)
    poor = make_award(fund, coming(), percent=50)
    give_credit(poor.user)
    order = buy(poor)
    orders.cancel_order(order)
    with clock.set_to(clock.now() + timedelta(days=40)):
        expire_awards()
    make_award(fund, poor.run, percent=50)

    pay(order)

    assert (order.state, poor.state, has(poor.user)) == ("paid", "expired", 0)
    assert held(fund) == (6_000, 6_000)
    assert told()["Liabilities:Deferred"] == 6_000
    assert check() == []


# What goes back


def test_a_part_goes_back_to_card_credit_and_fund_in_proportion(award):
    order = buy(award)
    pay(order)

    refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR, amount=cad(5_000))
    settle_all(order)

    # 40.00 on the card and 10.00 of credit: five sixths of 60.00, and of the fund's 60.00
    assert order.state == OrderState.PARTIALLY_REFUNDED
    assert (has(award.user), held(award.fund)) == (1_000, (19_000, 0))
    assert told()["Liabilities:Deferred"] == 2_000
    notes = db.session.scalars(select(Invoice).where(Invoice.reference == order.number)).all()
    assert [one.gross.minor for one in notes] == [6_000, 1_000, 4_000]
    assert check() == []

    refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)
    settle_all(order)

    assert (order.state, has(award.user), held(award.fund)) == ("refunded", 2_000, (20_000, 0))
    assert "Liabilities:Deferred" not in told()
    assert check() == []


def test_who_leaves_may_keep_card_and_credit_as_credit(award):
    order = buy(award)
    pay(order)

    leaving.leave_run(order, cad(6_000), as_credit=True)

    assert (order.state, has(award.user), held(award.fund)) == ("refunded", 6_000, (20_000, 0))
    assert check() == []


def test_who_leaves_a_begun_run_shares_what_is_left_with_the_fund(award):
    order = buy(award)
    pay(order)

    with clock.set_to(award.run.starts_at + timedelta(days=7, hours=1)):
        earn_weeks(award.run)
        back = leaving.back_for(order)
        leaving.leave_run(order, back.amount)
        settle_all(order)

    # a quarter was taught; of 45.00 a tenth is kept: 40.50 of 60.00, and as much of the fund's
    assert back.amount == cad(4_050)
    assert (has(award.user), held(award.fund)) == (50, (14_000 + 4_050, 0))
    assert order.state == OrderState.PARTIALLY_REFUNDED
    assert check() == []


def test_a_refund_that_did_not_arrive_is_undone_for_the_fund_too(award):
    order = buy(award)
    pay(order)
    refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)
    settle_all(order)
    [card] = [one for one in order.refunds if not one.is_credit]

    refunds.fail_refund(card, "account closed")

    # the credit is the buyer's, the card's 40.00 of 60.00 are kept, and so much of the fund's
    assert (has(award.user), held(award.fund)) == (2_000, (16_000, 0))
    assert (order.state, told()["Liabilities:Deferred"]) == ("partially_refunded", 8_000)
    assert check() == []


def test_a_run_that_does_not_take_place_gives_all_three_back(award, run_jobs):
    order = buy(award)
    pay(order)
    award.run.state = PublicationState.ARCHIVED

    emit(CourseRunCancelled(award.run))
    refunds.refund_order(order, RefundReason.RUN_CANCELLED)
    settle_all(order)

    assert (order.state, has(award.user), held(award.fund)) == ("refunded", 2_000, (20_000, 0))
    assert check() == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4 if DATABASE == "sqlite" else 2))
def test_whatever_is_done_with_both_the_ledger_explains_it(seed):
    dice = random.Random(seed)
    fund = make_fund(100_000)
    people = [make_user() for _ in range(3)]
    for user in people:
        give_credit(user, cad(dice.randint(500, 9_000)))
    placed: list[Order] = []

    for step in range(24):
        deed = dice.choice(["buy", "buy", "cancel", "late", "part", "all", "leave"])
        if deed in ("buy", "cancel", "late"):
            award = make_award(fund, coming(), dice.choice(people), percent=dice.choice([50, 75]))
            most = min(has(award.user), 12_000 - 12_000 * award.percent // 100)
            credit = cad(dice.randint(0, most)) or None
            order = buy(award, credit)
            if deed != "buy":
                orders.cancel_order(order)
            if deed != "cancel" and order.due:
                pay(order, f"pi_{step}")
            elif deed == "buy":
                payments.pay_by_credit(order)
            if order.is_settled:
                placed.append(order)
        elif placed:
            order = placed.pop(dice.randrange(len(placed)))
            if deed == "leave":
                leaving.leave_run(order, leaving.back_for(order).amount, as_credit=step % 2 == 0)
            else:
                left = sum(one.remaining.minor for one in order.payments)
                amount = cad(dice.randint(1, left)) if deed == "part" else None
                refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR, amount=amount)
            settle_all(order)
        db.session.commit()
        db.session.expire_all()
        assert check() == [], (step, deed)
