"""Money that is due on days after what was bought is delivered."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.ledger.queries import balances
from lms.ledger.services import check
from lms.payments import queries
from lms.payments.due_models import Due
from lms.payments.errors import NothingOwed, PlanRefused, WrongTransferAmount
from lms.payments.models import Order, OrderState, RefundReason
from lms.payments.products import products
from lms.payments.queries import dues as due_queries
from lms.payments.seat_models import SEATS
from lms.payments.services import dues, on_account, orders, parts, refunds, seat_blocks, seats
from lms.payments.services.leaving import back_for, leave_run
from lms.payments.services.orders import place_order
from lms.payments.services.payments import confirm_transfer, take_payment
from lms.payments.services.terms import Billing
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import make_manager, make_organisation
from tests.factories.payments import make_paid_run, set_bank_account


@pytest.fixture(autouse=True)
def cards(app, settings):
    """Cards are taken; nothing here opens a page."""
    keys = {"stripe_secret_key": SecretStr("sk"), "stripe_webhook_secret": SecretStr("wh")}
    app.extensions["settings"] = settings.model_copy(update=keys)
    yield
    app.extensions["settings"] = settings


PLAN = [(40, None), (30, 30), (30, 60)]  # percent, days from now


def plan(run, *spread_):
    days = [
        (percent, None if day is None else clock.now().date() + timedelta(days=day))
        for percent, day in spread_ or PLAN
    ]
    parts.keep_plan(run, days, make_administrator())
    return run


def in_parts(run=None, gateway="stripe", *, paid=True):
    """An order in three parts of 48, 36 and 36 CAD; the first is paid."""
    set_bank_account()
    run = run or plan(make_paid_run())
    order = on_account.agree(place_order(run, make_user(), gateway, country="BO"), in_parts=True)
    if paid:
        take_payment(order, gateway, f"first-{order.id}", order.asked)
    return order


def on_invoice(run=None):
    """An order on invoice of an approved organisation, delivered, with nothing paid."""
    set_bank_account()
    organisation = make_organisation()
    buyer = make_manager(organisation)
    on_account.approve(organisation, "", make_administrator())
    billing = Billing(organisation="Somebody else", purchase_order="PO-77")
    order = place_order(run or make_paid_run(), buyer, "invoice", country="BO", billing=billing)
    return on_account.agree(order)


def open_parts(order):
    return [due.open_minor for due in queries_dues(order)]


def queries_dues(order):
    return db.session.scalars(
        select(Due).where(Due.order_id == order.id).order_by(Due.position)
    ).all()


def enrolment_of(order):
    return db.session.scalars(select(Enrolment).where(Enrolment.user_id == order.user_id)).one()


def all_is_explained():
    db.session.flush()
    found = check.unexplained()
    assert not found, found


def test_parts_add_up_to_the_total_and_the_last_takes_the_rest():
    today = date(2027, 1, 1)
    later = [(33, None), (33, date(2027, 2, 1)), (34, date(2027, 3, 1))]

    found = dues.spread(Money(10_001, "CAD"), later, today)

    assert [part.amount.minor for part in found] == [3_300, 3_300, 3_401]
    assert dues.spread(Money(10_001, "CAD"), later, date(2027, 2, 1))[0].amount.minor == 6_600
    assert len(dues.spread(Money(10_001, "CAD"), later, date(2028, 1, 1))) == 1
    assert sum(part.amount.minor for part in dues.spread(Money(2, "CLP"), later, today)) == 2


def test_the_first_part_enrols_and_the_rest_is_owed_not_unexplained(app):
    order = in_parts()

    assert order.state == OrderState.OWED
    assert open_parts(order) == [0, 3_600, 3_600]
    assert order.receipt is None
    enrolment = enrolment_of(order)
    assert enrolment.may_study
    assert enrolment.is_owed
    assert not db.session.scalars(queries.enrolled_not_paid()).all()
    assert not db.session.scalars(queries.paid_not_enrolled()).all()
    all_is_explained()


def test_the_last_part_settles_the_order_and_gives_the_receipt(app):
    order = in_parts()
    for number, due in enumerate(queries_dues(order)[1:]):
        parts.prepare_page(due, "stripe")
        take_payment(order, "stripe", f"part-{number}", due.total, due=due)

    assert order.state == OrderState.PAID
    assert order.receipt is not None
    assert not enrolment_of(order).is_owed
    all_is_explained()


def test_another_amount_than_the_page_asked_for_pays_nothing(app):
    order = in_parts()
    due = queries_dues(order)[1]
    parts.prepare_page(due, "stripe")

    payment = take_payment(order, "stripe", "odd", Money(3_599, "CAD"), due=due)

    assert payment.exception == "amount_differs"
    assert open_parts(order) == [0, 3_600, 3_600]


def test_the_first_page_paid_twice_goes_back(app):
    order = in_parts()

    payment = take_payment(order, "stripe", "again", order.asked)

    assert payment.exception == "paid_twice"
    assert open_parts(order) == [0, 3_600, 3_600]
    all_is_explained()


def test_late_by_more_than_a_week_pauses_and_paying_opens_at_once(app, mails):
    order = in_parts()
    enrolment, due = enrolment_of(order), queries_dues(order)[1]
    with clock.set_to(clock.now() + timedelta(days=37)):
        parts.remind(order)
        assert enrolment.may_study
        assert len(db.session.scalars(queries.enrolled_not_paid()).all()) == 1
    with clock.set_to(clock.now() + timedelta(days=39)):
        parts.remind(order)
        assert not enrolment.may_study
        assert enrolment.has_place
        parts.prepare_page(due, "stripe")
        take_payment(order, "stripe", "late", due.total, due=due)

        assert enrolment.may_study
        assert order.state == OrderState.OWED
        assert not db.session.scalars(queries.enrolled_not_paid()).all()
    all_is_explained()


def test_each_reminder_is_sent_once_and_none_when_it_is_paid(app, mails):
    order = in_parts()
    start = clock.now()
    sent = []
    for day in range(75):
        with clock.set_to(start + timedelta(days=day)):
            before = [due.told_step for due in queries_dues(order)]
            parts.remind(order)
            parts.remind(order)
            after = [due.told_step for due in queries_dues(order)]
            sent += [(day, place) for place in (1, 2) if before[place] != after[place]]
            if day == 40:
                confirm_transfer(order, Money(3_600, "CAD"), "BU-1", make_administrator())

    assert sent == [(25, 1), (31, 1), (38, 1), (55, 2), (61, 2), (68, 2)]


def test_an_invoice_delivers_at_once_and_names_the_approved_organisation(app):
    order = on_invoice()

    assert order.state == OrderState.OWED
    assert enrolment_of(order).may_study
    assert not enrolment_of(order).is_owed
    [invoice] = on_account_invoices(order)
    assert invoice.purchase_order == "PO-77"
    assert invoice.organisation != "Somebody else"
    assert invoice.due_on == queries_dues(order)[0].due_on
    all_is_explained()


def on_account_invoices(order):
    from lms.payments.services.order_invoices import issued_for

    return issued_for(order)


def test_several_transfers_add_up_to_the_invoice_and_none_goes_beyond(app):
    order, admin = on_invoice(), make_administrator()

    confirm_transfer(order, Money(5_000, "CAD"), "BU-1", admin)
    with pytest.raises(WrongTransferAmount):
        confirm_transfer(order, Money(7_001, "CAD"), "BU-2", admin)
    assert (order.state, open_parts(order)) == (OrderState.OWED, [7_000])
    all_is_explained()
    confirm_transfer(order, Money(7_000, "CAD"), "BU-3", admin)

    assert order.state == OrderState.PAID
    assert order.receipt is not None
    all_is_explained()


def test_what_is_written_off_is_lost_and_closes_access_until_it_is_paid_after_all(app):
    order, admin = on_invoice(), make_administrator()
    confirm_transfer(order, Money(2_000, "CAD"), "BU-1", admin)

    dues.write_off(order, "Closed down", admin)

    assert not enrolment_of(order).may_study
    assert balance("Expenses:BadDebt") == 10_000
    all_is_explained()
    with pytest.raises(NothingOwed):
        dues.write_off(order, "Again", admin)
    confirm_transfer(order, Money(10_000, "CAD"), "BU-2", admin)
    assert order.state == OrderState.PAID
    assert enrolment_of(order).may_study
    assert balance("Expenses:BadDebt") == 0
    all_is_explained()


def balance(account):
    return sum(one.amount.minor for one in balances() if one.account == account)


def test_a_run_that_is_cancelled_asks_for_nothing_more(app):
    order = on_invoice()

    refunds.refund_order(order, RefundReason.RUN_CANCELLED)

    assert order.state == OrderState.CANCELLED
    assert not enrolment_of(order).has_place
    all_is_explained()


def test_who_leaves_before_the_start_gets_what_was_paid_and_owes_nothing(app):
    order = in_parts(plan(make_paid_run(starts_on=clock.now().date() + timedelta(days=20))))

    back = leave_run(order, back_for(order).amount)

    [refund] = order.refunds
    assert (back.amount.minor, refund.amount_minor) == (12_000, 4_800)
    refunds.settle_refund(refund, "re_1")
    assert order.state == OrderState.REFUNDED
    all_is_explained()


def test_who_leaves_half_way_still_owes_what_was_taught_and_not_paid(app):
    order = in_parts(plan(make_paid_run(starts_on=clock.now().date() + timedelta(days=1))))
    with clock.set_to(clock.now() + timedelta(days=9)):  # one of three weeks is over
        back = back_for(order)
        leave_run(order, back.amount)

    refunded = sum(refund.amount_minor for refund in order.refunds)
    assert refunded == max(0, back.amount.minor - 7_200)
    assert sum(open_parts(order)) == 7_200 - min(7_200, back.amount.minor)
    for refund in order.refunds:
        refunds.settle_refund(refund, f"re_{refund.id}")
    all_is_explained()


def test_a_part_that_the_bank_takes_back_is_owed_again(app):
    order = in_parts()
    [payment] = order.payments

    refunds.note_money_taken(payment, payment.amount, "dp_1")

    assert order.state == OrderState.OWED
    assert sum(open_parts(order)) == 12_000
    all_is_explained()


def test_a_refund_that_does_not_arrive_leaves_all_as_it_was(app):
    order = in_parts()
    [refund] = refunds.refund_order(order, RefundReason.BY_ADMINISTRATOR)
    refunds.settle_refund(refund, "re_1")
    assert order.state == OrderState.REFUNDED
    all_is_explained()

    refunds.fail_refund(refund, "closed")

    assert order.state == OrderState.PARTIALLY_REFUNDED
    all_is_explained()


@pytest.mark.parametrize(
    "spread_", [[(100, None)], [(50, None), (40, 5)], [(50, 3), (50, 5)], [(50, None), (50, None)]]
)
def test_a_plan_that_is_none_is_refused(app, spread_):
    with pytest.raises(PlanRefused):
        plan(make_paid_run(), *spread_)


def test_administrators_write_a_plan_and_take_it_away_again(app, signed_in):
    run = make_paid_run()
    browser, page = signed_in(make_administrator()), f"/admin/payments/plans/{run.uuid}"
    later = clock.now().date() + timedelta(days=30)

    assert browser.post(page, data={"parts": f"60 %\n40 % {later}"}).status_code == 303
    assert [part.percent for part in due_queries.plan_of(run)] == [60, 40]
    for wrong in ("60\n40 soon", "60", "60\n50 2030-01-01", "-1\n101 2030-01-01"):
        answer = browser.post(page, data={"parts": wrong})
        assert answer.status_code in (409, 422)
        assert wrong.splitlines()[0] in answer.text
    assert browser.post(page, data={"parts": ""}).status_code == 303
    assert due_queries.plan_of(run) == []
    assert signed_in(make_user()).get(page).status_code == 403


@pytest.mark.parametrize("seed", range(5))
def test_any_plan_paid_in_any_order_and_told_twice_ends_the_same(app, seed):
    random = Random(seed)
    first, second = random.randint(5, 60), random.randint(5, 30)
    chosen = [(first, None), (second, 10), (100 - first - second, 40)]
    run = plan(make_paid_run(price=Money(random.randint(50, 99_999), "CAD")), *chosen)
    order = in_parts(run)
    left, admin, told = order.total_minor - order.asked.minor, make_administrator(), []
    while left:
        part = random.randint(-(-left // 3), left)
        told.append((f"BU-{len(told)}", Money(part, "CAD")))
        left -= part
    told = [*told, *told]
    random.shuffle(told)
    for reference, amount in told:
        take_payment(order, "bank_transfer", reference, amount, admin)
        paid = sum(due.paid_minor for due in queries_dues(order))
        assert paid == queries.kept_for(order) <= order.total_minor
        all_is_explained()
    extra = take_payment(order, "bank_transfer", "extra", Money(1, "CAD"), admin)

    assert order.state == OrderState.PAID
    assert extra.exception == "paid_twice"
    assert db.session.scalars(select(Order.paid_at)).one() is not None
    assert balance("Assets:Receivable") == -1


def test_places_for_an_organisation_are_given_away_before_the_invoice_is_paid(app, signed_in):
    set_bank_account()
    organisation = make_organisation(country="BO")
    buyer, admin = make_manager(organisation), make_administrator()
    on_account.approve(organisation, "", admin)
    run = make_paid_run(capacity=5)
    block = seat_blocks.choose_seats(run, buyer, 3, organisation)
    item = products[SEATS].find(block.uuid, buyer, "BO")
    billing = Billing(organisation=item.organisation, purchase_order="PO-9")
    price = next(iter(item.prices.values()))
    order = on_account.agree(
        orders.order_item(item, buyer, "invoice", price, country="BO", billing=billing)
    )

    assert (order.state, open_parts(order)) == (OrderState.OWED, [36_000])
    assert [place.state for place in block.places] == ["free"] * 3
    learner = make_user()
    seats.invite(block, [learner.email], "en", buyer)
    enrolment = seats.take(block.places[0], learner, shares_result=False)
    assert enrolment.may_study
    all_is_explained()
    with clock.set_to(clock.now() + timedelta(days=80)):  # late, and nobody's access pauses
        parts.remind(order)
        assert enrolment.may_study
    dues.write_off(order, "Closed down", admin)
    db.session.expire_all()
    assert not enrolment.may_study
    assert organisation.name["en"] in signed_in(learner).get(f"/study/{run.id}").text
    newcomer = make_user()
    seats.invite(block, [newcomer.email], "en", buyer)
    late = seats.take(block.places[1], newcomer, shares_result=False)
    assert (late.has_place, late.may_study) == (True, False)
    all_is_explained()
    confirm_transfer(order, Money(36_000, "CAD"), "BU-7", admin)
    db.session.expire_all()
    assert (order.state, enrolment.may_study, late.may_study) == (OrderState.PAID, True, True)
    assert order.receipt is not None
    all_is_explained()
