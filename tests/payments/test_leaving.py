"""Buyers leave a paid run, move to the next one, or are asked because it was moved."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import EnrolmentState, PublicationState
from lms.invoicing.models import Invoice
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.notifications.models import Notice
from lms.payments import jobs, queries
from lms.payments.errors import NoOtherRun, NothingToLeave, OfferChanged
from lms.payments.models import OrderState
from lms.payments.services import bookkeeping, leaving, orders, payments, refunds
from lms.payments.services.refund_policy import Why
from lms.payments.terms_models import RefundPolicy
from tests.doubles.stripe import API_KEY
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, make_voucher

MONDAY = date(2027, 3, 1)


@pytest.fixture(autouse=True)
def cards(app, settings):
    """Cards can be chosen; nobody is asked for the money here."""
    app.extensions["settings"] = settings.model_copy(
        update={"stripe_secret_key": SecretStr(API_KEY)}
    )
    yield
    app.extensions["settings"] = settings


def at(days: float):
    return clock.set_to(datetime(2027, 3, 1, 15, tzinfo=UTC) + timedelta(days=days))


@pytest.fixture
def run(app):
    """Five weeks from a Monday, for 120 dollars."""
    return make_paid_run(
        starts_on=MONDAY, ends_on=MONDAY + timedelta(days=34), time_zone="UTC", capacity=2
    )


def buy(run, user=None, reference: str = "pi_1", days: float = -9):
    with at(days):
        order = orders.place_order(run, user or make_user(country="CA"), "stripe", country="CA")
        payments.take_payment(order, "stripe", reference, order.total)
    db.session.commit()
    return order


def later_run(run, **values):
    values.setdefault("starts_on", MONDAY + timedelta(days=70))
    values.setdefault("ends_on", MONDAY + timedelta(days=104))
    return make_paid_run(run.course, time_zone="UTC", **values)


def bought_when_it_began(days: int):
    """A paid order for five weeks that began so many days ago, for who asks in a browser."""
    start = clock.now().date() - timedelta(days=days)
    run = make_paid_run(starts_on=start, ends_on=start + timedelta(days=34), time_zone="UTC")
    with clock.set_to(run.starts_at - timedelta(days=3)):
        order = orders.place_order(run, make_user(country="CA"), "stripe", country="CA")
        payments.take_payment(order, "stripe", "pi_1", order.total)
    db.session.commit()
    return order


def first_form(text: str) -> dict[str, str]:
    """What the first form of the page sends when its button is pressed."""
    form = text.partition('/leave" data-once')[2].partition("</form>")[0]
    inputs = re.findall(r'name="(\w+)"[^>]*?value="([^"]*)"', form)
    assert inputs
    return dict(inputs)


def test_a_buyer_sees_the_sum_first_then_leaves_and_gets_it_back(app, signed_in):
    make_seller()
    order = bought_when_it_began(8)
    browser, page = signed_in(order.user), f"/orders/{order.uuid}/leave"

    shown = browser.get(page).text
    assert "CAD 86.40" in shown  # four weeks of five: 96.00, less 10 %
    assert browser.post(page, data={"shown": "12000"}).status_code == 409
    assert order.enrolment.may_study
    assert browser.post(page, data=first_form(shown)).status_code == 303
    assert browser.post(page, data={"shown": "8640"}).status_code == 409
    [refund] = order.refunds
    assert (refund.amount_minor, refund.reason) == (8_640, "by_buyer")
    assert order.enrolment.state == EnrolmentState.WITHDRAWN
    assert db.session.scalars(queries.paid_not_enrolled()).all() == []
    assert "You have left this course run" in browser.get(f"/orders/{order.uuid}").text

    refunds.settle_refund(refund, "re_1")

    assert order.state == OrderState.PARTIALLY_REFUNDED
    note = db.session.scalars(select(Invoice).where(Invoice.kind == "credit_note")).one()
    assert note.gross_minor == 8_640
    assert not check.unexplained()


def test_nobody_else_sees_or_leaves(run, signed_in):
    order = buy(run)
    other = later_run(run)
    stranger = signed_in(make_user())

    assert stranger.get(f"/orders/{order.uuid}/leave").status_code == 403
    for path in ("leave", "keep-dates", f"transfer/{other.uuid}"):
        assert stranger.post(f"/orders/{order.uuid}/{path}").status_code == 403
    assert stranger.get("/admin/payments/refund-policies").status_code == 403
    assert order.enrolment.may_study


def test_the_place_of_who_leaves_goes_to_who_waits(run):
    order, _other = buy(run), buy(run, reference="pi_2")
    from lms.courses.services.enrolment import join_waiting_list

    with at(-8):
        waiting = join_waiting_list(run, make_user())
    with at(-7):
        leaving.leave_run(order, Money(12_000, "CAD"))

    assert waiting.state == EnrolmentState.OFFERED


def test_who_completed_or_never_paid_has_nothing_to_leave(run):
    order = buy(run)
    order.enrolment.state = EnrolmentState.COMPLETED

    with at(8), pytest.raises(NothingToLeave):
        leaving.leave_run(order, Money(8_640, "CAD"))


def test_after_sixty_per_cent_one_leaves_without_money_or_moves(app, signed_in):
    order = bought_when_it_began(21)
    start = clock.now().date() + timedelta(days=9)
    other = make_paid_run(order.run.course, starts_on=start, ends_on=start + timedelta(days=34))
    page = signed_in(order.user).get(f"/orders/{order.uuid}/leave").text

    assert "CAD 0.00" in page
    assert "Move to this run" in page
    leaving.leave_run(order, Money(0, "CAD"))

    assert order.refunds == []
    with pytest.raises(NothingToLeave):
        leaving.transfer(order, other)


def test_a_buyer_moves_to_the_next_run_once_with_all_that_is_paid(run):
    make_seller()
    order = buy(run)
    full = later_run(run, starts_on=MONDAY + timedelta(days=60), capacity=0)
    other = later_run(run)
    after = later_run(
        run, starts_on=MONDAY + timedelta(days=140), ends_on=MONDAY + timedelta(days=174)
    )
    with at(22):
        bookkeeping.earn_weeks(run)
        with pytest.raises(NoOtherRun):
            leaving.transfer(order, full)
        leaving.transfer(order, other)

    assert (order.run, order.enrolment.run) == (other, other)
    assert order.enrolment.may_study
    assert queries.find_enrolment(run.id, order.user_id).state == EnrolmentState.WITHDRAWN
    assert not check.unexplained()
    with at(23), pytest.raises(NoOtherRun):
        leaving.transfer(order, after)
    with at(70 + 40):
        bookkeeping.earn_weeks(other)
    assert not check.unexplained()
    told = {one.account: one.amount.minor for one in balances() if one.amount}
    assert "Liabilities:Deferred" not in told
    assert told["Income:Courses"] + told["Liabilities:Tax:CA-ON"] == 12_000


def test_moving_in_the_browser(app, signed_in):
    order = bought_when_it_began(3)
    start = clock.now().date() + timedelta(days=9)
    other = make_paid_run(order.run.course, starts_on=start, ends_on=start + timedelta(days=34))
    elsewhere = make_paid_run()
    browser = signed_in(order.user)

    assert browser.post(f"/orders/{order.uuid}/transfer/{elsewhere.uuid}").status_code == 409
    assert browser.post(f"/orders/{order.uuid}/transfer/{other.uuid}").status_code == 303
    db.session.refresh(order)
    assert order.run_id == other.id


def test_a_run_moved_beyond_the_limit_asks_its_buyers_once(run, signed_in):
    order, near = buy(run), buy(run, reference="pi_2")
    run.starts_on, run.ends_on = MONDAY + timedelta(days=20), MONDAY + timedelta(days=54)
    bookkeeping_terms = leaving.find_terms(near)
    bookkeeping_terms.first_day = MONDAY + timedelta(days=10)
    db.session.commit()
    with at(1):
        jobs.tell_of_moved_runs()
        jobs.tell_of_moved_runs()
        notices = db.session.scalars(
            select(Notice).where(Notice.kind == "payments.run_moved")
        ).all()
        assert [notice.user_id for notice in notices] == [order.user_id]
    browser = signed_in(order.user)
    assert "Keep my place on the new dates" in browser.get(f"/orders/{order.uuid}").text
    with at(21):  # it has begun, and the buyer never answered
        assert leaving.back_for(order).why == Why.MOVED
        assert leaving.back_for(near).why == Why.PART
        assert browser.post(f"/orders/{order.uuid}/keep-dates").status_code == 303
        db.session.expire_all()
        assert leaving.back_for(order).why == Why.PART


def test_a_transfer_because_we_moved_the_run_is_not_the_once(run):
    order = buy(run)
    other = later_run(run)
    run.starts_on, run.ends_on = MONDAY + timedelta(days=20), MONDAY + timedelta(days=54)
    db.session.commit()

    with at(1):
        leaving.transfer(order, other)

    assert leaving.find_terms(order).transfers == 0
    assert order.run == other


def test_the_policy_of_the_day_of_the_order_holds(run):
    order = buy(run)
    with at(-5):
        db.session.add(
            RefundPolicy(
                starts_on=MONDAY - timedelta(days=5), fee_percent=50, fee_caps={},
                nothing_after_percent=100, moved_days=1,
            )
        )  # fmt: skip
        db.session.flush()
        other = buy(run, reference="pi_2", days=-4)

    with at(8):
        assert leaving.back_for(order).fee.minor == 960
        assert leaving.back_for(other).fee.minor == 4_800


def test_a_free_place_is_left_without_money(run):
    voucher = make_voucher(percent=100)
    with at(-3):
        order = orders.place_order(run, make_user(), None, voucher_code=voucher.code)
        back = leaving.leave_run(order, Money(0, "CAD"))

    assert not back.amount
    assert order.enrolment.state == EnrolmentState.WITHDRAWN


def test_administrators_write_the_next_policy(app, signed_in):
    desk, page = signed_in(make_administrator()), "/admin/payments/refund-policies"
    codes = app.extensions["settings"].currencies
    form = {
        "starts_on": (clock.now().date() + timedelta(days=2)).isoformat(), "fee_percent": "12",
        "nothing_after_percent": "50", "moved_days": "10",
        "caps": "\n".join(f"{code} 40" for code in codes),
    }  # fmt: skip

    assert desk.get(page).status_code == 200
    assert desk.post(page, data=form | {"caps": "CAD 40"}).status_code == 422
    assert desk.post(page, data=form | {"caps": "XXX 40"}).status_code == 422
    assert desk.post(page, data=form | {"starts_on": "2020-01-01"}).status_code == 422
    assert desk.post(page, data=form).status_code == 303
    row = db.session.scalars(select(RefundPolicy)).one()
    assert (row.fee_percent, row.fee_caps["CAD"]) == (12, 4_000)
    assert "12%" in desk.get(page).text


def test_the_checkout_tells_when_money_comes_back(run, signed_in):
    page = signed_in(make_user()).get(f"/checkout/{run.uuid}").text

    assert "Before Mar 1, 2027: the whole price." in page
    assert "From Mar 22, 2027 on: no money" in page


def test_a_cancelled_run_gives_all_back_to_who_leaves_too(run):
    order = buy(run)
    run.state = PublicationState.CANCELLED
    db.session.commit()

    with at(1), pytest.raises(OfferChanged):
        leaving.leave_run(order, Money(8_640, "CAD"))
    with at(1):
        assert leaving.back_for(order).why == Why.CANCELLED
