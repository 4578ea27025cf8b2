"""Pages on which what is due is chosen, paid, followed and written off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.courses.models import Enrolment
from lms.notifications.kinds import notification_kinds
from lms.notifications.messages import write_message
from lms.notifications.models import Notice
from lms.payments import jobs, queries
from lms.payments.due_models import Due, InvoiceApproval, PlanPart
from lms.payments.errors import GatewayUnknown
from lms.payments.models import Order
from lms.payments.queries.dues import part_facts
from lms.payments.services import on_account, orders, parts
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_activity, make_module
from tests.factories.directory import make_manager, make_organisation
from tests.factories.payments import make_paid_run, set_bank_account
from tests.payments.checkout_steps import place_order
from tests.payments.conftest import path_of
from tests.payments.test_dues import in_parts, on_invoice, plan


def the_order():
    return db.session.scalars(select(Order)).one()


def test_a_learner_pays_in_parts_by_card_is_paused_and_opens_the_course_by_paying(
    stripe, signed_in, check_out
):
    run = plan(make_paid_run())
    make_activity(make_module(run.course))
    ana = make_user(language="en")
    browser = signed_in(ana)
    shown = browser.get(f"/checkout/{run.uuid}")
    assert "CA$48.00 now" in shown.text or "CAD 48.00 now" in shown.text

    address = check_out(browser, run, in_parts="y")
    stripe.pay(address)
    stripe.deliver()

    order = the_order()
    assert (order.state, order.payments[0].amount_minor) == ("owed", 4_800)
    page = browser.get(f"/orders/{order.uuid}").text
    assert "Go to the course" in page
    assert page.count("CAD 36.00") >= 2
    with clock.set_to(clock.now() + timedelta(days=39)):
        jobs.follow_dues()
        paused = browser.get(f"/study/{run.id}")
        assert paused.status_code == 403
        assert "Your access is paused" in paused.text
        assert str(order.uuid) in paused.text
        due = db.session.scalars(select(Due).where(Due.position == 2)).one()
        answer = browser.post(
            f"/orders/{order.uuid}/parts/{due.uuid}/pay", data={"gateway": "stripe"}
        )
        assert answer.status_code == 303
        stripe.pay(answer.location)
        stripe.deliver()
        assert browser.get(f"/study/{run.id}").status_code == 302
    db.session.refresh(order)
    assert [payment.amount_minor for payment in order.payments] == [4_800, 3_600]
    told = db.session.scalars(select(Notice.kind).where(Notice.user_id == ana.id)).all()
    assert told.count("payments.part_late") == 1
    assert told.count("payments.part_received") == 2


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt"])
def test_each_message_can_be_read(app, language):
    order = on_invoice()
    due = db.session.scalars(select(Due)).one()
    more = {
        "payments.invoiced": {"due_on": "2027-03-31", "purchase_order": "PO-77"},
        "payments.part_received": {"amount": [5, "CAD"], "parts": part_facts(order)},
        "payments.part_due": parts.facts(due),
        "payments.part_late": parts.facts(due) | {"is_in_parts": True},
    }
    for kind, values in more.items():
        facts = queries.facts_for_messages(order) | values
        message = write_message(notification_kinds[kind], facts, language, order.user)
        assert order.number in message.subject + message.text
        assert "{" not in message.text


def test_an_organisation_orders_on_invoice_only_when_it_is_approved(app, signed_in, mails):
    set_bank_account()
    run, organisation = make_paid_run(), make_organisation()
    browser = signed_in(make_manager(organisation, language="en"))
    data = {"gateway": "invoice", "country": "BO", "purchase_order": "PO-9"}

    assert "Invoice, 30 days" not in browser.get(f"/checkout/{run.uuid}").text
    with pytest.raises(GatewayUnknown):
        orders.place_order(run, make_user(), "invoice", country="BO")
    db.session.rollback()
    on_account.approve(organisation, "", make_administrator())
    db.session.commit()
    assert "Invoice, 30 days" in browser.get(f"/checkout/{run.uuid}").text
    missing = place_order(browser, run, data | {"purchase_order": ""})
    assert (missing.status_code, "Write the purchase order" in missing.text) == (422, True)
    answer = place_order(browser, run, data)

    assert answer.status_code == 303
    page = browser.get(path_of(answer.location)).text
    assert "10000-123" in page
    assert the_order().state == "owed"
    assert db.session.scalars(select(Enrolment.state)).one() == "active"
    assert any("on invoice" in mail["Subject"] for mail in mails())


def test_administrators_see_record_and_write_off_what_is_owed(app, signed_in):
    order = on_invoice()
    db.session.commit()
    page, admin = f"/admin/payments/orders/{order.uuid}", signed_in(make_administrator())
    assert order.number not in admin.get("/admin/payments/owed?late=1").text
    due = db.session.scalars(select(Due)).one()
    due.due_on -= timedelta(days=40)
    db.session.commit()
    listed = admin.get("/admin/payments/owed?late=1").text
    assert order.number in listed
    assert "late by 10 days" in listed

    too_much = admin.post(f"{page}/transfer", data={"amount": "120.01", "reference": "B-1"})
    assert too_much.status_code == 422
    admin.post(f"{page}/transfer", data={"amount": "20.00", "reference": "B-1"})
    assert "Still to be paid: CAD 100.00" in admin.get(page).text
    assert admin.post(f"{page}/write-off", data={}).status_code == 422
    assert admin.post(f"{page}/write-off", data={"reason": "Closed"}).status_code == 303

    assert "written off" in admin.get(page).text
    assert order.number not in admin.get("/admin/payments/owed").text


def test_administrators_approve_organisations_and_set_instalments(app, signed_in):
    organisation, run = make_organisation(), make_paid_run()
    admin = signed_in(make_administrator())

    assert admin.post("/admin/payments/invoices", data={}).status_code == 422
    admin.post("/admin/payments/invoices", data={"organisation": str(organisation.id)})
    row = db.session.scalars(select(InvoiceApproval)).one()
    admin.post(f"/admin/payments/invoices/{row.id}/end")
    assert row.ended_at is not None
    wrong = admin.post(f"/admin/payments/plans/{run.uuid}", data={"parts": "40\nsoon 60"})
    assert (wrong.status_code, "soon 60" in wrong.text) == (422, True)
    day = clock.now().date() + timedelta(days=9)
    admin.post(f"/admin/payments/plans/{run.uuid}", data={"parts": f"40 %\n60 {day}"})

    kept = db.session.scalars(select(PlanPart).order_by(PlanPart.position)).all()
    assert [(part.percent, part.due_on) for part in kept] == [(40, None), (60, day)]
    assert "CAD 72.00" in admin.get(f"/admin/payments/plans/{run.uuid}").text


@pytest.mark.parametrize("path", ["owed", "invoices", "plans/{run}", "orders/{order}/write-off"])
def test_nobody_else_sees_these_pages(app, signed_in, path):
    order = on_invoice()
    db.session.commit()
    address = path.format(run=order.run.uuid, order=order.uuid)

    assert signed_in(make_user()).get(f"/admin/payments/{address}").status_code == 403


def test_nobody_pays_or_opens_the_part_of_somebody_else(app, signed_in, settings):
    set_bank_account()
    order = in_parts(gateway="bank_transfer")
    db.session.commit()
    due = db.session.scalars(select(Due).where(Due.position == 2)).one()

    answer = signed_in(make_user()).post(
        f"/orders/{order.uuid}/parts/{due.uuid}/pay", data={"gateway": "stripe"}
    )

    assert answer.status_code == 403
