"""Vouchers: what they take off, where, and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.payments.errors import VoucherRefused
from lms.payments.models import Order, Receipt, Voucher, VoucherUse
from lms.payments.services import vouchers
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course
from tests.factories.payments import make_order, make_paid_run, make_voucher, set_bank_account


def uses_of(voucher: Voucher) -> int:
    db.session.refresh(voucher)
    return voucher.uses


def test_a_voucher_lowers_the_price_without_losing_what_was_typed(stripe, signed_in):
    set_bank_account()
    run, browser = make_paid_run(), signed_in(make_user())
    make_voucher("SPRING-25", percent=25)

    page = browser.post(
        f"/checkout/{run.uuid}",
        data={
            "voucher": "spring 25",
            "apply": "1",
            "country": "PE",
            "gateway": "bank_transfer",
        },
    )

    assert page.status_code == 200
    assert "CAD 90.00" in page.text
    assert 'value="spring 25"' in page.text
    assert '<option selected value="PE">' in page.text
    assert 'checked class="" id="gateway-1"' in page.text or "checked id=" in page.text
    assert db.session.scalars(select(Order)).all() == []


def test_a_used_voucher_is_counted_on_the_paid_order(stripe, signed_in, check_out):
    run, browser = make_paid_run(), signed_in(make_user())
    voucher = make_voucher(off=Money(2_050, "CAD"), max_uses=1)

    stripe.pay(check_out(browser, run, voucher=voucher.code))
    stripe.deliver()

    order = db.session.scalars(select(Order)).one()
    assert (order.discount, order.total) == (Money(2_050, "CAD"), Money(9_950, "CAD"))
    assert order.state == "paid"
    assert uses_of(voucher) == 1


def test_a_whole_discount_enrols_at_once(stripe, signed_in, check_out, mails):
    run, ana = make_paid_run(), make_user()
    voucher = make_voucher(percent=100)

    address = check_out(signed_in(ana), run, voucher=voucher.code, gateway="")

    order = db.session.scalars(select(Order)).one()
    assert address.endswith(f"/orders/{order.uuid}")
    assert (order.state, order.total_minor, order.gateway) == ("paid", 0, None)
    enrolment = db.session.scalars(select(Enrolment)).one()
    assert (enrolment.state, enrolment.method) == ("active", "voucher")
    assert db.session.scalars(select(Receipt)).all() == []
    assert stripe.deliver() == 0
    assert "Your voucher covered" in signed_in(ana).get(address).text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_active": False}, "no longer valid"),
        ({"valid_until": clock.now() - timedelta(days=1)}, "no longer valid"),
        ({"valid_from": clock.now() + timedelta(days=1)}, "not valid yet"),
        ({"max_uses": 1, "uses": 1}, "used up"),
        ({"off": Money(500, "USD")}, "cannot be used on a price in another currency"),
    ],
)
def test_a_voucher_that_cannot_be_used_says_why(stripe, signed_in, values, words):
    run, browser = make_paid_run(), signed_in(make_user())
    voucher = make_voucher(**values)

    for data in ({"apply": "1"}, {}):
        page = browser.post(
            f"/checkout/{run.uuid}", data={"voucher": voucher.code, "gateway": "stripe", **data}
        )
        assert page.status_code == 422
        assert words in page.text
        assert f'value="{voucher.code}"' in page.text
    assert db.session.scalars(select(Enrolment)).all() == []


def test_a_voucher_is_for_its_course_or_run_alone(app):
    course = make_course()
    run, other_run, elsewhere = make_paid_run(course), make_paid_run(course), make_paid_run()
    for_course, for_run = make_voucher(course=course), make_voucher(run=run)

    assert vouchers.usable_voucher(for_course.code, other_run) == for_course
    assert vouchers.usable_voucher(for_run.code, run) == for_run
    for voucher, refused in ((for_course, elsewhere), (for_run, other_run)):
        with pytest.raises(VoucherRefused):
            vouchers.usable_voucher(voucher.code, refused)
    with pytest.raises(VoucherRefused):
        vouchers.usable_voucher("- -", run)


def test_a_use_is_given_back_with_the_order_and_only_once(stripe, signed_in, check_out, run_jobs):
    run, browser = make_paid_run(), signed_in(make_user())
    voucher = make_voucher(max_uses=1)
    check_out(browser, run, voucher=voucher.code)
    order = db.session.scalars(select(Order)).one()
    assert uses_of(voucher) == 1
    check_out(browser, run, voucher=voucher.code)
    assert uses_of(voucher) == 1

    browser.post(f"/orders/{order.uuid}/cancel")
    vouchers.release_voucher(order)

    assert uses_of(voucher) == 0
    check_out(signed_in(make_user()), make_paid_run(), voucher=voucher.code)
    assert uses_of(voucher) == 1


def test_another_voucher_makes_another_order(stripe, signed_in, check_out):
    run, browser = make_paid_run(), signed_in(make_user())
    voucher = make_voucher(percent=50)
    check_out(browser, run)

    check_out(browser, run, voucher=voucher.code)

    states = db.session.execute(select(Order.state, Order.total_minor).order_by(Order.id)).all()
    assert [tuple(row) for row in states] == [("cancelled", 12_000), ("pending", 6_000)]


def test_the_last_use_goes_to_one_order(app):
    voucher = make_voucher(max_uses=1)
    first, second = make_order(), make_order()

    vouchers.use_voucher(voucher, first)
    with pytest.raises(VoucherRefused):
        vouchers.use_voucher(voucher, second)

    assert uses_of(voucher) == 1
    assert db.session.scalars(select(VoucherUse.order_id)).all() == [first.id]


@pytest.mark.parametrize(
    "values",
    [
        {"percent": 0},
        {"percent": 101},
        {"percent": None},
        {"percent": 10, "off_minor": 5, "off_currency": "CAD"},
        {"uses": 2, "max_uses": 1},
    ],
)
def test_the_database_refuses_impossible_vouchers(app, values):
    fields = {"code": "X", "code_folded": "X", "percent": 5} | values
    with pytest.raises(IntegrityError), db.session.begin_nested():
        db.session.add(Voucher(**fields))


def test_an_administrator_makes_a_batch(signed_in):
    administrator, course = make_administrator(), make_course()
    make_paid_run(course)
    data = {
        "label": "Congress 2027",
        "kind": "percent",
        "percent": "30",
        "scope": f"course:{course.id}",
        "count": "25",
        "max_uses": "1",
        "valid_from": "2027-01-01",
        "valid_until": "2027-01-31",
    }

    answer = signed_in(administrator).post("/admin/payments/vouchers/new", data=data)

    assert answer.status_code == 303
    made = db.session.scalars(select(Voucher)).all()
    assert len({voucher.code_folded for voucher in made}) == 25
    assert {(v.percent, v.label, v.course_id, v.max_uses) for v in made} == {
        (30, "Congress 2027", course.id, 1)
    }
    # days begin and end in the administrator's own time zone, which is UTC-4
    assert made[0].valid_from.isoformat() == "2027-01-01T04:00:00+00:00"
    assert made[0].valid_until.isoformat() == "2027-02-01T03:59:59+00:00"
    page = signed_in(administrator).get(answer.location)
    assert made[0].code in page.text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"percent": ""}, "Write a percentage"),
        ({"percent": "101"}, "between 1 and 100"),
        ({"kind": "amount", "amount": "ten"}, "above zero"),
        ({"kind": "amount", "amount": "-3"}, "above zero"),
        ({"kind": "amount", "amount": "1.005"}, "above zero"),
        ({"code": "ABCD", "count": "2"}, "one voucher only"),
        ({"code": "- - -"}, "four letters"),
        ({"code": "Taken-1"}, "already"),
        ({"valid_from": "2027-02-02", "valid_until": "2027-02-01"}, "before the first one"),
        ({"scope": "course:999"}, "Not a valid choice"),
    ],
)
def test_wrong_voucher_terms_are_shown_at_their_field(signed_in, data, words):
    make_voucher("TAKEN 1")
    values = {"kind": "percent", "percent": "10", "count": "1", "currency": "CAD", "scope": ""}

    page = signed_in(make_administrator()).post("/admin/payments/vouchers/new", data=values | data)

    assert page.status_code == 422
    assert words in page.text
    assert len(db.session.scalars(select(Voucher)).all()) == 1


def test_a_deactivated_voucher_is_refused_and_old_orders_keep_their_price(
    stripe, signed_in, check_out
):
    run, browser = make_paid_run(), signed_in(make_user())
    voucher = make_voucher(percent=50)
    address = check_out(browser, run, voucher=voucher.code)

    admin = signed_in(make_administrator())
    admin.post(f"/admin/payments/vouchers/{voucher.id}/deactivate")
    stripe.pay(address)
    stripe.deliver()

    assert db.session.scalars(select(Order.state)).all() == ["paid"]
    with pytest.raises(VoucherRefused):
        vouchers.usable_voucher(voucher.code, run)
