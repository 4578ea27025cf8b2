from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.directory import queries
from lms.directory.models import OrganisationRole
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import (
    make_association,
    make_manager,
    make_officer,
    make_organisation,
)

FORM = {
    "kind": "association",
    "country": "PE",
    "website": "colegio.example",
    "name_en": "",
    "name_es": "Colegio de Arquitectos",
    "description_es": "Los *arquitectos*.",
}


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def test_an_administrator_adds_an_organisation(signed_in):
    browser = signed_in(make_administrator())
    make_organisation(slug="colegio-de-arquitectos")  # the slug is taken
    assert browser.get("/admin/organisations/new").status_code == 200

    answer = browser.post("/admin/organisations/new", data=FORM)

    assert (answer.status_code, answer.location) == (
        303,
        "/admin/organisations/colegio-de-arquitectos-2/people",
    )
    organisation = queries.get_organisation("colegio-de-arquitectos-2")
    assert organisation.name == {"es": "Colegio de Arquitectos"}
    assert organisation.website == "https://colegio.example"
    assert (organisation.is_association, organisation.country) == (True, "PE")
    assert acts() == ["directory.create_organisation"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name_es": " "}, "Write the name in one language at least."),
        ({"website": "javascript:alert(1)"}, "Write a web address like https://example.org."),
        ({"kind": "company"}, "Not a valid choice"),
        ({"country": "XX"}, "Not a valid choice"),
        ({"description_es": "x" * 5001}, "Field cannot be longer than 5000 characters."),
    ],
)
def test_wrong_input_is_explained_and_kept(signed_in, change, words):
    answer = signed_in(make_administrator()).post("/admin/organisations/new", data=FORM | change)

    assert answer.status_code == 422
    assert words in answer.text
    assert ("Los *arquitectos*." in answer.text) or "description_es" in change
    assert acts() == []


def test_a_manager_edits_the_own_organisation_only(signed_in, client):
    mine, other = make_organisation(slug="mine"), make_organisation(slug="other")
    browser = signed_in(make_manager(mine))

    assert browser.get("/admin/organisations/mine").status_code == 200
    answer = browser.post("/admin/organisations/mine", data=FORM)
    assert answer.status_code == 303
    assert queries.get_organisation("mine").name == {"es": "Colegio de Arquitectos"}
    assert acts() == ["directory.edit_organisation"]

    listed = browser.get("/admin/organisations").text
    assert "/admin/organisations/mine" in listed
    assert "/admin/organisations/other" not in listed
    assert "/admin/organisations/new" not in listed
    assert browser.get("/admin/organisations/new").status_code == 403
    assert browser.get("/admin/organisations/unknown").status_code == 404
    for method in (browser.get, browser.post):
        assert method("/admin/organisations/other").status_code == 403
        assert method("/admin/organisations/other/people").status_code == 403
    role = queries.roles_in(queries.get_organisation("mine"))[0]
    assert client.post(f"/admin/organisations/mine/people/{role.id}/remove").status_code == 302
    assert queries.roles_in(other) == []


@pytest.mark.parametrize("path", ["", "/new", "/mine", "/mine/people"])
def test_pages_are_not_for_others(signed_in, client, path):
    mine = make_organisation(slug="mine")
    officer = make_officer(make_association())

    assert client.get(f"/admin/organisations{path}").location.startswith("/sign-in")
    for user in (make_user(), officer):
        assert signed_in(user).get(f"/admin/organisations{path}").status_code == 403
        assert queries.roles_in(mine) == []
    assert signed_in(make_administrator()).get(f"/admin/organisations{path}").status_code == 200


def test_giving_and_taking_roles(signed_in):
    association = make_association(slug="colegio")
    ana = make_user(email="ana@example.org", name="Ana Quispe")
    browser = signed_in(make_administrator())
    path = "/admin/organisations/colegio/people"
    assert "Nobody yet" in browser.get(path).text

    form = {"email": " ANA@example.org", "role": "officer"}
    assert browser.post(path, data=form).status_code == 303
    assert queries.is_officer(ana, association)
    twice = browser.post(path, data=form)
    assert twice.status_code == 422
    assert "This person has this role already." in twice.text
    unknown = browser.post(path, data=form | {"email": "nobody@example.org"})
    assert unknown.status_code == 422
    assert "Nobody has an account with this address." in unknown.text
    assert "nobody@example.org" in unknown.text
    assert browser.post(path, data=form | {"role": "owner"}).status_code == 422
    assert browser.post(path, data={}).status_code == 422

    remove = f"{path}/{queries.roles_in(association)[0].id}/remove"
    assert browser.post(remove).status_code == 303
    assert browser.post(remove).status_code == 404
    assert queries.roles_in(association) == []
    assert acts() == ["directory.add_role", "directory.remove_role"]


def test_institutions_have_no_officers(signed_in):
    make_organisation(slug="institute")
    make_user(email="ana@example.org")
    form = {"email": "ana@example.org", "role": "officer"}

    answer = signed_in(make_administrator()).post(
        "/admin/organisations/institute/people", data=form
    )

    assert answer.status_code == 422
    assert db.session.scalars(select(OrganisationRole)).all() == []


def test_a_role_is_taken_only_where_it_belongs(signed_in):
    make_organisation(slug="mine")
    other = make_organisation(slug="other")
    make_manager(other)
    [role] = queries.roles_in(other)
    browser = signed_in(make_manager(queries.get_organisation("mine")))

    path = f"/admin/organisations/mine/people/{role.id}/remove"
    assert browser.post(path).status_code == 404
    assert queries.roles_in(other) != []


def test_a_manager_who_leaves_lands_on_the_public_page(signed_in):
    mine = make_organisation(slug="mine")
    browser = signed_in(make_manager(mine))
    [role] = queries.roles_in(mine)

    answer = browser.post(f"/admin/organisations/mine/people/{role.id}/remove")

    assert answer.location == "/organisations/mine"


def test_lists_ask_few_queries(signed_in, count_queries):
    browser = signed_in(make_administrator())
    organisation = make_organisation(slug="mine")
    for _number in range(10):
        make_manager(organisation)
        make_organisation()
    for path in ("", "/mine/people", "/mine"):
        count_queries()
        assert browser.get(f"/admin/organisations{path}").status_code == 200
        assert count_queries() <= 12, path


def test_an_administrator_sees_the_roles_of_a_person(signed_in):
    association = make_association(slug="colegio", name={"en": "College"})
    officer = make_officer(association)

    page = signed_in(make_administrator()).get(f"/admin/people/{officer.id}")

    assert "College" in page.text
    assert "Officer" in page.text
