"""Shares in the ledger: earned with the weeks, taken back with the sales, checked against both."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.ledger.kinds import Difference
from lms.ledger.queries import balance_of
from lms.ledger.services import check
from lms.ledger.services.entries import post
from lms.partners import queries
from lms.partners.errors import NotToBeSigned, WrongTerms
from lms.partners.models import Basis, RefundsBorneBy
from lms.partners.services import agreements, sharing
from lms.payments.services import refunds
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.partners.ways import (
    MONDAY,
    agree,
    give_back,
    noon,
    partner,
    pay,
    percent,
    teach,
    terms,
)


def has(organisation) -> int:
    account = f"Liabilities:PartnerPayable:{organisation.slug[:1].upper()}{organisation.slug[1:]}"
    return balance_of(account, "CAD").minor


def not_shared() -> list:
    kinds = (Difference.SHARE, Difference.UNBALANCED, Difference.DEFERRED)
    return [one for one in check.unexplained() if one.what in kinds]


@pytest.fixture
def two(app):
    """A southern institution with its manager, and a northern one."""
    return partner("cebem"), partner("college", "CA")


def test_a_share_is_earned_week_by_week_with_the_revenue(run, two):
    (cebem, ana), (college, bob) = two
    agree(run, percent(cebem, 4_000), percent(college, 3_333), managers=[ana, bob])
    pay(run)

    teach(run, MONDAY + timedelta(days=7))
    assert (has(cebem), has(college)) == (1_333, 1_110)  # a third of 40 and of 33.33 dollars

    teach(run, MONDAY + timedelta(days=30))
    assert (has(cebem), has(college)) == (4_000, 3_333)
    assert balance_of("Expenses:PartnerShare", "CAD").minor == 7_333
    assert not_shared() == []


def test_shares_shrink_with_a_refund_unless_the_seller_bears_it(run, two):
    (cebem, ana), _ = two
    agree(run, percent(cebem, 5_000), managers=[ana])
    order = pay(run)
    teach(run, MONDAY + timedelta(days=30))

    give_back(order, 10_000, MONDAY + timedelta(days=40))

    assert has(cebem) == 0
    assert not_shared() == []


def test_partners_keep_what_was_taught_when_the_seller_bears_refunds(run, two):
    (cebem, ana), _ = two
    agree(run, percent(cebem, 5_000), managers=[ana], borne_by=RefundsBorneBy.SELLER)
    order = pay(run)
    teach(run, MONDAY + timedelta(days=7))

    give_back(order, 10_000, MONDAY + timedelta(days=8))

    assert has(cebem) == 1_666  # of the first week; the weeks to come are not sold any more
    assert not_shared() == []


def test_a_refund_that_did_not_arrive_gives_the_share_back(run, two):
    (cebem, ana), _ = two
    agree(run, percent(cebem, 5_000), managers=[ana])
    order = pay(run)
    teach(run, MONDAY + timedelta(days=30))
    refund = give_back(order, 5_000, MONDAY + timedelta(days=40))
    assert has(cebem) == 2_500

    refunds.fail_refund(refund, "closed account")

    assert has(cebem) == 5_000


def test_a_new_version_counts_for_sales_from_its_day_on(run, two):
    (cebem, ana), _ = two
    first = agree(run, percent(cebem, 4_000), managers=[ana])
    pay(run, MONDAY - timedelta(days=9))
    later = MONDAY - timedelta(days=5)
    with clock.set_to(noon(later)):
        second = agreements.write_version(
            first.agreement, terms(percent(cebem, 1_000)), later, make_user(is_administrator=True)
        )
        agreements.sign(second, ana)
    pay(run, MONDAY - timedelta(days=5), "pi_2")  # the day of the signature: still the first one
    pay(run, MONDAY - timedelta(days=4), "pi_3")

    teach(run, MONDAY + timedelta(days=30))

    assert has(cebem) == 4_000 + 4_000 + 1_000


def test_nothing_is_shared_before_all_have_signed(run, two):
    (cebem, ana), (college, _bob) = two
    agree(run, percent(cebem, 4_000), percent(college, 1_000), managers=[ana])
    pay(run)

    teach(run, MONDAY + timedelta(days=30))

    assert (has(cebem), has(college)) == (0, 0)


def test_only_a_waiting_partner_signs_and_only_the_newest_version(run, two):
    (cebem, ana), (_college, bob) = two
    version = agree(run, percent(cebem, 4_000), managers=[ana])

    for manager in (ana, bob):
        with pytest.raises(NotToBeSigned):
            agreements.sign(version, manager)


def test_more_than_all_or_the_same_partner_twice_is_refused(run, two):
    (cebem, _ana), (college, _bob) = two

    for wrong in (
        (percent(cebem, 6_000), percent(college, 5_000)),
        (percent(cebem, 1_000), percent(cebem, 1_000)),
        (),
    ):
        with pytest.raises(WrongTerms):
            agree(run, *wrong)


def test_past_sales_tell_what_the_ledger_would_have_told(run, two):
    (cebem, ana), _ = two
    version = agree(run, percent(cebem, 4_000), managers=[ana])
    pay(run)
    teach(run, MONDAY + timedelta(days=30))

    with clock.set_to(noon(MONDAY + timedelta(days=40))):
        [tried] = agreements.try_on_past_sales(version.agreement, terms(percent(cebem, 4_000)))

    assert tried.shares[cebem.id] == has(cebem) == 4_000
    assert (tried.month, tried.currency, tried.sales) == ("2027-02", "CAD", 1)


def test_a_fee_that_is_told_late_is_made_good(run, two):
    (cebem, ana), _ = two
    agree(run, percent(cebem, 5_000), managers=[ana], basis=Basis.NET_OF_FEES)
    order = pay(run)
    teach(run, MONDAY + timedelta(days=30))
    assert has(cebem) == 5_000
    fee = Money(400, "CAD")
    post(
        "fee", "fee:1", MONDAY, {"Expenses:Processor": fee, "Assets:Clearing:Stripe": -fee},
        about=f"order:{order.number}",
    )  # fmt: skip
    assert [one.what for one in not_shared()] == [Difference.SHARE]

    sharing.share_run(run)

    assert has(cebem) == 4_800
    assert not_shared() == []


def tell_exchange(order, number: int, sold: Money, settled: Money, fee: Money) -> None:
    """A movement of the card service as the nightly look tells it: exchanged, with its fee."""
    source, clearing = f"movement:{number}", "Assets:Clearing:Stripe"
    about = f"order:{order.number}"
    post(
        "exchange",
        source,
        MONDAY,
        [
            (clearing, -sold),
            ("Equity:Exchange", sold),
            (clearing, settled),
            ("Equity:Exchange", -settled),
        ],
        about=about,
    )
    post("fee", source, MONDAY, {"Expenses:Processor": fee, clearing: -fee}, about=about)


def in_dollars(organisation) -> int:
    return balance_of(queries.payable_account(organisation), "USD").minor


@pytest.fixture
def abroad(app):
    """The run's twin, sold for 100 dollars of the United States."""
    return make_paid_run(
        price=Money(10_000, "USD"),
        starts_on=MONDAY,
        ends_on=MONDAY + timedelta(days=20),
        time_zone="UTC",
    )


