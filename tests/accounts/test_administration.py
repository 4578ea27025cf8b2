from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.accounts import queries
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.models import AuditEntry, JobState, OutboxRow
from tests.factories.accounts import make_administrator, make_user

PAGES = ["/admin/", "/admin/people", "/admin/audit", "/admin/jobs"]


@pytest.fixture
def admin(app):
    return make_administrator(name="Admin Istrator")


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_administrators(client, signed_in, admin, path):
    assert client.get(path).location.startswith("/sign-in?next=")
    assert signed_in(make_user()).get(path).status_code == 403
    assert signed_in(admin).get(path).status_code == 200


@pytest.mark.parametrize(
    "act",
    ["deactivate", "reactivate", "make-administrator", "unmake-administrator", "confirmation"],
)
def test_acts_are_for_administrators(client, signed_in, act):
    victim = make_user()
    path = f"/admin/people/{victim.id}/{act}"

    assert client.post(path).status_code == 302
    assert signed_in(make_user()).post(path).status_code == 403
    assert signed_in(victim).post(path).status_code == 403
    assert signed_in(victim).get(f"/admin/people/{victim.id}").status_code == 403
    assert not queries.get_user(victim.id).is_administrator


def names(page) -> list[str]:
    import re

    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page.text)


def test_people_are_found_without_accents(signed_in, admin):
    make_user(name="José Núñez", email="pepe@example.org", country="PE")
    make_user(name="Élise Gagnon", country="CA", email_confirmed_at=None)
    make_user(name="Off", deactivated_at=clock.now())
    make_user(name="Closed account", closed_at=clock.now())
    browser = signed_in(admin)

    def found(query: str) -> list[str]:
        return names(browser.get(f"/admin/people?{query}"))

    assert found("q=jose+nunez") == ["José Núñez"]
    assert found("q=NÚÑEZ") == ["José Núñez"]
    assert found("q=pepe@example.org") == ["José Núñez"]
    assert found("q=%25") == ["Admin Istrator", "Élise Gagnon", "José Núñez", "Off"]
    assert found("role=administrator") == ["Admin Istrator"]
    assert found("country=CA") == ["Élise Gagnon"]
    assert found("state=unconfirmed") == ["Élise Gagnon"]
    assert found("state=deactivated") == ["Off"]
    assert found("state=closed") == ["Closed account"]
    assert found("state=confirmed&country=PE") == ["José Núñez"]
    empty = browser.get("/admin/people?q=nobody+like+this")
    assert "Nobody found" in empty.text


def test_a_long_list_has_pages(signed_in, admin, count_queries):
    for number in range(120):
        db.session.add(
            type(admin)(
                name=f"P {number:03}",
                email=f"p{number}@long.org",
                email_folded=f"p{number}@long.org",
            )
        )
    db.session.commit()
    browser = signed_in(admin)
    count_queries()

    page = browser.get("/admin/people?q=long&page=3")

    assert count_queries() <= 12
    assert len(names(page)) == 20
    assert "q=long&amp;page=2" in page.text


def test_switching_an_account_off_and_on(signed_in, admin):
    user = make_user()
    victim, browser = signed_in(user), signed_in(admin)

    assert browser.post(f"/admin/people/{user.id}/deactivate").status_code == 303
    browser.post(f"/admin/people/{user.id}/deactivate")  # a double click
    assert victim.get("/account").status_code == 302
    browser.post(f"/admin/people/{user.id}/reactivate")
    assert victim.get("/account").status_code == 200

    acts = [
        (e.act, e.subject_kind, e.subject_id, e.actor_id)
        for e in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    ]
    assert acts == [
        ("accounts.deactivate", "users", str(user.id), admin.id),
        ("accounts.reactivate", "users", str(user.id), admin.id),
    ]


def test_nobody_locks_the_administrators_out(signed_in, admin):
    browser = signed_in(admin)

    answer = browser.post(f"/admin/people/{admin.id}/deactivate")
    assert answer.status_code == 409
    assert "own account" in answer.text
    answer = browser.post(f"/admin/people/{admin.id}/unmake-administrator")
    assert answer.status_code == 409
    assert "This is the only administrator." in answer.text

    other = make_user()
    browser.post(f"/admin/people/{other.id}/make-administrator")
    assert queries.get_user(other.id).is_administrator
    browser.post(f"/admin/people/{admin.id}/unmake-administrator")
    assert browser.get("/admin/people").status_code == 403


