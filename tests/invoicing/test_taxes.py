"""Tax as a pure function: which rules, and to the cent."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from lms.core.money import Money
from lms.invoicing.default_rows import canadian_rows
from lms.invoicing.taxes import Category, NoRule, Place, TaxRule, rules_for, share_of, tax

HOME = Place("CA", "ON")
SPRING = date(2027, 3, 1)
RULES = [
    TaxRule(
        terms.jurisdiction,
        terms.rate,
        terms.category,
        terms.starts_on,
        terms.ends_on,
        Place(terms.country, terms.province),
        terms.supply,
        terms.buyer,
        terms.requires,
        terms.name,
        terms.reason,
    )
    for terms in canadian_rows()
    if terms.is_active
]


def found(country: str, province: str = "", day: date = SPRING, buyer: str = "consumer", facts=()):
    rules = rules_for(
        RULES,
        day=day,
        place=Place(country, province),
        buyer=buyer,
        supply="course",
        facts=facts,
        home=HOME,
    )
    return [(rule.jurisdiction, rule.rate, rule.category) for rule in rules]


@pytest.mark.parametrize(
    ("province", "taxes"),
    [
        ("ON", [("CA-ON", 13_000, "S")]),
        ("NB", [("CA-NB", 15_000, "S")]),
        ("NL", [("CA-NL", 15_000, "S")]),
        ("PE", [("CA-PE", 15_000, "S")]),
        ("NS", [("CA-NS", 14_000, "S")]),
        ("QC", [("CA", 5_000, "S"), ("CA-QC", 9_975, "S")]),
        ("AB", [("CA", 5_000, "S")]),
        ("BC", [("CA", 5_000, "S")]),
        ("NU", [("CA", 5_000, "S")]),
    ],
)
def test_a_canadian_buyer_pays_the_tax_of_the_province(province, taxes):
    assert found("CA", province) == taxes


@pytest.mark.parametrize(("day", "rate"), [(date(2025, 3, 31), 15_000), (date(2025, 4, 1), 14_000)])
def test_nova_scotia_changes_its_rate_overnight(day, rate):
    assert found("CA", "NS", day) == [("CA-NS", rate, "S")]


def test_a_buyer_outside_canada_pays_none_with_a_reason():
    assert found("BO") == [("CA", 0, "G")]
    assert found("BO", buyer="organisation", facts=("can_be_failed",)) == [("CA", 0, "G")]


def test_an_organisation_abroad_whose_course_cannot_be_failed_is_taxed_as_at_home():
    assert found("BO", buyer="organisation") == [("CA-ON", 13_000, "S")]


def test_a_place_with_rows_of_its_own_is_never_taxed_by_another_ones_where_they_end():
    with pytest.raises(NoRule) as missing:
        found("CA", "ON", date(2015, 1, 1))

    assert (missing.value.place, missing.value.day) == (HOME, date(2015, 1, 1))


def rule(rate: int, jurisdiction: str = "CA") -> TaxRule:
    return TaxRule(jurisdiction, rate, Category.STANDARD if rate else Category.ZERO, SPRING)


@pytest.mark.parametrize(
    ("gross", "rates", "net", "taxes"),
    [
        (11_300, [13_000], 10_000, [1_300]),
        (10_000, [13_000], 8_850, [1_150]),
        (11_498, [5_000, 9_975], 10_000, [500, 998]),
        (1, [13_000], 1, [0]),
        (5_000, [0], 5_000, [0]),
        (0, [13_000], 0, [0]),
    ],
)
def test_tax_is_taken_out_of_a_gross_amount(gross, rates, net, taxes):
    taxed = tax([rule(rate) for rate in rates], Money(gross, "CAD"))

    assert (taxed.net.minor, [one.amount.minor for one in taxed.lines]) == (net, taxes)


def test_tax_is_put_on_a_net_amount_and_rounded_half_up():
    taxed = tax([rule(5_000), rule(9_975, "CA-QC")], Money(9_990, "CAD"), is_gross=False)

    assert [one.amount.minor for one in taxed.lines] == [500, 997]  # 499.5 and 996.5025
    assert taxed.gross == Money(11_487, "CAD")


def test_net_and_tax_are_the_gross_whatever_the_amount():
    chance = Random(7)
    for _case in range(3_000):
        rules = [rule(chance.choice([0, 1, 5_000, 9_975, 13_000, 33_333])) for _n in range(
            chance.randint(1, 4)
        )]  # fmt: skip
        amount = Money(chance.choice([chance.randint(0, 50), chance.randint(0, 10**9)]), "BOB")
        is_gross = chance.random() < 0.7
        taxed = tax(rules, amount, is_gross=is_gross)
        minors = [one.amount.minor for one in taxed.lines]

        assert taxed.net.minor + sum(minors) == taxed.gross.minor
        assert amount == (taxed.gross if is_gross else taxed.net)
        for one in taxed.lines:
            exact = taxed.net.minor * one.rule.rate / 100_000
            assert abs(one.amount.minor - exact) < 1.6, (amount, rules)
            assert one.amount.minor >= 0


def test_shares_are_exact_and_use_up_all_parts_in_the_end():
    chance = Random(8)
    for _case in range(1_000):
        parts = [chance.randint(0, 500) for _n in range(chance.randint(1, 5))]
        left = list(parts)
        while sum(left):
            amount = chance.randint(1, sum(left))
            shares = share_of(left, amount)
            assert sum(shares) == amount
            left = [held - taken for held, taken in zip(left, shares, strict=True)]
            assert min(left) >= 0

    with pytest.raises(ValueError, match="share"):
        share_of([1, 2], 4)