def test_a_fee_in_the_services_currency_counts_at_the_rate_of_its_payment(abroad, two):
    (cebem, ana), (college, bob) = two
    agree(
        abroad, percent(cebem, 5_000), percent(college, 5_000), managers=[ana, bob],
        basis=Basis.NET_OF_FEES,
    )  # fmt: skip
    order = pay(abroad)
    tell_exchange(order, 1, Money(10_000, "USD"), Money(13_600, "CAD"), Money(424, "CAD"))

    teach(abroad, MONDAY + timedelta(days=30))

    # 4.24 CAD at 136 to 100 are 3.117... USD: 3.11; half of the 96.89 that are left, rounded down
    assert (in_dollars(cebem), in_dollars(college)) == (4_844, 4_844)
    assert balance_of("Expenses:PartnerShare", "CAD").minor == 0
    assert not_shared() == []


def test_each_fee_has_the_rate_of_its_own_movement(abroad, two):
    (cebem, ana), _ = two
    agree(abroad, percent(cebem, 10_000), managers=[ana], basis=Basis.NET_OF_FEES)
    order = pay(abroad)
    teach(abroad, MONDAY + timedelta(days=30))
    assert in_dollars(cebem) == 10_000
    tell_exchange(order, 1, Money(5_000, "USD"), Money(6_800, "CAD"), Money(227, "CAD"))
    tell_exchange(order, 2, Money(5_000, "USD"), Money(7_000, "CAD"), Money(233, "CAD"))
    assert [one.what for one in not_shared()] == [Difference.SHARE]

    sharing.share_run(abroad)

    assert in_dollars(cebem) == 10_000 - 166 - 166  # 1.669 and 1.664
    assert not_shared() == []


