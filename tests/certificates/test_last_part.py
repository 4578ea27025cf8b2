"""A certificate waits for the last part of the price, and comes by itself with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment, EnrolmentState
from lms.courses.services import progress
from lms.payments.services import dues, on_account, parts
from lms.payments.services.orders import place_order
from lms.payments.services.payments import confirm_transfer
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_certified_course
from tests.factories.payments import make_paid_run, set_bank_account

pytestmark = pytest.mark.needs("payments")


def credentials() -> list[Credential]:
    return list(db.session.scalars(select(Credential)))


def completed_with_half_paid() -> tuple:
    """A course that is completed although the second half of its price is open."""
    set_bank_account()
    course = make_certified_course(minimum_grade=None)
    run = make_paid_run(course)
    day = clock.now().date() + timedelta(days=30)
    parts.keep_plan(run, [(50, None), (50, day)], make_administrator())
    order = place_order(run, make_user(name="Inés Calderón"), "bank_transfer", country="BO")
    order = on_account.agree(order, in_parts=True)
    confirm_transfer(order, order.asked, "BU-1", make_administrator())
    enrolment = db.session.scalars(select(Enrolment)).one()
    progress.complete_activity(enrolment, course.modules[0].activities[0])
    assert enrolment.state == EnrolmentState.COMPLETED
    return order, enrolment


def test_it_is_issued_when_the_last_part_is_paid_and_not_before(app, mails):
    order, enrolment = completed_with_half_paid()
    assert credentials() == []

    confirm_transfer(order, Money(order.total_minor // 2 - 1, "CAD"), "BU-2", make_administrator())
    assert credentials() == []  # a cent is missing

    confirm_transfer(order, Money(1, "CAD"), "BU-3", make_administrator())
    [credential] = credentials()
    assert credential.holder_name == "Inés Calderón"
    assert credential.enrolment_id == enrolment.id
    assert any("Your certificate" in mail["Subject"] for mail in mails())


def test_what_is_written_off_brings_no_certificate_until_it_is_paid_after_all(app):
    order, enrolment = completed_with_half_paid()
    dues.write_off(order, "Nobody answers", make_administrator())
    assert credentials() == []
    assert not enrolment.may_study

    rest = Money(order.total_minor // 2, "CAD")
    confirm_transfer(order, rest, "BU-2", make_administrator())
    assert len(credentials()) == 1
