"""The pages of prices: amounts of a run, proofs, contracts; each as the wrong person."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.files import file_store
from lms.core.models import AuditEntry, StoredFile
from lms.core.money import Money
from lms.core.personal_data import personal_data
from lms.pricing.models import OrganisationContract, ResidenceProof, RunChoice, TierPrice
from lms.pricing.services.quotes import PriceBook, calculate, keep_quote
from lms.pricing.services.residence import tell_of_gaps
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_instructor, make_run
from tests.factories.directory import make_manager, make_organisation
from tests.factories.pricing import make_amounts, make_role, make_tiers

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def tiers(app):
    make_tiers()


def make_priced_run(**values):
    return make_run(price=Money(18_000, "CAD"), **values)


def amounts_of(run):
    rows = db.session.scalars(select(TierPrice).where(TierPrice.run_id == run.id))
    return {(row.tier, row.currency): row.amount_minor for row in rows}


# A run's amounts


def test_amounts_are_proposed_changed_and_stored(app, signed_in):
    run = make_priced_run()
    browser = signed_in(make_manager(run.course.owner))
    address = f"/teach/runs/{run.uuid}/prices/new?currency=BOB&amount=900"

    proposed = browser.get(address)
    assert 'value="270.00"' in proposed.text
    assert not amounts_of(run)
    typed = {
        "amount_high": "900", "amount_upper_middle": "450", "amount_lower_middle": "265",
        "amount_low": "",
    }  # fmt: skip
    answer = browser.post(address, data=typed)

    assert answer.status_code == 303
    assert amounts_of(run) == {
        ("high", "BOB"): 90_000, ("upper_middle", "BOB"): 45_000, ("lower_middle", "BOB"): 26_500,
    }  # fmt: skip
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert "pricing.set_amounts" in acts
    assert "BOB 265.00" in browser.get(f"/teach/runs/{run.uuid}/prices").text


def test_the_list_price_stands_with_the_run_alone(app, signed_in):
    run = make_priced_run()
    browser = signed_in(make_instructor(run.course))

    browser.post(
        f"/teach/runs/{run.uuid}/prices/new?currency=CAD&amount=180",
        data={"amount_high": "1", "amount_low": "27"},
    )

    assert amounts_of(run) == {("low", "CAD"): 2_700}


@pytest.mark.parametrize(
    ("query", "data", "words"),
    [
        ("currency=CAD&amount=180", {"amount_low": "cheap"}, "above zero"),
        ("currency=CAD&amount=180", {"amount_low": "-3"}, "above zero"),
        ("currency=CLP&amount=90000", {"amount_low": "10.50"}, "above zero"),
        ("currency=CAD&amount=180", {}, "at least one amount"),
        ("currency=CAD&amount=180&early=1", {"amount_low": "20"}, "last day for early buyers"),
        (
            "currency=CAD&amount=180&early=1",
            {"amount_low": "20", "early_until": "2020-01-01"},
            "This day is over",
        ),
    ],
)
def test_nonsense_is_told_and_nothing_is_stored(app, signed_in, query, data, words):
    run = make_priced_run()

    answer = signed_in(make_administrator()).post(
        f"/teach/runs/{run.uuid}/prices/new?{query}", data=data
    )

    assert answer.status_code == 422
    assert words in answer.text
    assert not amounts_of(run)


@pytest.mark.parametrize("query", ["", "currency=XXX&amount=1", "currency=CAD&amount=x"])
def test_a_list_price_that_is_none_proposes_nothing(app, signed_in, query):
    run = make_priced_run()

    answer = signed_in(make_administrator()).get(f"/teach/runs/{run.uuid}/prices/new?{query}")

    assert answer.status_code == 422


def test_early_buyers_get_amounts_of_their_own_until_a_day(app, signed_in, client):
    run = make_priced_run()

    answer = signed_in(make_administrator()).post(
        f"/teach/runs/{run.uuid}/prices/new?currency=CAD&amount=150&early=1",
        data={"amount_high": "150", "early_until": tomorrow().isoformat()},
    )

    assert answer.status_code == 303
    [row] = db.session.scalars(select(TierPrice)).all()
    assert row.is_early_bird
    assert row.valid_until == clock.start_of_day(tomorrow() + timedelta(days=1), run.time_zone)
    assert calculate(PriceBook([run], None).terms(run)).total == Money(15_000, "CAD")
    assert "Prices of courses by the income" in client.get("/courses").text


def test_an_amount_ends_and_the_past_is_kept(app, signed_in):
    run = make_priced_run()
    [row] = make_amounts(run, low=2_700)
    browser = signed_in(make_administrator())

    browser.post(f"/teach/runs/{run.uuid}/prices/{row.id}/end")
    again = browser.post(f"/teach/runs/{run.uuid}/prices/{row.id}/end")

    assert row.valid_until <= clock.now()
    assert again.status_code == 409
    other = make_priced_run()
    assert browser.post(f"/teach/runs/{other.uuid}/prices/{row.id}/end").status_code == 404


def test_people_are_let_to_choose_and_no_longer(app, signed_in):
    run = make_priced_run()
    browser = signed_in(make_administrator())
    address = f"/teach/runs/{run.uuid}/prices/choice"

    wrong = browser.post(address, data={"minimum_percent": 50, "suggested_percent": 40})
    browser.post(address, data={"minimum_percent": 40, "suggested_percent": 90})
    row = db.session.get(RunChoice, run.id)
    assert (wrong.status_code, row.minimum_percent, row.suggested_percent) == (422, 40, 90)
    browser.post(address, data={"end": "1"})

    assert db.session.get(RunChoice, run.id) is None


def test_only_who_may_change_the_list_price_sets_amounts(app, signed_in):
    run = make_priced_run()
    [row] = make_amounts(run, low=2_700)
    for browser in (signed_in(make_user()), signed_in(make_manager())):
        for address in ("", "/new?currency=CAD&amount=180"):
            assert browser.get(f"/teach/runs/{run.uuid}/prices{address}").status_code == 403
        for address in ("/new?currency=CAD&amount=180", f"/{row.id}/end", "/choice"):
            answer = browser.post(f"/teach/runs/{run.uuid}/prices{address}", data={"end": "1"})
            assert answer.status_code == 403
    assert row.valid_until is None


# Where one lives


def show(browser, **more):
    data = {"country": "BO", "note": "I study in El Alto."} | more
    return browser.post("/prices/residence", data=data, content_type="multipart/form-data")


def test_a_proof_is_shown_decided_and_its_document_deleted(app, signed_in, mails):
    ana, boss = make_user(country="BO", name="Ana Flores"), make_administrator()
    run = make_priced_run()
    make_amounts(run, lower_middle=5_400)
    browser, desk = signed_in(ana), signed_in(boss)

    answer = show(browser, document=(io.BytesIO(PDF), "bill.pdf"))
    again = show(browser)
    [proof] = db.session.scalars(select(ResidenceProof)).all()
    path = proof.document.path
    listed = desk.get("/admin/prices/residence")
    document = desk.get(f"/admin/prices/residence/{proof.id}/document")
    decided = desk.post(
        f"/admin/prices/residence/{proof.id}", data={"decision": "accept", "answer": "Welcome."}
    )
    twice = desk.post(f"/admin/prices/residence/{proof.id}", data={"decision": "decline"})

    assert (answer.status_code, again.status_code) == (303, 303)
    assert "Ana Flores" in listed.text
    assert document.data == PDF
    assert (decided.status_code, twice.status_code) == (303, 409)
    assert desk.get(f"/admin/prices/residence/{proof.id}/document").status_code == 404
    assert not db.session.scalars(select(StoredFile)).all()
    assert not file_store().file_system.exists(file_store()._full(path))
    assert PriceBook([run], ana).terms(run).assessment.state == "agreed"
    sent = {mail["To"]: mail for mail in mails()}
    assert "Bolivia" in sent[ana.email].get_body().get_content()
    assert "Welcome." in sent[ana.email].get_body().get_content()
    assert "shows where they live" in sent[boss.email]["Subject"]


def test_a_proof_that_is_not_enough_changes_no_price(app, signed_in):
    ana = make_user(country="BO")
    run = make_priced_run()
    make_amounts(run, lower_middle=5_400)
    browser = signed_in(ana)
    show(browser)
    [proof] = db.session.scalars(select(ResidenceProof)).all()

    signed_in(make_administrator()).post(
        f"/admin/prices/residence/{proof.id}", data={"decision": "decline"}
    )

    assert PriceBook([run], ana).terms(run).assessment.state == "unconfirmed"
    assert show(browser).status_code == 303  # something else can be shown
    assert len(db.session.scalars(select(ResidenceProof)).all()) == 2


def test_a_document_that_is_a_program_is_refused_and_nothing_typed_is_lost(app, signed_in):
    answer = show(signed_in(make_user()), document=(io.BytesIO(b"MZ\x90\x00" * 99), "bill.pdf"))

    assert answer.status_code == 422
    assert "I study in El Alto." in answer.text
    assert not db.session.scalars(select(ResidenceProof)).all()


def test_nobody_but_administrators_sees_proofs(app, signed_in):
    ana = make_user(country="BO")
    show(signed_in(ana), document=(io.BytesIO(PDF), "bill.pdf"))
    [proof] = db.session.scalars(select(ResidenceProof)).all()
    for browser in (signed_in(ana), signed_in(make_manager())):
        for address in ("", f"/{proof.id}", f"/{proof.id}/document"):
            assert browser.get(f"/admin/prices/residence{address}").status_code == 403
        answer = browser.post(f"/admin/prices/residence/{proof.id}", data={"decision": "accept"})
        assert answer.status_code == 403
    assert proof.state == "asked"


def test_a_closed_account_takes_its_proofs_along_and_its_quotes_lose_the_name(app, signed_in):
    ana = make_user(country="BO")
    show(signed_in(ana), document=(io.BytesIO(PDF), "bill.pdf"))
    run = make_priced_run()
    quote = keep_quote(calculate(PriceBook([run], ana).terms(run)), ana)
    data = personal_data["pricing"]

    exported = data.export(ana.id)
    data.erase(ana.id)
    db.session.expire_all()

    assert exported["residence"][0]["note"] == "I study in El Alto."
    assert exported["quotes"][0]["total_minor"] == 18_000
    assert not db.session.scalars(select(ResidenceProof)).all()
    assert not db.session.scalars(select(StoredFile)).all()
    assert (quote.user_id, quote.total_minor) == (None, 18_000)


# Contracts and gaps


def test_a_contract_is_added_and_ended(app, signed_in):
    run, ana = make_priced_run(), make_user(country="CA")
    laval = make_role(ana, make_organisation(country="CA", name={"en": "Laval"}))
    browser = signed_in(make_administrator())
    data = {
        "organisation": laval.id, "kind": "percent", "percent": 25, "scope": f"run:{run.id}",
        "valid_from": "2026-01-01", "is_stackable": "y",
    }  # fmt: skip

    assert browser.post("/admin/prices/contracts/new", data=data).status_code == 303
    [row] = db.session.scalars(select(OrganisationContract)).all()
    assert (row.run_id, row.is_stackable) == (run.id, True)
    assert calculate(PriceBook([run], ana).terms(run)).total == Money(13_500, "CAD")
    assert "Laval" in browser.get("/admin/prices/contracts").text
    browser.post(f"/admin/prices/contracts/{row.id}/end")

    assert calculate(PriceBook([run], ana).terms(run)).total == Money(18_000, "CAD")
    assert browser.post(f"/admin/prices/contracts/{row.id}/end").status_code == 409


@pytest.mark.parametrize(
    "more",
    [
        {"percent": ""},
        {"percent": 101},
        {"kind": "amount", "amount": "x", "currency": "CAD"},
        {"organisation": "99999999"},
        {"valid_until": "2025-12-31"},
        {"scope": "run:nothing"},
    ],
)
def test_a_contract_that_says_nothing_is_refused(app, signed_in, more):
    data = {
        "organisation": make_organisation().id, "kind": "percent", "percent": 25,
        "valid_from": "2026-01-01",
    } | more  # fmt: skip

    answer = signed_in(make_administrator()).post("/admin/prices/contracts/new", data=data)

    assert answer.status_code == 422
    assert not db.session.scalars(select(OrganisationContract)).all()


def test_administrators_are_told_of_runs_in_which_a_tier_has_no_amount(app, mails):
    boss = make_administrator()
    complete, gap = make_priced_run(), make_priced_run()
    make_amounts(complete, upper_middle=9_000, lower_middle=5_400, low=2_700)
    make_amounts(gap, upper_middle=9_000)
    make_amounts(make_priced_run(), lower_middle=5_000, early_until=tomorrow())

    tell_of_gaps()

    [mail] = [m for m in mails() if m["To"] == boss.email]
    assert "In 1 open course run some people read" in mail.get_body().get_content()


def tomorrow():
    return clock.now().date() + timedelta(days=1)
