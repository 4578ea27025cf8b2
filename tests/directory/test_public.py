from __future__ import annotations

import pytest

from lms.core.errors import NotFound
from lms.directory import queries
from lms.directory.errors import WrongOrganisation
from lms.directory.models import Organisation
from lms.directory.services import ensure_organisations, web_address
from tests.factories.accounts import make_user
from tests.factories.directory import (
    make_association,
    make_manager,
    make_officer,
    make_organisation,
)


def test_everybody_finds_organisations(client):
    make_organisation(
        slug="instituto", name={"es": "Instituto Ñandú", "en": "Nandu Institute"}, country="BO"
    )
    make_association(slug="colegio", name={"es": "Colegio de Arquitectos"})

    page = client.get("/organisations")
    assert "Nandu Institute" in page.text
    assert 'lang="es">Colegio de Arquitectos' in page.text
    assert "Bolivia" in page.text
    assert "Colegio" not in client.get("/organisations?kind=institution").text
    assert "Nandu" not in client.get("/organisations?kind=association").text
    assert "Nandu Institute" in client.get("/organisations?q=nandu").text
    assert "Instituto Ñandú" in client.get("/organisations?q=nandu&lang=es").text
    assert "No organisation found" in client.get("/organisations?q=zzz").text
    assert client.get("/organisations?kind=nonsense&page=x").status_code == 200


def test_no_organisations_yet(client):
    assert "No organisations yet" in client.get("/organisations").text


def test_the_page_of_an_organisation(client, signed_in):
    organisation = make_organisation(
        slug="instituto",
        name={"es": "Instituto"},
        description={"es": "Texto **fuerte** <script>alert(1)</script>"},
        website="https://instituto.example",
    )

    page = client.get("/organisations/instituto")

    assert '<h1 lang="es">Instituto</h1>' in page.text
    assert "<strong>fuerte</strong>" in page.text
    assert "<script>alert" not in page.text
    assert 'href="https://instituto.example"' in page.text
    assert "/admin/organisations/instituto" not in page.text
    assert "/admin/organisations/instituto" in (
        signed_in(make_manager(organisation)).get("/organisations/instituto").text
    )
    assert client.get("/organisations/unknown").status_code == 404


def test_lists_ask_few_queries(client, count_queries):
    for _number in range(30):
        make_organisation()
    count_queries()

    page = client.get("/organisations?page=2")

    assert count_queries() <= 12
    assert page.text.count("<article") == 6


def test_who_has_which_role(app):
    association, other = make_association(), make_association()
    officer, manager = make_officer(association), make_manager(association)

    assert queries.is_officer(officer, association)
    assert not queries.is_officer(officer, other)
    assert not queries.is_officer(manager, association)
    assert queries.is_manager(manager, association)
    assert not queries.is_manager(manager, other)
    assert not queries.is_manager(officer, association)
    assert queries.organisations_of(officer) == [association]
    assert queries.organisations_of(make_user()) == []
    assert queries.find_organisation("unknown") is None
    with pytest.raises(NotFound):
        queries.get_organisation("unknown")


INSTITUTE = {
    "slug": "instituto-puente",
    "kind": "institution",
    "name": {"en": "Puente Institute", "es": "Instituto Puente"},
    "country": "CA",
    "website": "https://puente.example",
    "description": {"en": "An institute."},
}


def test_organisations_are_imported_and_updated(app):
    [made] = ensure_organisations([INSTITUTE])
    [again, other] = ensure_organisations(
        [INSTITUTE | {"name": {"en": "Renamed"}}, {"slug": "second", "name": {"fr": "Deux"}}]
    )

    assert again.id == made.id
    assert (made.name, made.website) == ({"en": "Renamed"}, "https://puente.example")
    assert (other.kind, other.country, other.description) == ("institution", None, {})


@pytest.mark.parametrize(
    "change",
    [
        {"slug": ""},
        {"slug": "With Spaces"},
        {"name": {}},
        {"name": {"qu": "only Quechua"}},
        {"kind": "company"},
        {"country": "XX"},
        {"website": "javascript:alert(1)"},
    ],
)
def test_a_wrong_import_changes_nothing(app, change):
    with pytest.raises(WrongOrganisation):
        ensure_organisations([INSTITUTE, INSTITUTE | {"slug": "second"} | change])

    assert queries.find_organisation("instituto-puente") is None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("example.org", "https://example.org"),
        (" http://example.org/a ", "http://example.org/a"),
        ("https://ñandú.example", "https://ñandú.example"),
    ],
)
def test_web_addresses_are_completed(app, typed, kept):
    assert web_address(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["javascript://example.org/%0aalert(1)", "ftp://example.org", "word", "http://[", "a b.c"],
)
def test_other_addresses_are_refused(app, typed):
    with pytest.raises(WrongOrganisation):
        web_address(typed)


def test_names_stay_searchable(app):
    organisation = make_organisation(name={"es": "Ñandú"})
    organisation.name = {"fr": "École"}

    assert organisation.search_text == "ecole"
    assert isinstance(organisation, Organisation)
