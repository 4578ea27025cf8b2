"""Stored amounts, whose tier, contracts, and the quotes that hold both sides."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.money import Money
from lms.courses.events import CourseRunCopied
from lms.directory.models import AssociationMembership
from lms.pricing.errors import AmountTooLow, QuoteChanged, QuoteExpired
from lms.pricing.models import ResidenceProof, RunChoice, TierPrice
from lms.pricing.residence import Residence
from lms.pricing.services.quotes import (
    PriceBook,
    calculate,
    check_ticket,
    keep_quote,
    make_ticket,
)
from tests.factories.accounts import make_user
from tests.factories.courses import make_run
from tests.factories.directory import make_association
from tests.factories.pricing import make_agreement, make_amounts, make_role, make_tiers

LA_PAZ = ZoneInfo("America/La_Paz")


@pytest.fixture(autouse=True)
def tiers(app):
    make_tiers()


def make_priced_run(**values):
    """A run of 180 CAD with amounts of every tier in CAD and BOB."""
    run = make_run(price=Money(18_000, "CAD"), **values)
    make_amounts(run, upper_middle=9_000, lower_middle=5_400, low=2_700)
    make_amounts(run, "BOB", high=90_000, upper_middle=45_000, lower_middle=27_000)
    return run


def make_bolivian(**values):
    """Somebody whose institution lies in Bolivia, too."""
    user = make_user(country="BO", **values)
    make_role(user, country="BO")
    return user


def terms_of(run, user, currency=None, **more):
    return PriceBook([run], user, **more).terms(run, currency)


# Which amount


def test_without_amounts_of_tiers_everybody_pays_the_list_price(app):
    run = make_run(price=Money(18_000, "CAD"))

    terms = terms_of(run, make_bolivian())

    assert (terms.assessment.state, terms.tier_price) == (Residence.LIST, Money(18_000, "CAD"))


def test_a_person_pays_the_stored_amount_in_the_currency_of_the_country(app):
    terms = terms_of(make_priced_run(), make_bolivian())

    assert terms.currencies == ("BOB", "CAD")
    assert calculate(terms).total == Money(27_000, "BOB")
    steps = [(step.kind, step.after.minor) for step in calculate(terms).priced.steps]
    assert steps == [("list", 90_000), ("tier", 27_000)]


def test_another_currency_with_a_price_can_be_chosen_and_nothing_is_converted(app):
    run, ana = make_priced_run(), make_bolivian()

    assert calculate(terms_of(run, ana, "CAD")).total == Money(5_400, "CAD")
    assert terms_of(run, ana, "USD").currency == "BOB"


def test_a_tier_without_an_amount_has_no_price_and_nothing_is_guessed(app):
    run = make_run(price=Money(18_000, "CAD"))
    make_amounts(run, upper_middle=9_000)

    assert terms_of(run, make_bolivian()).currency is None


def test_who_lives_where_the_list_price_holds_pays_it_in_either_currency(app):
    run, anne = make_priced_run(), make_user(country="CA")

    assert calculate(terms_of(run, anne)).total == Money(18_000, "CAD")
    assert calculate(terms_of(run, anne, "BOB")).total == Money(90_000, "BOB")


def test_amounts_begin_and_end_at_midnight_of_the_run(app):
    """La Paz is four hours behind UTC."""
    day = clock.now().date() + timedelta(days=10)
    run, ana = make_priced_run(time_zone="America/La_Paz"), make_bolivian()
    make_amounts(run, lower_middle=6_000, starts_on=day)
    midnight = datetime(day.year, day.month, day.day, tzinfo=LA_PAZ)

    def price_at(instant):
        return calculate(terms_of(run, ana, "CAD", at=instant)).total.minor

    assert price_at(midnight - timedelta(minutes=1)) == 5_400
    assert price_at(midnight) == 6_000
    assert terms_of(run, ana, at=midnight - timedelta(minutes=1)).changes_at == midnight
    held = db.session.scalars(
        select(TierPrice).where(TierPrice.tier == "lower_middle", TierPrice.currency == "CAD")
    ).all()
    assert sorted(row.amount_minor for row in held) == [5_400, 6_000]  # the past is kept


def test_early_buyers_pay_less_until_the_last_minute_of_the_last_day(app):
    last = clock.now().date() + timedelta(days=5)
    run, ana = make_priced_run(time_zone="America/La_Paz"), make_bolivian()
    make_amounts(run, lower_middle=4_500, early_until=last)
    end = datetime(last.year, last.month, last.day, 23, 59, tzinfo=LA_PAZ)

    def terms_at(instant):
        return terms_of(run, ana, "CAD", at=instant)

    early = calculate(terms_at(end))
    assert (early.total.minor, early.priced.steps[-1].kind) == (4_500, "early_bird")
    assert calculate(terms_at(end + timedelta(minutes=1))).total.minor == 5_400


def test_early_amounts_hold_where_there_is_a_list_price_only(app):
    run = make_run(price=Money(18_000, "CAD"))
    make_amounts(run, high=15_000, early_until=clock.now().date() + timedelta(days=3))

    assert calculate(terms_of(run, make_bolivian())).total == Money(15_000, "CAD")


def test_people_choose_within_what_the_run_takes(app):
    run, ana = make_priced_run(), make_bolivian()
    db.session.add(RunChoice(run_id=run.id, minimum_percent=50, suggested_percent=80))
    db.session.commit()
    terms = terms_of(run, ana, "CAD")

    assert calculate(terms).total.minor == 4_320
    assert calculate(terms, chosen=Money(8_000, "CAD")).total.minor == 8_000
    generous = calculate(terms, chosen=Money(8_000, "CAD"))
    assert (generous.amount.minor, generous.discount.minor) == (8_000, 0)
    with pytest.raises(AmountTooLow) as refusal:
        calculate(terms, chosen=Money(2_699, "CAD"))
    assert refusal.value.minimum == Money(2_700, "CAD")


def test_a_run_planned_like_another_one_costs_the_same(app):
    run, copy, dearer = (
        make_priced_run(),
        make_run(price=Money(18_000, "CAD")),
        make_run(price=Money(20_000, "CAD")),
    )
    make_amounts(run, lower_middle=4_000, early_until=clock.now().date() + timedelta(days=5))
    db.session.add(RunChoice(run_id=run.id, minimum_percent=50, suggested_percent=100))
    db.session.commit()
    ana = make_bolivian()

    for other in (copy, dearer):
        emit(CourseRunCopied(other, run))

    terms = terms_of(copy, ana, "CAD")
    assert (terms.tier_price, terms.early_bird) == (Money(5_400, "CAD"), None)
    assert terms.choice.minimum_percent == 50
    assert terms_of(dearer, ana).tier_price == Money(20_000, "CAD")


# Whose tier


def state_of(run, user, **more):
    return terms_of(run, user, **more).assessment.state


def test_a_word_that_nothing_agrees_with_leads_to_the_list_price(app):
    terms = terms_of(make_priced_run(), make_user(country="BO"))

    assert terms.assessment.state == Residence.UNCONFIRMED
    assert terms.assessment.country_tier == "lower_middle"
    assert calculate(terms).total.currency == "BOB"
    assert calculate(terms).total.minor == 90_000


def test_an_institution_elsewhere_does_not_agree_unless_its_price_is_no_higher(app):
    run = make_priced_run()
    in_canada, in_peru, in_ethiopia = (make_user(country="BO") for _number in range(3))
    for user, country in ((in_canada, "CA"), (in_peru, "PE"), (in_ethiopia, "ET")):
        make_role(user, country=country)

    assert state_of(run, in_canada) == Residence.UNCONFIRMED
    assert state_of(run, in_peru) == Residence.UNCONFIRMED
    assert state_of(run, in_ethiopia) == Residence.AGREED


@pytest.mark.parametrize(
    ("number", "state"), [("CP-12", Residence.AGREED), (None, Residence.UNCONFIRMED)]
)
def test_an_association_agrees_by_a_membership_number_that_it_can_check(app, number, state):
    ana = make_user(country="BO")
    db.session.add(
        AssociationMembership(user=ana, organisation=make_association(country="BO"), number=number)
    )
    db.session.commit()

    assert state_of(make_priced_run(), ana) == state


def test_a_proof_that_was_accepted_agrees(app):
    ana = make_user(country="BO")
    db.session.add(ResidenceProof(user_id=ana.id, country="BO", state="accepted"))
    db.session.commit()

    assert state_of(make_priced_run(), ana) == Residence.AGREED


def test_what_is_said_at_the_checkout_goes_before_the_account(app):
    ana = make_bolivian()
    run = make_priced_run()

    assert state_of(run, ana, country="CA") == Residence.LIST
    assert state_of(run, make_user(country="CA"), country="BO") == Residence.UNCONFIRMED


def test_nobody_can_pay_from_a_country_that_is_refused(app):
    run = make_run(price=Money(18_000, "CAD"))

    assert terms_of(run, make_user(country="CU")).refuses_payment
    assert terms_of(make_priced_run(), make_user(country="CU")).refuses_payment


# Contracts


def test_a_contract_counts_for_people_with_a_role_and_in_its_days(app):
    run, ana = make_priced_run(), make_bolivian()
    ours = make_role(ana)
    make_agreement(ours, percent=20)
    make_agreement(make_role(make_user()), percent=90)
    make_agreement(ours, percent=95, valid_until=clock.now().date() - timedelta(days=2))
    make_agreement(ours, percent=94, run=make_run())
    make_agreement(ours, off=Money(99_999, "USD"))

    priced = calculate(terms_of(run, ana, "CAD")).priced

    assert priced.total == Money(4_320, "CAD")
    assert priced.steps[-1].words["organisation"] == ours.name


# Quotes


def test_a_quote_holds_for_just_what_was_shown(app):
    run, other, ana = make_priced_run(), make_priced_run(), make_bolivian()
    shown = calculate(terms_of(run, ana))
    text = str(make_ticket(shown, ana))

    assert keep_quote(shown, ana, check_ticket(text, shown, ana)).total == Money(27_000, "BOB")
    for calculation, user in (
        (shown, make_user()),
        (calculate(terms_of(run, ana, "CAD")), ana),
        (calculate(terms_of(other, ana)), ana),
        (calculate(terms_of(run, ana, country="CA")), ana),
    ):
        with pytest.raises(QuoteChanged):
            check_ticket(text, calculation, user)


@pytest.mark.parametrize("text", ["", "x.y.z", "a.b", "1.99999999999999999999.c", "\x00.1.é"])
def test_a_forged_quote_is_none(app, text):
    run, ana = make_priced_run(), make_bolivian()

    with pytest.raises(QuoteChanged):
        check_ticket(text, calculate(terms_of(run, ana)), ana)


def test_a_quote_lives_a_day_and_cannot_be_made_longer(app):
    run, ana = make_priced_run(), make_bolivian()
    shown = calculate(terms_of(run, ana))
    now = clock.now()
    ticket = make_ticket(shown, ana)
    key, until, seal = str(ticket).split(".")

    assert ticket.expires_at - now <= timedelta(hours=24)
    with clock.set_to(ticket.expires_at - timedelta(seconds=1)):
        check_ticket(str(ticket), shown, ana)
    with clock.set_to(ticket.expires_at), pytest.raises(QuoteExpired):
        check_ticket(str(ticket), shown, ana)
    with pytest.raises(QuoteChanged):
        check_ticket(f"{key}.{int(until) + 3_600}.{seal}", shown, ana)


def test_a_quote_ends_when_a_stored_amount_changes(app):
    run, ana = make_priced_run(time_zone="America/La_Paz"), make_bolivian()
    day = clock.local_date(clock.now(), "America/La_Paz") + timedelta(days=1)
    make_amounts(run, lower_middle=6_000, starts_on=day)

    ticket = make_ticket(calculate(terms_of(run, ana)), ana)

    assert ticket.expires_at == datetime(day.year, day.month, day.day, tzinfo=LA_PAZ)


def test_a_page_of_runs_is_priced_with_as_many_queries_as_one(app, count_queries):
    ana = make_bolivian()
    runs = [make_priced_run() for _number in range(5)]

    def count(some):
        count_queries()
        book = PriceBook(some, ana)
        assert [calculate(book.terms(run)).total.minor for run in some] == [27_000] * len(some)
        return count_queries()

    count(runs)  # loads what was expired

    assert count(runs) == count(runs[:1]) <= 9
