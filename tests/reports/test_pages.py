from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO

import openpyxl
import pytest
import time_machine

from lms.certificates.models import VerificationLog
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Progress
from lms.hookspecs import hookimpl
from lms.payments.products import products
from lms.payments.services import bookkeeping
from lms.reports.base import reports
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
)
from tests.factories.payments import make_paid_order, make_paid_run, make_refund

OVERVIEW = "/admin/reports/"
ROOMS = {  # whose report it is
    "completions-by-run": "courses",
    "learners": "courses",
    "learners-by-country": "courses",
    "paid-orders": "payments",
    "recovery-by-month": "recovery",
    "recovery-by-course": "recovery",
    "run-results": "recovery",
    "certificates-by-month": "certificates",
    "certificates-by-run": "certificates",
}
NAMES = [pytest.param(name, marks=pytest.mark.needs(room)) for name, room in ROOMS.items()]
FOR_INSTRUCTORS = list(ROOMS)[:3]
KINDS = ["", "/csv", "/xlsx"]


@pytest.fixture
def admin(app):
    return make_administrator(name="Admin Istrator")


@pytest.fixture
def sales(app):
    """Two sales in CAD, one of them refunded in part, and one in CLP."""
    course = make_course(title={"en": "Maps", "es": "Mapas"})
    run = make_paid_run(course)
    now = clock.now()
    first = make_paid_order(run, make_user(name="Rosa Quispe", country="BO"), delivered_at=now)
    make_refund(first.payments[0], 2_000)
    strange = make_user(name="=cmd()", country="CA")
    make_paid_order(run, strange, country="CA", delivered_at=now)
    chilean = make_paid_run(course, price=Money(45_000, "CLP"))
    soto = make_user(name="Inés Soto", country="CL")
    make_paid_order(chilean, soto, country="CL", delivered_at=now)
    if "place" in products:  # where payments are switched off nobody keeps books
        bookkeeping.book_missing()
        db.session.commit()
    return run


def study(enrolment, *modules) -> None:
    """The learner opened something in each of these modules."""
    for module in modules:
        db.session.add(Progress(enrolment=enrolment, activity=module.activities[0]))
    enrolment.last_seen_at = clock.now()
    db.session.commit()


def cells(page) -> list[list[str]]:
    """The table of a report, row by row."""
    body = re.search(
        r"<tbody>\s*(<tr>\s*<th scope=\"row\">.*?)</tbody>",
        page.text[page.text.find('class="table table-stack"') :],
        re.S,
    )
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.S) if body else []
    return [
        [
            re.sub(r"<[^>]+>", "", cell).strip()
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        ]
        for row in rows
    ]


@pytest.mark.parametrize("name", ["", *NAMES])
@pytest.mark.parametrize("kind", KINDS)
def test_strangers_sign_in_and_learners_are_refused(client, signed_in, name, kind):
    path = f"{OVERVIEW}{name}{kind if name else ''}"

    assert client.get(path).location.startswith("/sign-in?next=")
    assert signed_in(make_user()).get(path).status_code == 403


def test_the_overview_opens_whatever_rooms_there_are(signed_in, admin):
    assert signed_in(admin).get(OVERVIEW).status_code == 200
    assert signed_in(admin).get("/admin/").status_code == 200


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_administrators_read_everything(signed_in, admin, sales, name, kind):
    assert signed_in(admin).get(f"{OVERVIEW}{name}{kind}").status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_instructors_read_their_own_reports(signed_in, sales, name):
    teacher = make_instructor(make_course())
    expected = 200 if name in FOR_INSTRUCTORS else 403

    for kind in KINDS:
        assert signed_in(teacher).get(f"{OVERVIEW}{name}{kind}").status_code == expected


def test_unknown_report(signed_in, admin):
    for kind in KINDS:
        assert signed_in(admin).get(f"{OVERVIEW}nonsense{kind}").status_code == 404


