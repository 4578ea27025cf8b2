"""Tiers, exceptions, the policy page."""

from __future__ import annotations

import runpy
from datetime import date, timedelta
from pathlib import Path

import pytest

from lms.core.db import db
from lms.pricing import queries
from lms.pricing.income_groups import income_groups, year_of_groups
from lms.pricing.models import PriceException
from lms.pricing.services.tiers import ensure_tiers
from tests.factories.accounts import make_user
from tests.factories.pricing import make_tiers

TOOL = Path(__file__).parents[2] / "tools" / "income_groups.py"


@pytest.fixture(autouse=True)
def tiers(app):
    make_tiers()


@pytest.mark.parametrize(
    ("country", "group"),
    [
        ("CA", "high"),
        ("CL", "high"),
        ("UY", "high"),
        ("PE", "upper_middle"),
        ("EC", "upper_middle"),
        ("CO", "upper_middle"),
        ("BR", "upper_middle"),
        ("MX", "upper_middle"),
        ("BO", "lower_middle"),
        ("HN", "lower_middle"),
        ("ET", "low"),
        ("VE", None),
    ],
)
def test_countries_lie_in_the_income_group_of_the_world_bank(country, group):
    assert income_groups().get(country) == group


def test_the_slice_is_made_by_its_tool_from_the_table_of_the_package(tmp_path):
    """The table has more columns; countries without a group are left out."""
    tool = runpy.run_path(str(TOOL))
    names = {group: words for words, group in tool["NAMES"].items()}
    rows = [f"{code},{names[group]},x" for code, group in income_groups().items()] + ["VE,,x"]
    head = "ISO 3166-1 Alpha 2-Codes,World Bank Income Level,More"
    (tmp_path / "C&T Taxonomy.csv").write_text("\n".join([head, *reversed(rows)]))
    made = tmp_path / "made.csv"

    tool["write_slice"](tool["read_table"](tmp_path), year_of_groups(), made)

    assert made.read_text() == tool["DATA"].read_text()


def test_the_tool_refuses_a_table_that_has_lost_its_groups(tmp_path):
    tool = runpy.run_path(str(TOOL))
    (tmp_path / "Taxonomy.csv").write_text(
        "ISO 3166-1 Alpha 2-Codes,World Bank Income Level\nBO,Lower middle\n"
    )

    with pytest.raises(SystemExit, match="only 1 countries"):
        tool["read_table"](tmp_path)


def test_an_exception_goes_before_the_group_and_names_its_reason(app):
    found = queries.tiers_of(["VE", "CU", "BO", "GF"])

    assert {country: one.tier for country, one in found.items()} == {
        "VE": "lower_middle",
        "CU": "high",
        "BO": "lower_middle",
        "GF": "high",
    }
    assert [country for country, one in found.items() if one.refuses_payment] == ["CU"]
    assert "World Bank" in found["VE"].exception.reason["en"]


def test_what_administrators_changed_is_not_made_again(app):
    queries.tiers()[1].percent = 45
    for row in db.session.scalars(queries.list_exceptions()):
        db.session.delete(row)
    db.session.commit()

    ensure_tiers()

    assert queries.tiers()[1].percent == 45
    assert not db.session.scalars(queries.list_exceptions()).all()


def test_the_price_page_is_drawn_from_the_rows(client, count_queries):
    queries.tiers()[3].percent = 17
    db.session.commit()
    count_queries()

    page = client.get("/prices")

    assert page.status_code == 200
    for words in (
        "About 17",
        "Bolivia",
        "puts Venezuela in no income group",
        "Cuba",
        "nobody there",
    ):
        assert words in page.text
    assert count_queries() <= 6


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Quién paga cuánto"), ("fr", "Qui paie combien"), ("pt", "Quem paga quanto")],
)
def test_the_price_page_speaks_the_readers_language(client, language, words):
    page = client.get(f"/prices?lang={language}")

    assert words in page.text
    assert "World Bank" not in page.text


def test_an_administrator_changes_the_tiers(app, signed_in):
    browser = signed_in(make_user(is_administrator=True))

    answer = browser.post(
        "/admin/prices",
        data={"upper_middle": 60, "lower_middle": 25, "low": 10, "floor_percent": 5},
    )

    assert answer.status_code == 303
    assert [tier.percent for tier in queries.tiers()] == [100, 60, 25, 10]


def test_a_poorer_tier_never_pays_more(app, signed_in):
    browser = signed_in(make_user(is_administrator=True))

    answer = browser.post(
        "/admin/prices",
        data={"upper_middle": 20, "lower_middle": 30, "low": 10, "floor_percent": 5},
    )

    assert answer.status_code == 422
    assert "cannot pay more than the one above" in answer.text
    assert [tier.percent for tier in queries.tiers()] == [100, 50, 30, 15]


def _exception(**more):
    return {
        "country": "HT",
        "tier": "low",
        "valid_from": "2026-01-01",
        "reason_en": "After the hurricane.",
    } | more


def test_an_exception_is_added_shown_and_ended(app, signed_in, client):
    browser = signed_in(make_user(is_administrator=True))

    assert browser.post("/admin/prices/exceptions/new", data=_exception()).status_code == 303
    row = db.session.query(PriceException).filter_by(country="HT").one()
    assert "After the hurricane." in client.get("/prices").text
    browser.post(f"/admin/prices/exceptions/{row.id}/end")

    assert row.valid_until == queries.today() - timedelta(days=1)
    assert "After the hurricane." not in client.get("/prices").text


def test_a_country_has_one_exception_at_a_time(app, signed_in):
    browser = signed_in(make_user(is_administrator=True))
    browser.post("/admin/prices/exceptions/new", data=_exception(valid_until="2026-06-30"))

    overlapping = browser.post(
        "/admin/prices/exceptions/new",
        data=_exception(valid_from="2026-06-30", reason_en="Again."),
    )
    after = browser.post("/admin/prices/exceptions/new", data=_exception(valid_from="2026-07-01"))

    assert (overlapping.status_code, after.status_code) == (422, 303)
    assert "has an exception in these days" in overlapping.text
    assert "Again." in overlapping.text


def test_an_exception_holds_from_its_first_to_its_last_day(app):
    row = PriceException(
        country="HT",
        tier="low",
        reason={"en": "x"},
        valid_from=date(2026, 3, 1),
        valid_until=date(2026, 3, 31),
    )
    db.session.add(row)
    db.session.commit()

    tiers = [
        queries.tiers_of(["HT"], day)["HT"].tier
        for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1))
    ]

    assert tiers == ["lower_middle", "low", "low", "lower_middle"]


@pytest.mark.parametrize("address", ["/admin/prices", "/admin/prices/exceptions/new"])
def test_only_administrators_set_prices(app, signed_in, address):
    browser = signed_in(make_user())

    assert browser.get(address).status_code == 403
    assert browser.post(address, data=_exception()).status_code == 403
