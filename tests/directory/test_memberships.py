from __future__ import annotations

from lms.accounts.services.closing import close_account
from lms.core.db import db
from lms.core.personal_data import personal_data
from lms.directory import queries
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.directory import make_association, make_officer, make_organisation


def test_memberships_are_added_changed_and_removed(signed_in):
    make_association(slug="colegio", name={"es": "Colegio"})
    make_association(slug="other")
    ana = make_user()
    browser = signed_in(ana)
    path = "/account/memberships"
    assert "No membership yet" in browser.get(path).text

    assert (
        browser.post(path, data={"association": "colegio", "number": " CP  1204 "}).status_code
        == 303
    )
    browser.post(path, data={"association": "other", "number": ""})
    assert "CP 1204" in browser.get(path).text
    browser.post(path, data={"association": "colegio", "number": "CP-9"})

    kept = [(one.organisation.slug, one.number) for one in queries.memberships_of(ana.id)]
    assert kept == [("colegio", "CP-9"), ("other", None)]
    assert "CP-9" in browser.get("/account").text
    first = queries.memberships_of(ana.id)[0].id
    assert browser.post(f"{path}/{first}/remove").status_code == 303
    assert browser.post(f"{path}/{first}/remove").status_code == 404
    assert len(queries.memberships_of(ana.id)) == 1


def test_what_is_no_association_is_refused(signed_in):
    make_organisation(slug="institute")
    browser = signed_in(make_user())

    for wrong in ("institute", "unknown", ""):
        answer = browser.post("/account/memberships", data={"association": wrong, "number": "7"})
        assert answer.status_code == 422
        assert 'value="7"' in answer.text


def test_memberships_are_ones_own(signed_in, client):
    make_association(slug="colegio")
    ana = make_user()
    signed_in(ana).post("/account/memberships", data={"association": "colegio", "number": "1"})
    [membership] = queries.memberships_of(ana.id)
    path = f"/account/memberships/{membership.id}/remove"

    assert client.get("/account/memberships").status_code == 302
    assert client.post(path).status_code == 302
    assert signed_in(make_user()).post(path).status_code == 404
    assert queries.memberships_of(ana.id) == [membership]


def test_roles_and_memberships_are_given_out_and_erased(signed_in):
    association = make_association(slug="colegio")
    officer = make_officer(association, password=PASSWORD)
    signed_in(officer).post(
        "/account/memberships", data={"association": "colegio", "number": "CP-1"}
    )

    assert personal_data["directory"].export(officer.id) == {
        "roles": [{"organisation": "colegio", "role": "officer"}],
        "memberships": [{"association": "colegio", "number": "CP-1"}],
    }
    close_account(officer)
    db.session.commit()

    assert queries.organisations_of(officer) == []
    assert queries.memberships_of(officer.id) == []