def test_instructors_see_learners_of_their_courses_only(signed_in, admin, sales):
    mine = make_run(make_course(title={"en": "Mine"}))
    make_enrolment(mine, make_user(name="My Learner"))
    teacher = make_instructor(mine.course)
    browser = signed_in(teacher)

    page = browser.get(OVERVIEW + "learners")
    assert "My Learner" in page.text
    assert "Rosa Quispe" not in page.text
    assert "Maps" not in page.text
    assert "@example.org" not in browser.get(OVERVIEW + "learners/csv").text
    assert browser.get(f"{OVERVIEW}learners?course={sales.course_id}").status_code == 422
    assert "@example.org" in signed_in(admin).get(OVERVIEW + "learners/csv").text
    overview = browser.get(OVERVIEW)
    assert overview.status_code == 200
    assert "Collected" not in overview.text
    assert "Mine" in overview.text
    assert "Maps" not in overview.text


@pytest.mark.needs("recovery")
def test_currencies_are_never_added(signed_in, admin, sales):
    page = signed_in(admin).get(OVERVIEW + "recovery-by-course")

    assert [(row[0], row[-1]) for row in cells(page)] == [
        ("Maps", "CAD 220.00"),
        ("Maps", "CLP 45,000"),
    ]
    assert "Total CAD" in page.text
    assert "Total CLP" in page.text
    assert "in the time zone of your account: America/La_Paz" in page.text


@pytest.mark.needs("recovery")
def test_the_overview_shows_what_the_reports_say(signed_in, admin, sales, count_queries):
    browser = signed_in(admin)
    browser.get(OVERVIEW)  # some things are looked up once a minute
    count_queries()
    page = browser.get(OVERVIEW)

    assert count_queries() <= 12
    assert "CAD 220<" in page.text
    assert "220.00" in page.text
    assert "CLP 45,000" in page.text
    assert "Collected by month, CAD" in page.text
    assert "Where learners stop" in page.text
    assert "Collected by month, CLP" in browser.get(OVERVIEW + "?currency=CLP").text


@pytest.mark.needs("recovery")
def test_money_is_compared_with_the_same_days_a_year_before(signed_in, admin):
    with time_machine.travel(datetime(2027, 3, 10, 15, tzinfo=UTC)):
        run = make_paid_run()
        for at, price in (
            (datetime(2026, 3, 5, tzinfo=UTC), 10_000),
            (datetime(2026, 3, 25, tzinfo=UTC), 99_900),  # after these days of March
            (datetime(2027, 3, 8, tzinfo=UTC), 15_000),
        ):
            make_paid_order(run, amount_minor=price, total_minor=price, paid_at=at)
        bookkeeping.book_missing()
        db.session.commit()
        page = signed_in(admin).get(OVERVIEW + "?period=month")

    assert "CAD 150<" in page.text
    assert "+50 % on the same days a year before" in page.text


@pytest.mark.parametrize("name", NAMES)
def test_few_queries(signed_in, admin, sales, count_queries, name):
    for _number in range(8):
        make_paid_order()
    browser = signed_in(admin)
    browser.get(OVERVIEW)  # some things are looked up once a minute
    count_queries()

    browser.get(OVERVIEW + name)

    assert count_queries() <= 12


@pytest.mark.needs("recovery")
def test_the_first_page_of_administrators_shows_key_figures(signed_in, admin, sales, count_queries):
    browser = signed_in(admin)
    browser.get(OVERVIEW)  # some things are looked up once a minute
    count_queries()
    page = browser.get("/admin/")

    assert count_queries() <= 12
    assert "CAD 220" in page.text
    assert OVERVIEW in page.text


def test_where_learners_stop(signed_in, admin):
    course = make_course(title={"en": "Maps"})
    modules = [make_module(course) for _number in range(3)]
    for module in modules:
        make_activity(module)
    run = make_run(course)
    make_enrolment(run, make_user(name="Never Came"))
    study(make_enrolment(run, make_user(name="One Week")), modules[0])
    study(make_enrolment(run, make_user(name="Two Weeks", country="BO")), *modules[:2])
    done = make_enrolment(
        run, make_user(name="All Done", country="BO"), state="completed", completed_at=clock.now()
    )
    study(done, *modules)
    make_enrolment(run, make_user(name="Waits"), state="waitlisted", enrolled_at=None)
    browser = signed_in(admin)

    [row] = cells(browser.get(OVERVIEW + "completions-by-run"))
    assert row[0] == "Maps"
    assert row[2:] == ["4", "3", "2", "1", "1", "33 %"]

    def names(query: str) -> set[str]:
        return {row[0] for row in cells(browser.get(f"{OVERVIEW}learners?{query}"))}

    assert names("step=started") == {"One Week", "Two Weeks", "All Done"}
    assert names("step=not-started") == {"Never Came"}
    assert names("step=week-2") == {"Two Weeks", "All Done"}
    assert names("step=completed") == {"All Done"}
    assert names("step=not-completed") == {"One Week", "Two Weeks"}
    assert names("country=BO") == {"Two Weeks", "All Done"}
    assert names("country=-") == {"Never Came", "One Week"}
    assert cells(browser.get(OVERVIEW + "learners-by-country"))[1] == [
        "Bolivia", "2", "2", "2", "1", "50 %",
    ]  # fmt: skip
    assert cells(browser.get(OVERVIEW + "learners?sort=learner&order=descending"))[0][0] == (
        "Two Weeks"
    )