def test_the_confirmation_mail_is_sent_again(signed_in, admin, mails):
    user = make_user(email_confirmed_at=None)
    browser = signed_in(admin)

    browser.post(f"/admin/people/{user.id}/confirmation")
    assert [mail["To"] for mail in mails()] == [user.email]
    user.email_confirmed_at = clock.now()
    db.session.commit()
    assert browser.post(f"/admin/people/{user.id}/confirmation").status_code == 409


def test_the_page_of_a_person(signed_in, admin, count_queries):
    user = make_user(name="<b>Ana</b>", country="BO", profession="Architect")
    browser = signed_in(admin)
    count_queries()

    page = browser.get(f"/admin/people/{user.id}")

    assert count_queries() <= 12
    assert "&lt;b&gt;Ana&lt;/b&gt;" in page.text
    assert "Bolivia" in page.text
    assert browser.get("/admin/people/999999").status_code == 404


def test_the_audit_log_is_filtered(signed_in, admin):
    user = make_user(name="Subject Person")
    record("accounts.deactivate", user, admin.id)
    record("payments.refund", user, None, amount="10.00 CAD")
    db.session.commit()
    db.session.scalars(select(AuditEntry).where(AuditEntry.act == "payments.refund")).one().at = (
        clock.now() - timedelta(days=40)
    )
    db.session.commit()
    browser = signed_in(admin)

    page = browser.get("/admin/audit")
    assert "10.00 CAD" in page.text
    assert "Subject Person" in page.text
    assert "Command line" in page.text
    today = clock.now().date()
    for query, seen in [
        ("act=payments.refund", True),
        ("act=accounts.deactivate", False),
        (f"actor={admin.id}", False),
        (f"first={today - timedelta(days=3)}", False),
        (f"last={today - timedelta(days=30)}", True),
        ("first=nonsense&actor=x&page=zz", True),
        ("act=unknown", False),
    ]:
        assert ("10.00 CAD" in browser.get(f"/admin/audit?{query}").text) is seen, query
    assert "No act like this" in browser.get("/admin/audit?act=unknown").text


def test_the_audit_log_asks_few_queries(signed_in, admin, count_queries):
    for user in [make_user() for _number in range(8)]:
        record("accounts.deactivate", user, admin.id)
    db.session.commit()
    browser = signed_in(admin)
    count_queries()

    browser.get("/admin/audit")

    assert count_queries() <= 12


def make_job(state: str, job: str = "accounts.mail", **values) -> OutboxRow:
    row = OutboxRow(job=job, payload={"letter": "confirm", "user_id": 0}, state=state, **values)
    db.session.add(row)
    db.session.commit()
    return row


def test_jobs_that_were_given_up_start_again(signed_in, admin, client, run_jobs):
    failed = make_job("failed", attempts=9, error="OSError: the mail server is away")
    others = [make_job("failed"), make_job("failed")]
    make_job("waiting", due_at=clock.now() - timedelta(hours=1))
    browser = signed_in(admin)
    page = browser.get("/admin/jobs")
    assert "the mail server is away" in page.text
    assert "Is a worker running?" in page.text
    assert "3 jobs were given up." in browser.get("/admin/").text

    path = f"/admin/jobs/{failed.id}/again"
    assert client.post(path).status_code == 302
    assert signed_in(make_user()).post(path).status_code == 403
    assert signed_in(make_user()).post("/admin/jobs/again").status_code == 403
    assert browser.post(path).status_code == 303

    row = db.session.get(OutboxRow, failed.id)
    assert (row.state, row.attempts, row.error) == (JobState.WAITING, 0, None)
    browser.post("/admin/jobs/again")
    run_jobs()
    assert {db.session.get(OutboxRow, row.id).state for row in [failed, *others]} == {"done"}
    assert "No job was given up" in browser.get("/admin/jobs").text
    assert browser.get("/admin/jobs?state=done").status_code == 200
    assert browser.get("/admin/jobs?state=nonsense").status_code == 200
    assert browser.post("/admin/jobs/999999/again").status_code == 404


def test_numbers_beyond_the_database_are_no_bug(signed_in, admin):
    browser = signed_in(admin)

    assert browser.get("/admin/people/99999999999999999999").status_code == 404
    assert browser.post("/admin/people/99999999999999999999/deactivate").status_code == 404
