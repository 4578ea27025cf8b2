"""Reports by mail, and what a funder reads: nothing that is of fewer than five people."""

from __future__ import annotations

import re
from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import OutboxRow
from lms.recovery import jobs
from lms.recovery.models import FunderLook, ReportMail, Rhythm
from lms.recovery.queries.break_even import today
from lms.recovery.services import sharing
from lms.recovery.suppression import Row, is_safe, safe_rows, together
from tests.factories.accounts import make_user
from tests.factories.courses import make_course, make_enrolment, make_run

MAILS, FUNDERS = "/admin/recovery/mails", "/admin/recovery/funders"


def test_a_small_row_takes_another_along_so_that_the_total_tells_nothing():
    rows = [Row("A", (20, 20)), Row("B", (9, 9)), Row("C", (3, 3))]

    assert safe_rows(rows) == [Row("A", (20, 20)), Row("", (12, 12))]


def test_few_people_in_all_are_not_shown():
    assert safe_rows([Row("A", (3, 1)), Row("B", (1, 0))]) is None


def test_nothing_small_can_be_had_from_any_thousand_tables():
    chance = Random(7)
    for _ in range(1000):
        rows = []
        for number in range(chance.randint(1, 9)):
            steps = sorted((chance.randint(0, 14) for _ in range(4)), reverse=True)
            rows.append(Row(f"R{number}", tuple(steps)))
        shown = safe_rows(rows)
        if shown is None:
            continue
        assert together(shown).counts == together(rows).counts
        for row in shown:
            assert is_safe(row.counts), rows
        known = {row.label for row in shown}
        left = [row for row in rows if row.label not in known]
        assert len(left) != 1, rows  # else the others together were that one


def test_a_funder_reads_figures_and_no_names(admin, signed_in, client):
    course = make_course(title={"en": "Maps"})
    big, small = make_run(course, slug="big"), make_run(course, slug="small")
    for _ in range(12):
        make_enrolment(big, make_user(name="Rosa Quispe", country="BO"))
    for _ in range(2):
        make_enrolment(small, make_user(name="Inés Soto", country="CL"))
    browser = signed_in(admin)
    typed = {
        "title": "For the fund", "tables": ["runs", "countries"], "course": "",
        "first": "2020-01-01", "last": "2090-01-01",
        "expires_on": (today() + timedelta(days=30)).isoformat(),
    }  # fmt: skip
    page = browser.post(FUNDERS, data=typed).text
    path = re.search(r"http://[^/]+(/funders/[\w-]+)", page).group(1)
    assert path not in browser.get(FUNDERS).text

    asked = client.get(path)
    assert "Maps" not in asked.text
    assert asked.headers["X-Robots-Tag"] == "noindex, nofollow"
    shown = client.post(path)
    cells = re.findall(r'<td class="number"[^>]*>(\d+)<', shown.text)
    assert "14" in cells
    assert "12" not in cells
    assert "2" not in cells
    assert "Quispe" not in shown.text
    assert "For the fund" in shown.text
    assert len(db.session.scalars(select(FunderLook)).all()) == 1
    assert "1, last" in browser.get(FUNDERS).text


def test_a_link_ends_by_its_day_or_by_hand(admin, signed_in, client):
    def link(until: date):
        days = (date(2026, 1, 1), date(2026, 12, 31))
        return sharing.share("T", ["money"], None, days, until, admin.id)

    _old, over = link(today() - timedelta(days=1))
    open_, token = link(today())
    db.session.commit()
    assert client.get(f"/funders/{over}").status_code == 404
    assert client.post(f"/funders/{token}").status_code == 200
    assert signed_in(make_user()).post(f"{FUNDERS}/{open_.id}/revoke").status_code == 403
    assert signed_in(admin).post(f"{FUNDERS}/{open_.id}/revoke").status_code == 303
    assert client.post(f"/funders/{token}").status_code == 404


def test_a_report_comes_by_mail_with_its_filters_until_it_is_stopped(
    admin, signed_in, client, mails
):
    browser = signed_in(admin)
    address = "http://puente.test/admin/reports/recovery-by-month?period=year"
    for wrong in ("http://puente.test/admin/people", "recovery", f"{address}&currency=XXX"):
        answer = browser.post(MAILS, data={"address": wrong, "rhythm": "weekly"})
        assert answer.status_code == 422, wrong
    done = browser.post(MAILS, data={"address": address, "rhythm": "monthly"})
    assert done.status_code == 303
    row = db.session.scalars(select(ReportMail)).one()
    assert (row.values, row.next_on.day) == ({"period": "year"}, 1)

    assert sharing.send_due_mails() == 0
    row.next_on = today()
    assert sharing.send_due_mails() == 1
    assert sharing.send_due_mails() == 0
    db.session.commit()
    queued = db.session.scalars(select(OutboxRow).where(OutboxRow.job == "recovery.mail_report"))
    assert [job.payload for job in queued] == [{"mail_id": row.id}]
    [mail] = mails()
    [attachment] = mail.iter_attachments()
    assert attachment.get_filename().startswith("recovery-by-month-")
    assert "Invoiced" in attachment.get_content()

    text = mail.get_body(("plain",)).get_content()
    path = re.search(r"http://puente\.test(/reports/stop/\S+)", text).group(1)
    assert client.get(path).status_code == 200
    assert db.session.get_one(ReportMail, row.id).next_on is not None
    client.post(path)
    assert db.session.get_one(ReportMail, row.id).next_on is None
    assert client.get("/reports/stop/forged").status_code == 404


def test_who_may_read_no_more_gets_no_mail(admin, mails):
    row = sharing.ask_for_mail(admin, "recovery-by-month", {}, Rhythm.WEEKLY)
    admin.is_administrator = False
    db.session.commit()
    jobs.mail_report(row.id)

    assert mails() == []


@pytest.mark.parametrize(
    ("rhythm", "day", "following"),
    [("weekly", "2027-03-01", "2027-03-08"), ("weekly", "2027-03-07", "2027-03-08"),
     ("monthly", "2027-03-01", "2027-04-01"), ("monthly", "2027-12-31", "2028-01-01")],
)  # fmt: skip
def test_the_next_day_of_a_mail(rhythm, day, following):
    assert sharing.next_day(rhythm, date.fromisoformat(day)).isoformat() == following


@pytest.mark.parametrize("path", [MAILS, FUNDERS])
def test_only_administrators_share(path, signed_in):
    assert signed_in(make_user()).get(path).status_code == 403


def test_a_mail_is_stopped_by_whom_it_is_for(admin, signed_in):
    row = sharing.ask_for_mail(admin, "recovery-by-month", {}, Rhythm.WEEKLY)
    db.session.commit()
    assert signed_in(make_user()).post(f"{MAILS}/{row.id}/stop").status_code == 403
    assert signed_in(admin).post(f"{MAILS}/{row.id}/stop").status_code == 303
    assert row.next_on is None
