"""Costs, the break-even sum, and what is decided on its day: once, also when a job dies."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.core.models import OutboxRow
from lms.core.money import Money
from lms.courses.models import CourseRun, Enrolment
from lms.ledger.accounts import Account
from lms.ledger.models import LedgerPeriod
from lms.ledger.services.entries import post
from lms.notifications.models import Notice
from lms.payments import jobs as payment_jobs
from lms.payments.models import Refund
from lms.payments.services import refunds
from lms.recovery import jobs
from lms.recovery.errors import AlreadyBegun, AlreadyDecided, DatesPassed
from lms.recovery.models import CostBasis, CostKind, Decision, MoveAnswer, MoveOffer, RunBudget
from lms.recovery.queries import break_even
from lms.recovery.services import costs, decisions
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment
from tests.recovery.conftest import MONDAY, noon

SOON = date.today() + timedelta(days=20)  # noqa: DTZ011


@pytest.fixture
def soon(run) -> CourseRun:
    """The run, beginning in twenty days, with ten seats."""
    run.starts_on, run.ends_on, run.capacity = SOON, SOON + timedelta(days=20), 10
    db.session.commit()
    return run


def cost(run, minor: int, basis=CostBasis.FIXED, currency: str = "CAD") -> None:
    costs.add_cost(
        run, basis, CostKind.TEACHING, Money(minor, currency), MONDAY, "", make_user().id
    )


def standing(run) -> break_even.Position:
    [found] = break_even.positions([run])
    return found


def buy(run, pay, count: int):
    yesterday = clock.now().date() - timedelta(days=1)
    return [pay(run, yesterday) for _ in range(count)]


def test_learners_needed_by_hand(soon):
    cost(soon, 90_000)
    cost(soon, 500, CostBasis.PER_LEARNER)
    costs.set_budget(soon, None, 300, 2_000, make_user().id)

    # 100.00 - 3.00 fee - 20.00 share - 5.00 a learner leaves 72.00: 900 / 72 = 12.5
    found = standing(soon)
    assert (found.margin.minor, found.needed, found.missing) == (7_200, 13, 13)
    assert (found.free, found.can_reach) == (10, False)


def test_net_price_and_fees_come_from_the_ledger(soon, pay):
    buy(soon, pay, 2)
    fee, product = Money(640, "CAD"), f"run:{soon.id}"
    accounts = {Account.PROCESSOR: fee, Account.CLEARING.of("stripe"): -fee}
    post("fee", "test:1", MONDAY, accounts, product=product)
    cost(soon, 38_720)

    found = standing(soon)
    assert not found.is_list_price
    assert (found.average.minor, found.fee.minor, found.paying) == (10_000, 320, 2)
    assert (found.needed, found.missing, found.result.minor) == (4, 2, 2 * 9_680 - 38_720)


def test_a_price_below_its_costs_never_pays(soon):
    cost(soon, 1_000)
    cost(soon, 9_700, CostBasis.PER_LEARNER)

    assert standing(soon).needed is None


def test_costs_in_another_currency_are_told_and_not_added(soon):
    cost(soon, 1_000)
    cost(soon, 5_000, currency="BOB")

    found = standing(soon)
    assert found.fixed == Money(1_000, "CAD")
    assert found.other_costs


def test_administrators_are_told_once_when_the_day_has_come(soon, admin):
    budget = costs.set_budget(soon, break_even.today() + timedelta(days=1), 300, 0, admin.id)
    assert decisions.tell_of_due_decisions() == 0

    costs.set_budget(soon, break_even.today(), 300, 0, admin.id)
    assert decisions.tell_of_due_decisions() == 1
    assert decisions.tell_of_due_decisions() == 0
    kinds = db.session.scalars(select(Notice.kind).where(Notice.user_id == admin.id)).all()
    assert kinds == ["recovery.decision_due"]
    assert budget.told_at


def test_a_confirmed_run_waits_no_longer(soon, admin):
    costs.set_budget(soon, break_even.today(), 300, 0, admin.id)
    decisions.decide(soon, Decision.CONFIRM, admin.id)

    assert not break_even.waiting_for_decision()
    with pytest.raises(AlreadyDecided):
        decisions.decide(soon, Decision.CANCEL, admin.id)


def test_a_cancelled_run_gives_all_money_back_once_though_a_job_dies(soon, admin, pay, monkeypatch):
    buy(soon, pay, 3)
    decisions.decide(soon, Decision.CANCEL, admin.id)
    db.session.commit()
    whole, calls = refunds.refund_order, []

    def dies(order, *args, **kwargs):
        calls.append(order.id)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return whole(order, *args, **kwargs)

    monkeypatch.setattr(refunds, "refund_order", dies)
    for _ in range(3):
        for order in [row["order_id"] for row in jobs_of("payments.refund_order")]:
            try:
                with db.session.begin_nested():
                    payment_jobs.refund_order(order, "run_cancelled")
            except RuntimeError:
                continue

    assert soon.state == "cancelled"
    found = db.session.execute(
        select(Refund.order_id, func.sum(Refund.amount_minor)).group_by(Refund.order_id)
    ).all()
    assert [minor for _order, minor in found] == [10_000] * 3


def jobs_of(name: str):
    """What was enqueued by a name."""
    return [r.payload for r in db.session.scalars(select(OutboxRow).where(OutboxRow.job == name))]


def defer(run, admin, days: int = 28):
    starts_on = run.starts_on + timedelta(days=days)
    made = decisions.decide(run, Decision.DEFER, admin.id, starts_on=starts_on)
    db.session.commit()
    return made


def test_a_moved_run_keeps_its_length_and_asks_each_learner_once(soon, admin, pay):
    buy(soon, pay, 3)
    length = soon.days
    made = defer(soon, admin)

    assert decisions.offer_moves(made, at_most=2) == 2
    db.session.commit()  # and here the job dies
    jobs.offer_moves(made.id)
    jobs.offer_moves(made.id)
    assert (soon.starts_on, soon.days) == (SOON + timedelta(days=28), length)
    assert db.session.scalar(select(func.count()).select_from(MoveOffer)) == 3
    told = db.session.scalars(select(Notice.user_id).where(Notice.kind == "recovery.run_moved"))
    assert len(set(told)) == 3


def test_who_leaves_a_moved_run_gets_the_money_back(soon, admin, pay, signed_in):
    order, other = buy(soon, pay, 2)
    made = defer(soon, admin)
    jobs.offer_moves(made.id)
    offer = db.session.scalars(
        select(MoveOffer).where(MoveOffer.enrolment_id == order.enrolment_id)
    ).one()

    path = f"/my/courses/moved/{offer.id}"
    assert signed_in(other.user).get(path).status_code == 403
    browser = signed_in(order.user)
    assert "keep your place if you do nothing" in browser.get(path).text
    assert browser.post(path, data={}).status_code == 422
    assert browser.post(path, data={"answer": "leave"}).status_code == 303
    assert browser.post(path, data={"answer": "leave"}).status_code == 409

    db.session.refresh(offer)
    assert offer.answer == MoveAnswer.LEAVE
    assert [r.amount_minor for r in db.session.scalars(select(Refund))] == [10_000]


def test_who_has_a_free_place_leaves_without_a_refund(soon, admin):
    enrolment = make_enrolment(soon, created_at=clock.now() - timedelta(days=1))
    made = defer(soon, admin)
    jobs.offer_moves(made.id)
    offer = db.session.scalars(select(MoveOffer)).one()
    decisions.answer_move(offer, MoveAnswer.LEAVE)

    assert db.session.get_one(Enrolment, enrolment.id).state == "withdrawn"


def test_a_run_is_only_moved_forward_and_before_it_begins(soon, admin):
    with pytest.raises(DatesPassed):
        decisions.decide(soon, Decision.DEFER, admin.id, starts_on=soon.starts_on)
    db.session.rollback()
    with clock.set_to(noon(SOON)), pytest.raises(AlreadyBegun):
        decisions.decide(soon, Decision.CANCEL, admin.id)


def test_costs_dates_and_decision_by_the_screens_alone(soon, admin, signed_in):
    browser = signed_in(admin)
    page = f"/admin/recovery/runs/{soon.id}"
    assert "Maps" in browser.get("/admin/recovery/runs").text
    bad = browser.post(f"{page}/costs", data={"amount": "much", "basis": "fixed"})
    assert bad.status_code == 422
    assert "Type an amount above zero" in bad.text
    typed = {
        "basis": "fixed", "kind": "teaching", "amount": "97.00", "currency": "CAD",
        "spent_on": "2027-01-10", "note": "two instructors",
    }  # fmt: skip
    assert browser.post(f"{page}/costs", data=typed).status_code == 303
    today = break_even.today().isoformat()
    budget = {"decide_on": today, "fee": "3", "share": "0"}
    assert browser.post(f"{page}/budget", data=budget).status_code == 303
    assert "Waits for your decision" in browser.get("/admin/recovery/runs").text
    assert "To be decided now" in browser.get("/admin/recovery").text
    assert browser.post(f"{page}/decision", data={"decision": "defer"}).status_code == 422
    assert browser.post(f"{page}/decision", data={"decision": "confirm"}).status_code == 303

    shown = browser.get(page).text
    assert "two instructors" in shown
    assert "Confirm: it takes place" in shown
    assert db.session.get_one(RunBudget, soon.id).decided_at


def test_a_closed_month_takes_no_cost_and_says_so(soon, admin, signed_in):
    one = Money(100, "CAD")
    post("fee", "test:1", date(2026, 10, 5), {Account.PROCESSOR: one, Account.BANK: -one})
    db.session.add(LedgerPeriod(month="2026-10", closed_by_id=admin.id, balances=[]))
    db.session.commit()
    typed = {"basis": "fixed", "kind": "teaching", "amount": "97.00", "currency": "CAD"}
    address = f"/admin/recovery/runs/{soon.id}/costs"

    refused = signed_in(admin).post(address, data=typed | {"spent_on": "2026-10-15"})
    taken = signed_in(admin).post(address, data=typed | {"spent_on": "2026-11-01"})

    assert refused.status_code == 422
    assert "October 2026 is closed and takes nothing any more." in refused.text
    assert "from Nov 1, 2026 on" in refused.text
    assert 'value="97.00"' in refused.text
    assert taken.status_code == 303
    assert [row.spent_on for row in break_even.costs_of(soon)] == [date(2026, 11, 1)]


def test_only_administrators_write_costs_and_decide(soon, signed_in):
    browser = signed_in(make_user())
    page = f"/admin/recovery/runs/{soon.id}"
    assert browser.get("/admin/recovery/runs").status_code == 403
    assert browser.get(page).status_code == 403
    for deed in ("costs", "budget", "decision"):
        assert browser.post(f"{page}/{deed}", data={"decision": "cancel"}).status_code == 403
    assert soon.state == "published"
