"""Each page as a stranger, as the wrong person and as the right one; writing and accepting."""

from __future__ import annotations

import pytest

from lms.core.db import db
from lms.notifications.models import Notice
from lms.partners.models import Agreement, AgreementVersion
from tests.factories.accounts import make_administrator, make_user
from tests.partners.ways import agree, partner, pay, percent


@pytest.fixture
def cebem(app):
    """A southern institution with its manager."""
    return partner("cebem")


@pytest.fixture
def waiting(run, cebem):
    """An agreement that waits for the partner."""
    organisation, _ana = cebem
    version = agree(run, percent(organisation, 4_000))
    db.session.commit()
    return version


def written(run, organisation, **values: str) -> dict[str, str]:
    """A form as an administrator fills it in."""
    return {
        "subject": f"course:{run.course_id}",
        "basis": "net",
        "refunds_borne_by": "all",
        "currency": "CAD",
        "starts_on": "2027-03-01",
        "partner_1": str(organisation.id),
        "percent_1": "40",
    } | values


def test_an_administrator_writes_an_agreement_and_its_next_version(app, signed_in, run, cebem):
    organisation, _ana = cebem
    browser = signed_in(make_administrator())

    answer = browser.post("/admin/partners/new", data=written(run, organisation))

    assert answer.status_code == 303
    assert "40 %" in browser.get(answer.location).text
    again = browser.post("/admin/partners/new", data=written(run, organisation))
    assert again.status_code == 409
    [agreement] = db.session.query(Agreement)
    address = f"/admin/partners/agreements/{agreement.uuid}/new"
    assert 'value="40.00"' in browser.get(address).text
    data = written(run, organisation, percent_1="", fixed_1="12.50", least_1="5")
    assert browser.post(address, data=data).status_code == 303
    assert [one.number for one in db.session.query(AgreementVersion)] == [1, 2]
    assert "CAD 12.50 for each learner" in browser.get(answer.location).text


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"percent_1": ""}, "Write a percentage or a fixed amount."),
        ({"fixed_1": "10"}, "Write a percentage or a fixed amount."),
        ({"percent_1": "101"}, "between 0.01 and 100"),
        ({"percent_1": "", "fixed_1": "a lot"}, "above zero"),
        ({"partner_1": "", "percent_1": ""}, "Name at least one partner"),
        ({"starts_on": ""}, "Choose a day."),
    ],
)
def test_wrong_terms_are_told_and_what_was_typed_stays(app, signed_in, run, cebem, values, refusal):
    organisation, _ana = cebem
    browser = signed_in(make_administrator())

    answer = browser.post(
        "/admin/partners/new", data=written(run, organisation, note="As in 2026", **values)
    )

    assert answer.status_code == 422
    assert refusal in answer.text
    assert "As in 2026" in answer.text
    assert db.session.query(Agreement).count() == 0


def test_a_manager_is_told_and_accepts_for_the_own_institution(app, signed_in, run, cebem, waiting):
    _organisation, ana = cebem
    pay(run)
    db.session.commit()
    browser = signed_in(ana)
    address = f"/partners/agreements/{waiting.agreement.uuid}"

    assert "Accept version 1" in browser.get(address).text
    assert browser.post(f"{address}/1/accept").status_code == 303

    assert waiting.in_force_from is not None
    assert waiting.parties[0].signed_by == ana
    assert "Accept version 1" not in browser.get(address).text
    assert browser.post(f"{address}/1/accept").status_code == 409
    assert "Shared income" in browser.get("/account").text
    assert "Version 1" in browser.get("/partners").text
    notices = db.session.query(Notice).filter_by(kind="partners.to_sign")
    assert [one.user_id for one in notices] == [ana.id]


def test_managers_of_other_institutions_and_learners_see_nothing(app, signed_in, waiting):
    _other, bob = partner("college", "CA")
    address = f"/partners/agreements/{waiting.agreement.uuid}"

    for user in (bob, make_user()):
        browser = signed_in(user)
        assert browser.get(address).status_code == 403
        assert browser.post(f"{address}/1/accept").status_code == 403
        assert browser.get("/partners").status_code == 403
        assert browser.get("/admin/partners").status_code == 403
        assert browser.get("/admin/partners/new").status_code == 403
        assert browser.post("/admin/partners/new").status_code == 403
        version = f"/admin/partners/agreements/{waiting.agreement.uuid}/new"
        assert browser.post(version).status_code == 403
        assert "Shared income" not in browser.get("/account").text
    assert waiting.in_force_from is None


def test_administrators_read_but_do_not_sign_for_partners(app, signed_in, waiting):
    browser = signed_in(make_administrator())
    address = f"/partners/agreements/{waiting.agreement.uuid}"

    assert browser.get(address).status_code == 200
    assert "Accept version 1" not in browser.get(address).text
    assert browser.post(f"{address}/1/accept").status_code == 403
    assert "Waits for the partner" in browser.get("/admin/partners").text
