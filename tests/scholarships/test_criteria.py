"""Who may ask a fund: each criterion for itself."""

from __future__ import annotations

import pytest

from lms.scholarships.criteria import Criteria, Criterion, Facts, unmet

ROSA = Facts(country="BO", tier="lower_middle", organisations={3, 4}, course=7, run=70, hours=24.0)


@pytest.mark.parametrize(
    ("criteria", "missing"),
    [
        (Criteria(), []),
        (Criteria(countries=("BO", "PE")), []),
        (Criteria(countries=("PE",)), [Criterion.COUNTRY]),
        (Criteria(tiers=("lower_middle", "low")), []),
        (Criteria(tiers=("low",)), [Criterion.TIER]),
        (Criteria(organisations=(4, 9)), []),
        (Criteria(organisations=(9,)), [Criterion.ORGANISATION]),
        (Criteria(courses=(7,)), []),
        (Criteria(runs=(70,)), []),
        (Criteria(courses=(8,), runs=(70,)), []),
        (Criteria(courses=(8,), runs=(71,)), [Criterion.COURSE]),
        (Criteria(least_hours=24), []),
        (Criteria(least_hours=25), [Criterion.HOURS]),
        (Criteria(countries=("PE",), least_hours=40), [Criterion.COUNTRY, Criterion.HOURS]),
    ],
)
@pytest.mark.sqlite
def test_all_that_a_fund_says_must_hold(criteria, missing):
    assert unmet(criteria, ROSA) == missing


@pytest.mark.sqlite
def test_criteria_come_back_from_json_as_they_were():
    said = Criteria(countries=("BO",), courses=(7, 8), least_hours=10)

    assert Criteria.of(said.as_json()) == said
    assert said.as_json() == {"countries": ["BO"], "courses": [7, 8], "least_hours": 10}