def test_a_fee_in_another_currency_changes_no_share_of_what_is_net_of_tax_only(abroad, two):
    (cebem, ana), _ = two
    agree(abroad, percent(cebem, 5_000), managers=[ana], basis=Basis.NET)
    order = pay(abroad)
    tell_exchange(order, 1, Money(10_000, "USD"), Money(13_600, "CAD"), Money(424, "CAD"))

    teach(abroad, MONDAY + timedelta(days=30))

    assert in_dollars(cebem) == 5_000
    assert not_shared() == []


def test_what_came_of_past_sales_counts_fees_in_another_currency(abroad, two):
    (cebem, ana), _ = two
    version = agree(abroad, percent(cebem, 5_000), managers=[ana], basis=Basis.NET_OF_FEES)
    order = pay(abroad)
    tell_exchange(order, 1, Money(10_000, "USD"), Money(13_600, "CAD"), Money(424, "CAD"))
    teach(abroad, MONDAY + timedelta(days=30))

    with clock.set_to(noon(MONDAY + timedelta(days=40))):
        wished = terms(percent(cebem, 5_000), basis=Basis.NET_OF_FEES)
        [tried] = agreements.try_on_past_sales(version.agreement, wished)

    assert (tried.currency, tried.basis_minor) == ("USD", 9_689)
    assert tried.shares[cebem.id] == in_dollars(cebem) == 4_844


def test_fees_are_looked_up_at_once_for_all_sales(abroad, two, count_queries):
    (cebem, ana), _ = two
    agree(abroad, percent(cebem, 5_000), managers=[ana], basis=Basis.NET_OF_FEES)
    counted = []
    for number in (1, 2, 3):
        order = pay(abroad, reference=f"pi_{number}")
        tell_exchange(order, number, Money(10_000, "USD"), Money(13_600, "CAD"), Money(424, "CAD"))
        db.session.expire_all()
        count_queries()
        queries.told_sales(run_ids=[abroad.id])
        counted.append(count_queries())

    assert counted[0] == counted[2]


def test_whatever_is_sold_taught_and_given_back_the_shares_follow(run, two):
    (cebem, ana), (college, bob) = two
    agree(run, percent(cebem, 4_167), percent(college, 1_250), managers=[ana, bob])
    random = Random(7)
    placed = [
        pay(run, MONDAY - timedelta(days=random.randint(1, 20)), f"pi_{number}")
        for number in range(8)
    ]
    for day in range(0, 30, 3):
        teach(run, MONDAY + timedelta(days=day))
        order = random.choice(placed)
        left = order.payments[0].remaining.minor
        if left:
            give_back(order, random.randint(1, left), MONDAY + timedelta(days=day), f"re_{day}")
        assert not_shared() == []
    teach(run, MONDAY + timedelta(days=40))
    for order in placed:
        if left := order.payments[0].remaining.minor:
            give_back(order, left, MONDAY + timedelta(days=50), f"re_last_{order.id}")
    db.session.flush()

    assert (has(cebem), has(college)) == (0, 0)
    assert balance_of("Expenses:PartnerShare", "CAD").minor == 0
    assert not_shared() == []
