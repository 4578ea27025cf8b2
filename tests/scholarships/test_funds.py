"""Funds: what is paid in, what awards hold, what becomes free again; and the ledger's word."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.models import AuditEntry
from lms.core.money import Money
from lms.courses.events import CourseRunCancelled
from lms.ledger.queries import balance_of
from lms.ledger.services.check import unexplained
from lms.scholarships.criteria import Criteria
from lms.scholarships.errors import (
    AlreadyApplied,
    AlreadyDecided,
    DoesNotFit,
    FundExhausted,
    KeyTaken,
    NoPriceInCurrency,
    NotOffered,
    ReferenceKnown,
)
from lms.scholarships.jobs import expire_awards
from lms.scholarships.models import Fund
from lms.scholarships.queries import funds_for, today
from lms.scholarships.services import applications, funds
from tests.factories.accounts import make_administrator, make_user
from tests.factories.pricing import make_amounts, make_tiers
from tests.factories.scholarships import (
    PRICE,
    make_application,
    make_award,
    make_fund,
    make_priced_run,
)


def held(fund):
    """Balance, reserve, and the balance by the ledger."""
    told = balance_of(fund.account, fund.currency)
    return fund.balance_minor, fund.reserved_minor, told.minor


def check():
    return [(one.what, one.where) for one in unexplained()]


def test_what_is_paid_in_is_in_the_fund_and_in_the_ledger(app):
    fund = make_fund(100_000)

    funds.pay_in(fund, Money(5_000, "CAD"), today(), "second gift", make_administrator())

    assert held(fund) == (105_000, 0, 105_000)
    assert balance_of("Assets:Bank", "CAD").minor == 105_000
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert acts.count("scholarships.pay_in") == 2
    assert check() == []


def test_the_same_money_is_entered_once(app):
    fund, by = make_fund(0), make_administrator()
    funds.pay_in(fund, Money(5_000, "CAD"), today(), "transfer 7", by)

    with pytest.raises(ReferenceKnown):
        funds.pay_in(fund, Money(5_000, "CAD"), today(), "transfer 7", by)

    assert held(fund) == (5_000, 0, 5_000)


def test_two_funds_never_share_an_account(app):
    make_fund(0, key="andes")

    with pytest.raises(KeyTaken):
        make_fund(0, key="andes")


def test_an_award_holds_its_part_of_the_price(app):
    award = make_award(make_fund(100_000), make_priced_run(), percent=75)

    assert (award.state, award.percent, award.reserved_minor) == ("awarded", 75, 9_000)
    assert held(award.fund) == (100_000, 9_000, 100_000)
    assert award.fund.left == Money(91_000, "CAD")
    assert check() == []


def test_a_fund_awards_no_more_than_it_has(app):
    fund, run = make_fund(20_000), make_priced_run()
    make_award(fund, run)
    second = make_application(fund, run)

    with pytest.raises(FundExhausted):
        applications.award(second, 100, today(), "", make_administrator())

    assert (second.state, fund.reserved_minor) == ("asked", 12_000)
    applications.award(second, 50, today(), "", make_administrator())
    assert fund.left == Money(2_000, "CAD")


def test_the_database_itself_refuses_an_overdrawn_fund(app):
    fund = make_fund(10_000)

    with pytest.raises(IntegrityError):
        db.session.execute(update(Fund).where(Fund.id == fund.id).values(reserved_minor=10_001))


@pytest.mark.parametrize("end", ["withdraw", "take_back"])
def test_an_award_that_is_given_up_frees_what_it_held(app, end):
    award = make_award(percent=100)

    if end == "withdraw":
        applications.withdraw(award)
    else:
        applications.take_back(award, "A mistake.", make_administrator())

    assert (award.state, award.reserved_minor) == ("withdrawn", 0)
    assert award.fund.reserved_minor == 0
    with pytest.raises(AlreadyDecided):
        applications.withdraw(award)
    assert check() == []


def test_an_award_expires_after_its_last_day_and_frees_what_it_held(app, mails):
    award = make_award(expires_on=today())
    expire_awards()
    assert award.state == "awarded"

    with clock.set_to(clock.now() + timedelta(days=1)):
        expire_awards()
        expire_awards()
    with clock.set_to(clock.now() + timedelta(days=2)):
        sent = mails()

    assert (award.state, award.fund.reserved_minor) == ("expired", 0)
    subjects = [mail["Subject"] for mail in sent if award.user.email in mail["To"]]
    assert subjects == ["You have a scholarship", "Your scholarship has expired"]


def test_nothing_waits_for_a_run_that_does_not_take_place(app):
    run = make_priced_run()
    award, asked = make_award(run=run), make_application(run=run)

    emit(CourseRunCancelled(run))

    assert (award.state, asked.state, award.fund.reserved_minor) == ("expired", "expired", 0)


def test_a_person_applies_once_for_a_run_and_again_after_a_refusal(app):
    fund, run, ana = make_fund(), make_priced_run(), make_user()
    first = make_application(fund, run, ana)
    with pytest.raises(AlreadyApplied):
        make_application(fund, run, ana)

    applications.decline(first, "Not this time.", make_administrator())

    assert make_application(fund, run, ana).state == "asked"


def test_a_decision_is_made_once(app):
    award = make_award()

    with pytest.raises(AlreadyDecided):
        applications.decline(award, "No.", make_administrator())
    with pytest.raises(AlreadyDecided):
        applications.award(award, 50, today(), "", make_administrator())

    assert (award.state, award.percent) == ("awarded", 100)


def test_a_fund_is_for_those_who_fit_while_it_is_open_and_has_money(app):
    run = make_priced_run()
    rosa, joe = make_user(country="BO"), make_user(country="CA")
    fits = make_fund(criteria=Criteria(countries=("BO",)))
    make_fund(0)
    make_fund(closes_on=today() - timedelta(days=1))
    make_fund(opens_on=today() + timedelta(days=1))
    make_fund(currency="EUR")

    assert funds_for(rosa, run) == [fits]
    assert funds_for(joe, run) == []
    with pytest.raises(DoesNotFit):
        make_application(fits, run, joe)
    with pytest.raises(NotOffered):
        make_application(fits, run, rosa, percent=33)


def test_an_award_is_of_the_price_for_the_person_and_never_converted(app):
    make_tiers()
    run, rosa = make_priced_run(), make_user(country="BO")
    make_amounts(run, lower_middle=3_600)
    fund = make_fund()
    asked = make_application(fund, run, rosa)
    rosa.country = "ZW"  # where no amount is stored
    db.session.flush()
    make_amounts(run, "BOB", high=90_000)

    applications.award(asked, 100, today(), "", make_administrator())

    assert asked.reserved == PRICE  # unconfirmed: the list price
    with pytest.raises(DoesNotFit):
        make_application(make_fund(currency="USD"), run, make_user(country="BO"))
    other = make_application(fund, run, make_user(country="CA"))
    other.fund = make_fund(currency="USD")
    db.session.flush()
    with pytest.raises(NoPriceInCurrency):
        applications.award(other, 100, today(), "", make_administrator())


def test_the_check_finds_a_fund_that_was_changed_past_the_services(app):
    award = make_award()
    fund = award.fund
    db.session.execute(update(Fund).values(balance_minor=Fund.balance_minor + 1))
    db.session.execute(update(Fund).values(reserved_minor=Fund.reserved_minor - 1))
    db.session.expire_all()

    assert check() == [
        ("fund and ledger differ", fund.account),
        ("fund and awards differ", fund.account),
    ]
