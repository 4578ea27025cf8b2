"""Who may open what, and what lists cost."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.certificates.services import keys
from lms.core.db import db
from lms.core.models import AuditEntry
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import (
    make_certified_course,
    make_completed_enrolment,
    make_credential,
)
from tests.factories.courses import make_instructor, make_run
from tests.factories.directory import make_officer

# What is drawn and who may do what is the same on both databases.
pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

# route -> who is let in, of: stranger, somebody, holder, staff, officer, administrator
EVERYBODY = {"stranger", "somebody", "holder", "staff", "officer", "administrator"}
ROUTES = {
    ("GET", "/verify"): EVERYBODY,
    ("GET", "/verify/{code}"): EVERYBODY,
    ("GET", "/verify/{code}.json"): EVERYBODY,
    ("GET", "/verify/{code}.jwt"): EVERYBODY,
    ("POST", "/verify/{code}/seen"): EVERYBODY,
    ("GET", "/status/revocation/1"): EVERYBODY,
    ("GET", "/.well-known/did.json"): EVERYBODY,
    ("GET", "/.well-known/jwks.json"): EVERYBODY,
    ("GET", "/.well-known/seal.pem"): EVERYBODY,
    ("GET", "/verify/{code}/report.json"): EVERYBODY,
    ("GET", "/verify/{code}/report.pdf"): EVERYBODY,
    ("GET", "/api/verification/v1/certificates/{code}"): EVERYBODY,
    ("GET", "/api/verification/v1/openapi.json"): EVERYBODY,
    ("GET", "/verify/many"): {"officer", "administrator"},
    ("GET", "/verify/programs"): {"officer", "administrator"},
    ("GET", "/my/certificates"): EVERYBODY - {"stranger"},
    ("POST", "/my/certificates/record"): EVERYBODY - {"stranger"},
    ("POST", "/my/certificates/{code}/name"): {"holder"},
    ("POST", "/my/certificates/{code}/grade"): {"holder"},
    ("POST", "/my/certificates/{code}/languages"): {"holder"},
    ("GET", "/certificates/{code}/certificate.pdf"): {"holder", "staff", "administrator"},
    ("GET", "/certificates/{code}/documents/open_badge"): {"holder", "staff", "administrator"},
    ("GET", "/runs/{run}/certificates"): {"staff", "administrator"},
    ("GET", "/admin/certificates"): {"administrator"},
    ("GET", "/admin/certificates/{id}"): {"administrator"},
    ("POST", "/admin/certificates/{id}/draw"): {"administrator"},
    ("POST", "/admin/certificates/{id}/reissue"): {"administrator"},
    ("POST", "/admin/certificates/{id}/revoke"): {"administrator"},
}


@pytest.fixture
def people(client, signed_in, run_jobs):
    credential = make_credential()
    run_jobs()
    browsers = {
        "stranger": client,
        "somebody": signed_in(make_user()),
        "holder": signed_in(credential.user),
        "staff": signed_in(make_instructor(credential.course)),
        "officer": signed_in(make_officer()),
        "administrator": signed_in(make_administrator()),
    }
    return browsers, credential


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_each_page_lets_in_whom_it_should(people, route):
    browsers, credential = people
    method, address = route
    address = address.format(code=credential.code, run=credential.run_id, id=credential.id)
    let_in = set()
    for who, browser in browsers.items():
        status = browser.open(address, method=method).status_code
        db.session.rollback()
        if who == "stranger" and status == 302:
            continue
        assert status in (200, 204, 303, 403, 422), (who, status)
        if status != 403:
            let_in.add(who)

    if method == "POST" and "/name" in address:
        assert let_in == {"holder"}
    assert let_in == ROUTES[route]


def test_every_route_of_the_room_is_in_the_list(app):
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("certif")}
    known = {
        address.replace("{code}", "<code>")
        .replace("{run}", "<int:run_id>")
        .replace("{id}", "<int:credential_id>")
        .replace("revocation/1", "revocation/<int:number>")
        .replace("documents/open_badge", "documents/<name>")
        .replace(".jwt", ".<ending>")
        for _method, address in ROUTES
    }

    own = {  # of the person who made them: see test_many and test_verification_api
        "/verify/many/<token>",
        "/verify/many/<token>/report.csv",
        "/verify/many/<token>/report.json",
        "/verify/many/<token>/report.pdf",
        "/verify/programs/<int:key_id>/revoke",
        "/verify/subscriptions/<uuid:identifier>/end",
        "/api/verification/v1/batches",
        "/api/verification/v1/batches/<token>",
        "/api/verification/v1/batches/<token>.csv",
        "/api/verification/v1/revocations",
        "/api/verification/v1/subscriptions",
        "/api/verification/v1/subscriptions/<uuid:identifier>",
    }
    designing = {  # of who manages the organisation or writes the course: see test_layouts
        "/organisations/<slug>/certificate-layouts",
        "/certificate-layouts/<uuid:key>",
        "/certificate-layouts/<uuid:key>/preview",
        "/certificate-layouts/<uuid:key>/versions",
        "/certificate-layouts/<uuid:key>/versions/<int:number>/return",
        "/certificate-layouts/<uuid:key>/copy",
        "/certificate-layouts/<uuid:key>/default",
        "/certificate-layouts/<uuid:key>/delete",
        "/certificate-layouts/<uuid:key>/bring-back",
        "/teach/courses/<slug>/certificate",
        "/teach/courses/<slug>/alignments",
        "/teach/courses/<slug>/alignments/<int:alignment_id>/remove",
    }
    offline = {rule for rule in rules if rule.startswith("/verify/offline/")}  # see test_offline
    assert rules - known - own - designing - offline == {
        "/verify/file",
        "/verify/report.pdf",
        "/achievements/<uuid:identifier>",
        "/achievements/<uuid:identifier>/badge.png",
    }


def test_lists_cost_the_same_however_long(signed_in, count_queries):
    course = make_certified_course()
    run = make_run(course)
    holder = make_user(name="Ana Flores")
    for number in range(8):
        make_credential(make_completed_enrolment(run, make_user(name=f"Person {number}")))
        make_credential(make_completed_enrolment(make_run(course), holder))
    administrator = signed_in(make_administrator())
    pages = [
        (administrator, "/admin/certificates"),
        (administrator, "/admin/certificates?q=flores&state=valid&first=2020-01-01"),
        (administrator, f"/runs/{run.id}/certificates"),
        (signed_in(holder), "/my/certificates"),
    ]
    for browser, address in pages:
        count_queries()
        page = browser.get(address)
        assert page.status_code == 200
        assert count_queries() <= 12, address


def test_administrators_find_a_certificate(signed_in):
    wanted = make_credential(user=make_user(name="Éloïse Lefèvre"))
    make_credential(user=make_user(name="Juan Mamani"))
    browser = signed_in(make_administrator())

    for query in ("q=eloise", "q=LEFÈVRE", f"q={wanted.code}", f"course={wanted.course_id}"):
        page = browser.get(f"/admin/certificates?{query}").text
        assert wanted.code in page
        assert "Juan Mamani" not in page
    assert "No certificate like this" in browser.get("/admin/certificates?q=nobody").text
    for nonsense in ("course=x", "first=yesterday", "state=odd", "page=-3", "q=%25"):
        assert browser.get(f"/admin/certificates?{nonsense}").status_code == 200


def test_my_certificates_are_mine(signed_in):
    mine = make_credential(user=make_user(name="Ana Flores"))
    other = make_credential(user=make_user(name="Juan Mamani"))

    page = signed_in(mine.user).get("/my/certificates").text

    assert mine.code in page
    assert other.code not in page
    assert "No certificate yet" in signed_in(make_user()).get("/my/certificates").text


def test_the_course_shows_its_certificate(signed_in):
    credential = make_credential()

    assert credential.code in signed_in(credential.user).get("/my/courses").text


def test_my_data_holds_my_certificates(app):
    from lms.core.personal_data import personal_data

    credential = make_credential()

    [found] = personal_data["certificates"].export(credential.user_id)

    assert found["code"] == credential.code
    assert found["credential"] == credential.document


def test_keys_are_listed_and_rotated_on_the_command_line(app):
    make_credential()
    runner = app.test_cli_runner()

    rotated = runner.invoke(args=["keys", "rotate"])
    listed = runner.invoke(args=["keys", "list"])

    assert rotated.exit_code == 0, rotated.output
    assert "-2" in rotated.output
    assert "signs" in listed.output
    assert "retired" in listed.output
    assert len(keys.did_document()["verificationMethod"]) == 4


def test_drawing_a_certificate_again_is_noted(signed_in):
    credential, administrator = make_credential(), make_administrator()

    signed_in(administrator).post(f"/admin/certificates/{credential.id}/draw")

    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.actor_id) == ("certificates.draw_again", administrator.id)
