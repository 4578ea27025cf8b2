from __future__ import annotations

import pytest
from flask import current_app
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry, SiteSetting
from lms.core.site_settings import Notice, read, write
from tests.factories.accounts import make_administrator, make_user

PATH = "/admin/settings"


@pytest.fixture(autouse=True)
def forget_notice(app):
    current_app.extensions.pop("site_notice", None)
    yield
    current_app.extensions.pop("site_notice", None)


@pytest.fixture
def admin(app):
    return make_administrator()


def test_settings_are_for_administrators(client, signed_in, admin):
    for method in (client.get, client.post):
        assert method(PATH).status_code == 302
    for method in (signed_in(make_user()).get, signed_in(make_user()).post):
        assert method(PATH).status_code == 403
    assert signed_in(admin).get(PATH).status_code == 200
    assert db.session.get(SiteSetting, "notice") is None


def test_a_notice_stands_on_every_page_in_the_readers_language(client, signed_in, admin):
    answer = signed_in(admin).post(
        PATH, data={"en": "Closed on **Friday**.", "es": "Cerrado el viernes.", "kind": "warning"}
    )

    assert answer.status_code == 303
    page = client.get("/sign-in")
    assert "Closed on <strong>Friday</strong>." in page.text
    assert "alert-warning" in page.text
    assert "Cerrado el viernes." in client.get("/sign-in?lang=es").text
    in_french = client.get("/sign-in?lang=fr").text
    assert '<div lang="en"><p>Closed' in in_french
    form = signed_in(admin).get(PATH).text
    assert "Cerrado el viernes.</textarea>" in form


def test_an_empty_notice_takes_it_away(client, signed_in, admin):
    browser = signed_in(admin)
    browser.post(PATH, data={"en": "Closed.", "kind": "info"})
    browser.post(PATH, data={"en": "  ", "kind": "info"})

    assert "Closed." not in client.get("/sign-in").text


def test_each_change_is_noted_once(signed_in, admin):
    browser = signed_in(admin)
    for _click in range(2):
        assert browser.post(PATH, data={"en": "Closed.", "kind": "info"}).status_code == 303

    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.act == "core.change_settings")
    ).all()
    assert [(e.actor_id, e.details) for e in entries] == [(admin.id, {"setting": "notice"})]


@pytest.mark.parametrize("data", [{"en": "x" * 501, "kind": "info"}, {"en": "Hi", "kind": "red"}])
def test_bad_input_is_told_and_kept(signed_in, admin, data):
    answer = signed_in(admin).post(PATH, data=data)

    assert answer.status_code == 422
    assert data["en"] in answer.text
    assert db.session.get(SiteSetting, "notice") is None


def test_what_visitors_read_cannot_run(client, signed_in, admin):
    signed_in(admin).post(PATH, data={"en": "<script>alert(1)</script>Hello", "kind": "info"})

    page = client.get("/sign-in").text
    assert "Hello" in page
    assert "<script>alert" not in page


def test_a_notice_costs_no_query_on_most_pages(client, count_queries):
    client.get("/sign-in")
    count_queries()
    client.get("/sign-in")

    assert count_queries() == 0


def test_settings_of_an_older_shape_are_read(app, admin):
    db.session.add(SiteSetting(name="notice", value={"text": {"en": "Old"}, "colour": "red"}))
    db.session.flush()

    assert read(Notice) == Notice(text={"en": "Old"})
    assert not write(Notice(text={"en": "Old"}), admin.id)


@pytest.mark.needs("payments")
def test_settings_lead_to_those_of_selling(signed_in, admin):
    assert "/admin/payments/settings" in signed_in(admin).get(PATH).text
