"""What of a price a scholarship pays in the buyer's place."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.core.money import Money
from lms.pricing.engine import Basket, Offer, OfferKind, PayWhatYouCan, price

CAD = "CAD"


# What of a price a fund pays


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("more", "total", "granted"),
    [
        ({}, 40, 60),
        ({"floor_percent": 50}, 50, 50),
        ({"pay_what_you_can": PayWhatYouCan(0, 100, Money(70, CAD))}, 70, 30),
        ({"pay_what_you_can": PayWhatYouCan(0, 100, Money(120, CAD))}, 120, 0),
        ({"pay_what_you_can": PayWhatYouCan(0, 100, Money(10, CAD))}, 10, 60),
        ({"step": 25}, 25, 60),
    ],
)
def test_a_fund_pays_what_it_takes_off_and_no_more_than_is_missing(more, total, granted):
    offers = [Offer(OfferKind.SCHOLARSHIP, 60)]

    priced = price(Basket(Money(100, CAD), offers=offers, **more))

    assert (priced.total, priced.granted) == (Money(total, CAD), Money(granted, CAD))


@pytest.mark.sqlite
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    full=st.integers(0, 100_000),
    percent=st.integers(1, 100),
    voucher=st.integers(1, 100),
    floor=st.integers(0, 100),
    stacks=st.booleans(),
    contract=st.integers(1, 100),
)
def test_buyer_and_fund_together_never_pay_more_than_the_price(
    full, percent, voucher, floor, stacks, contract
):
    offers = [
        Offer(OfferKind.SCHOLARSHIP, percent),
        Offer(OfferKind.VOUCHER, voucher, is_stackable=stacks),
        Offer(OfferKind.CONTRACT, contract, is_stackable=stacks),
    ]

    priced = price(Basket(Money(full, CAD), offers=offers, floor_percent=floor, step=5))

    assert priced.granted.minor >= 0
    assert (priced.total + priced.granted).minor <= full
    uses = any(offer.kind == OfferKind.SCHOLARSHIP for offer in priced.used)
    assert uses or not priced.granted
