from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.xapi.models import Erasure, RetentionRule
from lms.xapi.services import erasure, retention, summaries
from lms.xapi.services.selection import Selection
from tests.factories.accounts import make_administrator, make_user
from tests.xapi.test_forwarding import COMPLETED, write
from tests.xapi.test_retention import WHO, kept, old, say

ROOT = "/admin/learning-records/retention"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("POST", "/rules"), ("GET", "/rules/1"), ("POST", "/rules/1/activate"),
        ("POST", "/rules/1/stop"), ("POST", "/rules/1/delete"), ("POST", "/person"),
        ("POST", "/person/erase"),
    ],
)  # fmt: skip
def test_only_administrators_erase(client, signed_in, method, path):
    assert client.open(ROOT + path, method=method).status_code in (302, 303)
    assert signed_in(make_user()).open(ROOT + path, method=method).status_code == 403
    known = signed_in(make_administrator()).open(ROOT + path, method=method)
    assert known.status_code in (200, 404, 422)


def test_a_rule_is_shown_with_what_it_would_delete_before_it_does(signed_in, run_jobs):
    old(2)
    [new] = write(1)
    browser = signed_in(make_administrator())

    data = {"name": "A month", "days": "30", "verbs": COMPLETED}
    page = browser.post(f"{ROOT}/rules", data=data, follow_redirects=True).text
    assert "2 statements, stored from" in page
    rule = db.session.scalars(select(RetentionRule)).one()
    run_jobs()
    assert len(kept()) == 3

    for _twice in range(2):
        browser.post(f"{ROOT}/rules/{rule.id}/activate")
        run_jobs()
    assert kept() == [new]
    assert [row.deleted for row in db.session.scalars(select(Erasure))] == [2]
    assert "Nothing: no statement" in browser.get(f"{ROOT}/rules/{rule.id}").text

    browser.post(f"{ROOT}/rules/{rule.id}/stop")
    browser.post(f"{ROOT}/rules/{rule.id}/delete")
    assert db.session.scalars(select(RetentionRule)).all() == []
    acts = db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert [act.split(".")[1].split("_")[0] for act in acts] == [
        "add", "activate", "activate", "stop", "delete"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values", [{"days": "0"}, {"days": "x"}, {"name": ""}, {"verbs": "no iri"}, {"days": "99999"}]
)
def test_a_rule_that_makes_no_sense_comes_back_in_the_form(signed_in, values):
    data = {"name": "A month", "days": "30", **values}

    assert signed_in(make_administrator()).post(f"{ROOT}/rules", data=data).status_code == 422
    assert db.session.scalars(select(RetentionRule)).all() == []


def test_the_records_of_a_person_are_counted_and_then_erased(signed_in, run_jobs):
    say()
    say(actor={"mbox": "mailto:ben@example.org"}, context={"instructor": {"mbox": WHO[0][5:]}})
    browser = signed_in(make_administrator())

    page = browser.post(f"{ROOT}/person", data={"who": " ana@example.org "})
    assert page.status_code == 200
    assert "Statements of the person" in page.text
    assert len(kept()) == 2

    data = {"who": "ana@example.org", "way": "delete"}
    assert browser.post(f"{ROOT}/person/erase", data=data).status_code == 422
    answer = browser.post(f"{ROOT}/person/erase", data={**data, "understood": "y"})
    assert answer.status_code == 303
    assert "Waiting" in browser.get(ROOT).text
    run_jobs()

    log = db.session.scalars(select(Erasure)).one()
    assert (log.deleted, log.changed) == (1, 1)
    assert erasure.still_named(WHO) == 0
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "xapi.erase_person"))
    assert "ana" not in str(entry.one().details)
    assert "One person" in browser.get(ROOT).text


def test_somebody_nobody_knows_has_no_records(signed_in):
    browser = signed_in(make_administrator())

    page = browser.post(f"{ROOT}/person", data={"who": "nobody@example.org"}).text

    assert "The store holds nothing about this person." in page
    assert browser.post(f"{ROOT}/person", data={"who": ""}).status_code == 422


def test_the_page_asks_little_of_the_database(signed_in, count_queries):
    for number in range(3):
        retention.add_rule(f"Rule {number}", 30, Selection())
    browser = signed_in(make_administrator())
    count_queries()

    assert browser.get(ROOT).status_code == 200

    assert count_queries() <= 12


def test_the_command_line_counts_erases_and_recounts(app):
    runner = app.test_cli_runner()
    old(2)
    say()
    rule = retention.add_rule("Old", 30, Selection())
    rule.is_active = True
    db.session.commit()

    def lms(*arguments: str) -> str:
        from lms.xapi.commands.retention import statements_group

        done = runner.invoke(statements_group, arguments)
        assert done.exit_code == 0, done.output
        db.session.expire_all()
        return done.output

    assert "2" in lms("erase-old", "--dry-run")
    assert len(kept()) == 3
    lms("erase-old")
    assert len(kept()) == 1
    assert "1 statements of the person" in lms("erase-person", "ana@example.org", "--dry-run")
    assert "made anonymous 1" in lms("erase-person", "ana@example.org")
    lms("recount")
    assert "right" in lms("recount", "--check")
    assert sum(summaries.kept().values()) == 1
