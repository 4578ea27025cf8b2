"""The pages of scholarships: applying, deciding, funds; each as the wrong person."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.personal_data import personal_data
from lms.scholarships.models import Application, Fund
from lms.scholarships.queries import today
from lms.scholarships.services import applications
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_instructor, make_run
from tests.factories.pricing import make_tiers
from tests.factories.scholarships import make_application, make_award, make_fund, make_priced_run

WORDS = "I plan the streets of Oruro."


@pytest.fixture(autouse=True)
def tiers(app):
    make_tiers()


def only_application():
    return db.session.scalars(select(Application)).one()


# A learner


def test_a_learner_applies_from_the_course_page(app, signed_in, mails):
    fund, run, admin = make_fund(), make_priced_run(), make_administrator()
    browser = signed_in(make_user(country="BO"))

    course = browser.get(f"/courses/{run.course.slug}")
    assert f"/scholarships/apply/{run.uuid}" in course.text
    page = browser.get(f"/scholarships/apply/{run.uuid}")
    assert "Given by Ana Giver." in page.text
    answer = browser.post(
        f"/scholarships/apply/{run.uuid}",
        data={"fund": fund.key, "percent": "75", "statement": f" {WORDS} "},
    )

    found = only_application()
    assert answer.location == f"/scholarships/{found.uuid}"
    assert (found.statement, found.asked_percent, found.country) == (WORDS, 75, "BO")
    assert WORDS in browser.get(answer.location).text
    told = [mail for mail in mails() if admin.email in mail["To"]]
    assert [mail["Subject"] for mail in told] == ["Somebody applies for a scholarship"]
    assert WORDS not in told[0].as_string()


def test_what_was_typed_stays_when_something_is_missing(app, signed_in):
    fund, run = make_fund(percents=(50,)), make_priced_run()
    make_fund(percents=(100,))
    browser = signed_in(make_user())

    answer = browser.post(
        f"/scholarships/apply/{run.uuid}",
        data={"fund": fund.key, "percent": "100", "statement": WORDS},
    )

    assert answer.status_code == 422
    assert WORDS in answer.text
    assert "This fund gives: 50%." in answer.text
    assert re.search(rf'value="{fund.key}"[^>]*checked|checked[^>]*value="{fund.key}"', answer.text)
    assert not db.session.scalars(select(Application)).all()


def test_who_cannot_pay_at_all_is_offered_the_whole_price_alone(app, signed_in):
    make_fund(percents=(50, 100))
    run = make_priced_run()
    browser = signed_in(make_user(country="CU"))

    page = browser.get(f"/scholarships/apply/{run.uuid}").text

    assert "100% of the price" in page
    assert "50% of the price" not in page


def test_an_unnamed_donor_is_never_shown_to_learners(app, signed_in):
    fund, run, ana = (
        make_fund(donor="Secret Giver", shows_donor=False),
        make_priced_run(),
        make_user(),
    )
    award = make_award(fund, run, ana)
    browser = signed_in(ana)

    for address in ("/scholarships", f"/scholarships/{award.uuid}"):
        page = browser.get(address).text
        assert "Secret Giver" not in page, address
        assert "somebody who wants to stay unnamed" in page, address
    other = signed_in(make_user())
    assert "Secret Giver" not in other.get(f"/scholarships/apply/{run.uuid}").text


def test_without_a_fund_the_page_says_what_to_do(app, signed_in):
    run = make_priced_run()
    browser = signed_in(make_user())

    assert "No fund can pay for you here" in browser.get(f"/scholarships/apply/{run.uuid}").text
    assert "scholarships/apply" not in browser.get(f"/courses/{run.course.slug}").text


def test_a_second_application_is_led_to_the_first(app, signed_in):
    ana, application = make_user(), None
    application = make_application(user=ana)
    browser = signed_in(ana)

    answer = browser.get(f"/scholarships/apply/{application.run.uuid}")

    assert answer.location == f"/scholarships/{application.uuid}"


def test_a_learner_withdraws(app, signed_in):
    ana = make_user()
    award = make_award(user=ana)
    browser = signed_in(ana)

    browser.post(f"/scholarships/{award.uuid}/withdraw")

    assert only_application().state == "withdrawn"
    assert db.session.scalars(select(Fund)).one().reserved_minor == 0


@pytest.mark.parametrize("who", ["stranger", "administrator", "instructor"])
def test_an_application_is_seen_by_its_learner_alone(app, signed_in, who):
    award = make_award()
    people = {
        "stranger": make_user,
        "administrator": make_administrator,
        "instructor": lambda: make_instructor(award.run.course),
    }
    browser = signed_in(people[who]())

    assert browser.get(f"/scholarships/{award.uuid}").status_code == 403
    assert browser.post(f"/scholarships/{award.uuid}/withdraw").status_code == 403
    assert only_application().state == "awarded"


def test_nobody_applies_for_a_run_that_is_over_free_or_not_published(app, signed_in):
    make_fund()
    browser = signed_in(make_user())
    yesterday = clock.now().date() - timedelta(days=1)
    runs = [
        make_priced_run(starts_on=yesterday - timedelta(days=20), ends_on=yesterday),
        make_run(),
        make_priced_run(state="draft"),
    ]

    for run in runs:
        address = f"/scholarships/apply/{run.uuid}"
        assert browser.get(address).status_code == 403
        assert browser.post(address, data={"statement": WORDS}).status_code == 403


# Administrators


def decide(browser, application, **values):
    data = {
        "decision": "award", "percent": "100", "answer": "Welcome.",
        "expires_on": (today() + timedelta(days=9)).isoformat(),
    }  # fmt: skip
    return browser.post(f"/admin/scholarships/{application.uuid}", data=data | values)


def test_an_administrator_awards_a_part_and_the_learner_is_told(app, signed_in, mails):
    asked = make_application(user=make_user(language="es"))
    browser = signed_in(make_administrator())
    assert "I plan a town." in browser.get(f"/admin/scholarships/{asked.uuid}").text

    answer = decide(browser, asked, percent="75")

    assert answer.location == "/admin/scholarships"
    found = only_application()
    assert (found.state, found.percent, found.answer) == ("awarded", 75, "Welcome.")
    [mail] = [one for one in mails() if found.user.email in one["To"]]
    assert mail["Subject"] == "Usted tiene una beca"
    assert "75" in mail.get_body(("plain",)).get_content()


def test_a_refusal_needs_its_reason(app, signed_in, mails):
    asked = make_application()
    browser = signed_in(make_administrator())

    assert decide(browser, asked, decision="decline", answer=" ").status_code == 422
    assert only_application().state == "asked"
    decide(browser, asked, decision="decline", answer="The fund is for planners.")

    assert only_application().state == "declined"
    [mail] = [one for one in mails() if asked.user.email in one["To"]]
    assert "The fund is for planners." in mail.get_body(("plain",)).get_content()


def test_an_empty_fund_says_so_beside_the_percentage_and_keeps_what_was_typed(app, signed_in):
    asked = make_application(make_fund(11_999))
    browser = signed_in(make_administrator())

    answer = decide(browser, asked, answer="Long words of welcome.")

    assert answer.status_code == 422
    assert "does not have enough left" in answer.text
    assert "Long words of welcome." in answer.text
    assert only_application().state == "asked"


def test_an_administrator_takes_an_unused_award_back(app, signed_in, mails):
    award = make_award()
    browser = signed_in(make_administrator())
    address = f"/admin/scholarships/{award.uuid}/take-back"

    assert browser.post(address, data={"answer": ""}).status_code == 422
    browser.post(address, data={"answer": "A mistake of ours."})

    assert only_application().state == "withdrawn"
    assert "A mistake of ours." in mails()[-1].get_body(("plain",)).get_content()


def test_the_queue_is_searched_filtered_and_paged(app, signed_in, count_queries):
    fund, run = make_fund(10_000_000), make_priced_run()
    for number in range(52):
        make_application(fund, run, make_user(name=f"Person {number:02d}"))
    make_award(make_fund(), run, make_user(name="Rosa Mamani"))
    browser = signed_in(make_administrator())

    count_queries()
    first = browser.get("/admin/scholarships")
    asked = count_queries()
    assert "52 applications" in first.text
    assert "Person 00" in first.text
    assert "Person 51" not in first.text
    assert asked < 25
    assert "Person 51" in browser.get("/admin/scholarships?page=2").text
    assert "Rosa Mamani" in browser.get("/admin/scholarships?state=awarded").text
    assert "Rosa Mamani" in browser.get("/admin/scholarships?state=all&q=mamani").text
    assert "No application found" in browser.get("/admin/scholarships?q=nobody").text
    of_fund = browser.get(f"/admin/scholarships?state=all&fund={fund.key}").text
    assert "Rosa Mamani" not in of_fund


def fund_values(**values):
    return {
        "key": "andes", "currency": "CAD", "name_en": "Andes fund", "description_en": "For Oruro.",
        "name_es": "Fondo Andes", "donor": "Ana Giver", "percents": "50, 100",
        "opens_on": today().isoformat(), "countries": ["BO", "PE"], "tiers": ["low"],
        "least_hours": "12",
    } | values  # fmt: skip


def test_a_fund_is_made_paid_into_and_changed(app, signed_in):
    browser = signed_in(make_administrator())

    made = browser.post("/admin/scholarships/funds/new", data=fund_values())
    assert made.location == "/admin/scholarships/funds/andes"
    paid = browser.post(
        made.location,
        data={"received_on": today().isoformat(), "amount": "1,200.50", "reference": "T-1"},
    )
    assert paid.status_code == 303
    again = browser.post(
        made.location, data={"received_on": today().isoformat(), "amount": "1", "reference": "T-1"}
    )
    assert again.status_code == 422
    browser.post(f"{made.location}/change", data=fund_values(percents="30", countries=[]))

    fund = db.session.scalars(select(Fund)).one()
    assert (fund.balance_minor, fund.percents, fund.shows_donor) == (120_050, [30], False)
    assert fund.criteria_kept == {"tiers": ["low"], "least_hours": 12}
    page = browser.get(made.location).text
    assert "CAD 1,200.50" in page
    assert "Ana Giver (not shown)" in page
    assert "Andes fund" in browser.get("/admin/scholarships/funds").text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"percents": "0"}, "Write whole numbers from 1 to 100"),
        ({"percents": "50, x"}, "Write whole numbers from 1 to 100"),
        ({"key": "Big Fund"}, "Use small letters, digits and hyphens only."),
        ({"closes_on": "2020-01-01"}, "The last day comes before the first."),
        ({"name_en": ""}, "Write it in English"),
        ({"countries": ["XX"]}, "valid choice"),
    ],
)
def test_a_fund_that_cannot_be_is_refused_with_its_reason(app, signed_in, values, message):
    browser = signed_in(make_administrator())

    answer = browser.post("/admin/scholarships/funds/new", data=fund_values(**values))

    assert answer.status_code == 422
    assert message in answer.text
    assert "Fondo Andes" in answer.text
    assert not db.session.scalars(select(Fund)).all()


def test_money_that_cannot_be_is_refused(app, signed_in):
    make_fund(0, key="andes")
    browser = signed_in(make_administrator())
    tomorrow = (today() + timedelta(days=1)).isoformat()

    for values in (
        {"amount": "0"},
        {"amount": "many"},
        {"received_on": tomorrow},
        {"reference": ""},
    ):
        data = {"received_on": today().isoformat(), "amount": "5", "reference": "T"} | values
        assert browser.post("/admin/scholarships/funds/andes", data=data).status_code == 422

    assert db.session.scalars(select(Fund)).one().balance_minor == 0


def test_administration_is_closed_to_all_others(app, signed_in):
    award = make_award()
    key = award.fund.key
    browsers = [signed_in(make_user()), signed_in(make_instructor(award.run.course))]
    pages = [
        "/admin/scholarships", f"/admin/scholarships/{award.uuid}", "/admin/scholarships/funds",
        "/admin/scholarships/funds/new", f"/admin/scholarships/funds/{key}",
        f"/admin/scholarships/funds/{key}/change",
    ]  # fmt: skip

    for browser in browsers:
        for page in pages:
            assert browser.get(page).status_code == 403, page
        for page in (*pages[1:2], *pages[3:], f"{pages[1]}/take-back"):
            assert browser.post(page, data=fund_values(answer="x")).status_code == 403, page
    assert only_application().state == "awarded"


# Personal data


def test_a_person_takes_their_applications_along(app):
    ana = make_user()
    make_award(user=ana, statement=WORDS)

    [found] = personal_data["scholarships"].export(ana.id)

    assert (found["statement"], found["state"], found["percent"]) == (
        "I plan a town.",
        "awarded",
        100,
    )


def test_erasing_a_person_frees_awards_and_leaves_figures_alone(app):
    fund, ana = make_fund(), make_user()
    make_award(fund, user=ana)
    used = make_award(fund, user=ana)
    used.state, used.reserved_minor = "used", 0
    fund.reserved_minor = 12_000
    declined = make_application(fund, user=ana)
    applications.decline(declined, "No.", make_administrator())
    db.session.commit()

    personal_data["scholarships"].erase(ana.id)

    kept = only_application()
    assert (kept.id, kept.user_id, kept.statement, kept.country) == (used.id, None, "", None)
    assert fund.reserved_minor == 0