@pytest.mark.needs("certificates")
def test_certificates_are_counted(signed_in, admin):
    credential = make_credential()
    make_credential().revoked_at = clock.now()
    db.session.add_all(VerificationLog(credential_id=credential.id, how="page") for _n in range(3))
    db.session.commit()
    browser = signed_in(admin)

    [month] = cells(browser.get(OVERVIEW + "certificates-by-month"))
    runs = cells(browser.get(OVERVIEW + "certificates-by-run"))

    assert month[1:] == ["2", "1", "3"]
    assert sorted(row[2:] for row in runs) == [["1", "0", "3"], ["1", "1", "0"]]
    assert "verified 3 times" in browser.get(OVERVIEW).text


@pytest.mark.needs("recovery")
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("currency=XYZ", "The ledger holds nothing in this currency."),
        ("currency=%27;drop", "The ledger holds nothing in this currency."),
        ("country=ZZ", "The ledger holds nothing from this country."),
        ("course=999999", "There is no such course among yours."),
        ("course=abc", "There is no such course among yours."),
        ("run=1", "There is no such run of this course."),
        ("period=century", "There is no such period."),
        ("first=yesterday", "This is not a date."),
        ("first=2027-02-30", "This is not a date."),
        ("first=0001-01-01", "Choose a day between 2000 and 2099."),
        ("last=9999-12-31", "Choose a day between 2000 and 2099."),
        ("first=2027-03-01&last=2027-02-01", "The last day lies before the first one."),
    ],
)
def test_bad_filters_are_told(signed_in, admin, sales, query, sentence):
    browser = signed_in(admin)
    page = browser.get(f"{OVERVIEW}recovery-by-month?{query}")

    assert page.status_code == 422
    assert sentence in page.text
    for kind in ("csv", "xlsx"):
        answer = browser.get(f"{OVERVIEW}recovery-by-month/{kind}?{query}")
        assert answer.status_code == 302
        assert browser.get(answer.location).status_code == 422


def test_what_was_typed_is_kept(signed_in, admin):
    page = signed_in(admin).get(OVERVIEW + "?first=2027-03-01&last=2027-02-01")

    assert page.status_code == 422
    assert 'value="2027-03-01"' in page.text
    assert 'value="2027-02-01"' in page.text


@pytest.mark.needs("payments")
@pytest.mark.parametrize("query", ["sort=nonsense", "page=0", "page=-3", "page=99999", "page=x"])
def test_nonsense_that_does_no_harm_is_ignored(signed_in, admin, sales, query):
    assert signed_in(admin).get(f"{OVERVIEW}paid-orders?{query}").status_code == 200


@pytest.mark.needs("payments")
@time_machine.travel(datetime(2027, 2, 10, 15, tzinfo=UTC))
def test_periods(signed_in, admin):
    order = make_paid_order(paid_at=datetime(2026, 12, 20, 12, tzinfo=UTC))
    browser = signed_in(admin)

    def orders(query: str) -> list[str]:
        return [row[0] for row in cells(browser.get(f"{OVERVIEW}paid-orders?{query}"))]

    assert orders("period=month") == orders("period=year") == []
    assert orders("") == orders("period=12-months") == orders("period=all") == [order.number]
    assert orders("first=2026-12-20&last=2026-12-20") == [order.number]
    assert orders("last=2026-12-19") == orders("first=2026-12-21") == []
    kept = browser.get(OVERVIEW + "paid-orders?period=12-months&first=2026-03-01&last=2027-02-10")
    assert "Last 12 months" in kept.text
    assert 'name="period" value="12-months"' in kept.text
    changed = browser.get(
        OVERVIEW + "paid-orders?period=12-months&first=2026-03-02&last=2027-02-10"
    )
    assert "Mar 2, 2026" in changed.text


