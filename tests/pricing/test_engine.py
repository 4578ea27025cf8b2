"""The engine alone: no database, thousands of baskets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.core.money import CurrencyMismatch, Money
from lms.pricing.currencies import price_step, propose, smallest_step
from lms.pricing.engine import (
    Basket,
    BelowMinimum,
    Offer,
    OfferKind,
    PayWhatYouCan,
    Step,
    StepKind,
    price,
)

CURRENCIES = ("CAD", "USD", "BOB", "PEN", "COP", "CLP", "PYG")


def cad(minor: int) -> Money:
    return Money(minor, "CAD")


def percent(kind: str, value: int, **more) -> Offer:
    return Offer(OfferKind(kind), percent=value, **more)


def basket_of(seed: int) -> Basket:
    """A basket of any shape: quicker to make by the thousand than by drawing each part."""
    chance = Random(seed)
    currency = chance.choice(CURRENCIES)

    def money() -> Money:
        return Money(
            chance.choice([0, 1, chance.randint(0, 500), chance.randint(0, 10**8)]), currency
        )

    def offer(number: int) -> Offer:
        is_percent = chance.random() < 0.6
        return Offer(
            chance.choice(list(OfferKind)),
            percent=chance.choice([1, 10, 50, 100, chance.randint(1, 100)]) if is_percent else None,
            off=None if is_percent else money(),
            is_stackable=chance.random() < 0.5,
            key=number,
        )

    def maybe(make: Callable[[], Any]) -> Any:
        return make() if chance.random() < 0.5 else None

    minimum = chance.randint(0, 100)
    suggested = chance.randint(minimum, 150)
    return Basket(
        list_price=money(),
        tier_price=maybe(money),
        early_bird=maybe(money),
        offers=[offer(number) for number in range(chance.randint(0, 4))],
        pay_what_you_can=maybe(lambda: PayWhatYouCan(minimum, suggested, maybe(money))),
        floor_percent=chance.choice([0, 0, 30, chance.randint(0, 100)]),
        step=smallest_step(currency),
    )


baskets = st.builds(basket_of, st.integers(0, 2**64))


def without_choice(basket: Basket, **more) -> Basket:
    return Basket(**(vars(basket) | {"pay_what_you_can": None} | more))


@settings(max_examples=5_000, deadline=None)
@given(baskets)
def test_every_price_is_made_of_steps_that_fit_together(basket):
    before_choice = price(without_choice(basket))
    try:
        priced = price(basket)
    except BelowMinimum as refusal:
        assert basket.pay_what_you_can.chosen < refusal.minimum <= before_choice.total  # noqa: PT017
        return

    first, *rest = priced.steps
    assert (first.kind, first.before, first.after) == (StepKind.LIST, *(basket.list_price,) * 2)
    for before, after in zip(priced.steps, rest, strict=False):
        assert after.before == before.after != after.after
    assert priced.steps[-1].after == priced.total
    kinds = [step.kind for step in priced.steps]
    assert kinds == sorted(kinds, key=list(StepKind).index)
    assert priced.total.minor >= 0
    assert before_choice.total <= before_choice.price
    if priced.minimum is not None:
        assert priced.minimum <= priced.total
        assert priced.minimum <= before_choice.total
    assert sorted([*priced.used, *priced.unused], key=id) == sorted(basket.offers, key=id)


@settings(max_examples=500, deadline=None)
@given(baskets)
def test_no_other_choice_of_reductions_leaves_less_to_pay(basket):
    """The best single one counts, with those that can be added up on top."""
    basket = without_choice(basket, floor_percent=0, step=1)
    together = [offer for offer in basket.offers if offer.is_stackable]
    singles = [offer for offer in basket.offers if not offer.is_stackable]
    total = price(basket).total

    assert len([offer for offer in price(basket).used if not offer.is_stackable]) <= 1
    for one in [[], *([offer] for offer in singles)]:
        for size in range(len(together) + 1):
            for some in combinations(together, size):
                assert total <= price(without_choice(basket, offers=[*some, *one])).total


@settings(max_examples=500, deadline=None)
@given(baskets)
def test_a_lowered_price_is_a_multiple_of_the_step_and_not_below_the_floor(basket):
    basket = without_choice(basket)
    priced = price(basket)

    if priced.total == priced.price:
        return
    assert priced.total.minor % basket.step == 0
    covers_all = any(offer.off_of(priced.price) == priced.price for offer in priced.used)
    assert covers_all or priced.total.minor * 100 >= priced.price.minor * basket.floor_percent


def test_the_steps_come_in_the_order_of_the_rules():
    priced = price(
        Basket(
            list_price=cad(20_000),
            tier_price=cad(10_000),
            early_bird=cad(9_000),
            offers=[
                percent("voucher", 10, is_stackable=True, words={"code": "MAYO"}),
                percent("contract", 20, is_stackable=True),
                percent("scholarship", 50),
            ],
        )
    )

    assert [(step.kind, step.after.minor) for step in priced.steps] == [
        ("list", 20_000),
        ("tier", 10_000),
        ("early_bird", 9_000),
        ("contract", 7_200),
        ("scholarship", 3_600),
        ("voucher", 3_240),
    ]
    assert priced.price == cad(9_000)
    assert priced.steps[-1] == Step(StepKind.VOUCHER, cad(3_600), cad(3_240), {"code": "MAYO"})


def test_of_two_reductions_the_better_one_counts_and_the_other_is_kept():
    contract, voucher = percent("contract", 20), percent("voucher", 30)

    priced = price(Basket(cad(10_000), offers=[contract, voucher]))

    assert (priced.total, priced.used, priced.unused) == (cad(7_000), (voucher,), (contract,))


def test_a_draw_goes_to_what_comes_first_in_the_order():
    contract, voucher = percent("contract", 20), Offer(OfferKind.VOUCHER, off=cad(2_000))

    assert price(Basket(cad(10_000), offers=[voucher, contract])).used == (contract,)


def test_a_reduction_with_nothing_left_to_take_off_is_not_used_up():
    scholarship = percent("scholarship", 100)
    voucher = percent("voucher", 10, is_stackable=True)

    priced = price(Basket(cad(10_000), offers=[scholarship, voucher]))

    assert (priced.total, priced.used, priced.unused) == (cad(0), (scholarship,), (voucher,))


def test_reductions_stop_at_the_floor_but_a_free_place_is_free():
    half_and_more = [percent("contract", 50), percent("voucher", 60, is_stackable=True)]

    stopped = price(Basket(cad(10_000), offers=half_and_more, floor_percent=30))
    free = price(Basket(cad(10_000), offers=[percent("voucher", 100)], floor_percent=30))

    assert (stopped.total, stopped.steps[-1].kind) == (cad(3_000), StepKind.FLOOR)
    assert free.total == cad(0)


@pytest.mark.parametrize(
    ("currency", "minor", "total"),
    [
        ("CLP", 39_995, 35_990),  # no decimals, ten pesos are the smallest coin
        ("PYG", 333_397, 300_050),
        ("BOB", 12_345, 11_110),
        ("COP", 12_345_600, 11_110_000),
        ("CAD", 12_345, 11_111),
    ],
)
def test_a_lowered_price_is_rounded_down_to_what_people_can_pay(currency, minor, total):
    basket = Basket(
        Money(minor, currency), offers=[percent("voucher", 10)], step=smallest_step(currency)
    )

    assert price(basket).total == Money(total, currency)


def test_a_price_that_nothing_lowers_stays_as_it_is_stored():
    assert price(Basket(Money(12_345, "BOB"), step=10)).total == Money(12_345, "BOB")


def test_early_birds_never_pay_more_than_others():
    assert price(Basket(cad(5_000), early_bird=cad(6_000))).total == cad(5_000)


def test_who_chooses_pays_at_least_the_minimum_and_may_pay_more():
    def choose(chosen):
        return Basket(cad(10_000), pay_what_you_can=PayWhatYouCan(40, 80, chosen))

    assert price(choose(None)).total == cad(8_000)
    assert price(choose(cad(4_000))).total == cad(4_000)
    assert price(choose(cad(15_000))).total == cad(15_000)
    with pytest.raises(BelowMinimum) as refusal:
        price(choose(cad(3_999)))
    assert refusal.value.minimum == cad(4_000)


def test_a_free_place_asks_for_no_choice():
    basket = Basket(
        cad(10_000), offers=[percent("voucher", 100)], pay_what_you_can=PayWhatYouCan(40, 80)
    )

    assert (price(basket).total, price(basket).suggested) == (cad(0), None)


def test_amounts_in_two_currencies_are_never_mixed():
    with pytest.raises(CurrencyMismatch):
        price(Basket(cad(10_000), tier_price=Money(3_000, "USD")))
    with pytest.raises(CurrencyMismatch):
        price(Basket(cad(10_000), offers=[Offer(OfferKind.VOUCHER, off=Money(1, "USD"))]))


@pytest.mark.parametrize(
    ("list_price", "part", "proposed"),
    [
        (cad(18_000), 30, cad(5_400)),
        (cad(18_050), 30, cad(5_400)),
        (Money(90_000, "BOB"), 30, Money(27_000, "BOB")),
        (Money(90_900, "BOB"), 30, Money(27_500, "BOB")),
        (Money(39_990, "CLP"), 15, Money(6_000, "CLP")),
        (Money(1_234_567, "PYG"), 50, Money(615_000, "PYG")),
        (Money(54_321_000, "COP"), 30, Money(16_300_000, "COP")),
        (cad(100), 15, cad(100)),  # never free by rounding
        (cad(18_050), 100, cad(18_050)),
    ],
)
def test_an_amount_is_proposed_that_looks_like_a_price(list_price, part, proposed):
    assert propose(list_price, part) == proposed
    assert part == 100 or proposed.minor % price_step(proposed.currency) == 0