@pytest.mark.needs("payments")
def test_csv(signed_in, admin, sales):
    answer = signed_in(admin).get(OVERVIEW + "paid-orders/csv?sort=charged&order=descending")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(
        r"filename=paid-orders-\d{4}-\d\d-\d\d.csv", answer.headers["Content-Disposition"]
    )
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["Buyer"], row["Currency"], row["Charged"], row["Remains"]) for row in rows] == [
        ("Inés Soto", "CLP", "45000", "45000"),
        ("'=cmd()", "CAD", "120.00", "120.00"),
        ("Rosa Quispe", "CAD", "120.00", "100.00"),
    ]
    assert [row["Refunded"] for row in rows] == ["0", "0.00", "20.00"]
    date.fromisoformat(rows[0]["Sold on"])


@pytest.mark.needs("payments")
@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_no_text_becomes_a_formula(signed_in, admin, name):
    make_paid_order(user=make_user(name=name))
    browser = signed_in(admin)

    [row] = csv.DictReader(
        StringIO(browser.get(OVERVIEW + "paid-orders/csv").data.decode("utf-8-sig"), newline="")
    )
    book = openpyxl.load_workbook(BytesIO(browser.get(OVERVIEW + "paid-orders/xlsx").data))

    assert row["Buyer"] == f"'{name}"
    assert {cell.data_type for cell in book["Figures"]["C"]} == {"s"}


def test_a_long_csv_is_sent_in_portions(signed_in, admin, count_queries):
    run = make_run()
    for number in range(30):
        make_enrolment(run, make_user(name=f"Learner {number:02}"))
    answer = signed_in(admin).get(OVERVIEW + "learners/csv", buffered=False)

    assert answer.is_streamed
    assert len(list(csv.reader(StringIO(answer.data.decode("utf-8-sig"))))) == 31


@pytest.mark.needs("recovery")
def test_xlsx_keeps_types(signed_in, admin, sales):
    answer = signed_in(admin).get(OVERVIEW + "recovery-by-month/xlsx")

    book = openpyxl.load_workbook(BytesIO(answer.data))
    head, cad, clp = book["Figures"].iter_rows()
    assert [cell.value for cell in head] == [
        "Month", "Currency", "Invoiced", "Earned", "Collected",
    ]  # fmt: skip
    month = clock.local_date(clock.now(), admin.time_zone).replace(day=1)
    assert cad[0].value.date() == month
    assert [cell.value for cell in cad[1:]] == ["CAD", 220, 0, 220]
    assert (cad[4].data_type, cad[4].number_format) == ("n", "#,##0.00")
    assert (clp[4].value, clp[4].number_format) == (45000, "#,##0")
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert about["Time zone"] == "America/La_Paz"


def test_a_report_of_another_package(app, settings):
    """The hook `reports` takes objects of the class Report and refuses all else."""
    from types import SimpleNamespace

    from lms import plugins
    from lms.core.registry import PluginError
    from lms.reports.base import Report

    class Own(Report):
        name = "own"
        label = description = "Own"
        order = ()

    @hookimpl
    def give() -> list[Report]:
        return [Own()]

    found = plugins.Plugins()
    plugins._ask("own", SimpleNamespace(reports=give), found)
    assert isinstance(found.declared["reports"]["own"], Own)
    with pytest.raises(PluginError, match="taken twice"):
        plugins._ask("other", SimpleNamespace(reports=give), found)


@pytest.mark.needs("payments", "recovery", "certificates")
def test_the_house_has_these_reports(app):
    assert set(ROOMS) <= set(reports)


def test_a_leap_day_has_a_day_a_year_before(app, admin):
    from lms.reports.base import Filters

    leap = Filters(admin, "UTC", "en", first=date(2028, 2, 29), last=date(2028, 2, 29))

    assert leap.a_year_before().first == date(2027, 2, 28)
    assert leap.narrowed(first=leap.first + timedelta(days=1)).first == date(2028, 3, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_no_cache_keeps_what_an_administrator_reads(signed_in, admin, kind):
    answer = signed_in(admin).get(OVERVIEW + "learners" + kind)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
