"""Planning, changing, publishing, cancelling and copying runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from lms.core.clock import now
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.core.money import Money
from lms.courses.models import CourseRun, Enrolment
from lms.courses.services.runs import review_copy, shifted
from tests.courses.authoring.test_writing import hidden
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment, make_run

BASE = "/teach/courses/budgets/runs"


def run_form(**changes):
    return {
        "key": "8a3f0c8e-7e0e-4d53-9a3b-0f2c4c1f9a11",
        "starts_on": "2027-02-01",
        "ends_on": "2027-02-21",
        "time_zone": "America/La_Paz",
        "language": "es",
        "capacity": "30",
        "amount": "180.00",
        "currency": "CAD",
        "enrolment_opens": "",
        "enrolment_closes": "2027-01-28T23:59",
        "release": "by_week",
    } | changes


def planned(house) -> list[CourseRun]:
    db.session.expire_all()
    return [run for run in house.course.runs if run.id != house.run.id]


def acts() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def test_a_run_is_planned_once_however_often_one_clicks(house) -> None:
    answers = [house.author.post(f"{BASE}/new", data=run_form()) for _click in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    [run] = planned(house)
    assert (run.starts_on, run.ends_on, run.slug, run.state) == (
        date(2027, 2, 1), date(2027, 2, 21), "2027-02", "draft",
    )  # fmt: skip
    assert run.price == Money(18000, "CAD")
    assert run.enrolment_closes_at == datetime(2027, 1, 29, 3, 59, tzinfo=UTC)
    assert (run.capacity, run.language, run.release) == (30, "es", "by_week")


def test_two_runs_of_one_month_have_their_own_names(house) -> None:
    house.author.post(f"{BASE}/new", data=run_form())
    house.author.post(f"{BASE}/new", data=run_form(key="8a3f0c8e-7e0e-4d53-9a3b-0f2c4c1f9a12"))
    assert sorted(run.slug for run in planned(house)) == ["2027-02", "2027-02-2"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ends_on": "2027-03-01"}, "A course run lasts 14 to 28 days"),
        ({"ends_on": "2027-02-13"}, "A course run lasts 14 to 28 days"),
        ({"ends_on": "2027-03-01", "allow_length": "y"}, "A course run lasts 14 to 28 days"),
        ({"ends_on": "2027-01-20"}, "The last day is before the first day"),
        ({"starts_on": "2027-02-30"}, "Not a valid date"),
        ({"starts_on": "0001-01-01", "ends_on": "0001-01-21"}, "Not a valid date"),
        ({"starts_on": "9999-12-11", "ends_on": "9999-12-31"}, "Not a valid date"),
        ({"enrolment_opens": "0001-01-01T00:00"}, "Not a valid date"),
        ({"currency": "XYZ"}, "XYZ is not a currency in which runs can be priced here"),
        ({"currency": ""}, "is not a currency"),
        ({"amount": "a lot"}, "Write an amount such as"),
        ({"amount": "1e5"}, "Write an amount such as"),
        ({"amount": "-5"}, "Write an amount such as"),
        ({"amount": "1.005"}, "Write an amount such as"),
        ({"amount": "10.50", "currency": "CLP"}, "Write an amount such as"),
        ({"amount": "9" * 20}, "Write an amount such as"),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice"),
        ({"capacity": "0"}, "Number must be between 1"),
        ({"enrolment_opens": "2027-01-29T00:00"}, "Enrolment would close before it opens"),
        ({"enrolment_closes": "2027-02-22T00:00"}, "Enrolment would close after the last day"),
        ({"release": "never"}, "Not a valid choice"),
        ({"key": "x"}, "Reload the page"),
    ],
)
def test_what_cannot_be_is_told_and_what_was_typed_is_kept(house, changes, says) -> None:
    answer = house.author.post(f"{BASE}/new", data=run_form(**changes))
    assert answer.status_code == 422
    assert says in answer.text
    shown = changes.get("starts_on", "2027-02-01")
    assert f'value="{shown}"' in answer.text
    assert planned(house) == []


def test_an_administrator_allows_another_length_explicitly(house) -> None:
    form = run_form(ends_on="2027-03-01")
    assert house.admin.post(f"{BASE}/new", data=form).status_code == 422
    answer = house.admin.post(f"{BASE}/new", data=form | {"allow_length": "y"})
    assert answer.status_code == 303
    [run] = planned(house)
    assert run.days == 29
    assert run.length_allowed_by_id == house.administrator.id
    assert acts() == ["courses.allow_run_length"]
    # What is allowed can be changed by its author as long as the length stays.
    path = f"{BASE}/{run.id}"
    same = form | {"edition": hidden(house.author.get(path).text, "edition"), "capacity": "20"}
    assert house.author.post(path, data=same).status_code == 303
    longer = form | {"ends_on": "2027-03-02"}
    assert house.author.post(path, data=longer).status_code == 422


def test_amounts_are_read_as_the_author_writes_them(house) -> None:
    house.instructor.language = "es"
    db.session.commit()
    house.author.post(f"{BASE}/new", data=run_form(amount="1.234,50", currency="BOB"))
    [run] = planned(house)
    assert run.price == Money(123450, "BOB")
    assert 'value="1.234,50"' in house.author.get(f"{BASE}/{run.id}").text


def test_dates_in_the_past_are_allowed_with_a_warning(house) -> None:
    form = run_form(
        starts_on="2020-02-03", ends_on="2020-02-23", enrolment_closes="2020-02-01T00:00"
    )
    answer = house.author.post(f"{BASE}/new", data=form, follow_redirects=True)
    assert "This run is over by its dates." in answer.text


def values_of(run: CourseRun, **changes) -> dict:
    return {
        "key": str(run.uuid),
        "starts_on": run.starts_on.isoformat(),
        "ends_on": run.ends_on.isoformat(),
        "time_zone": run.time_zone,
        "language": run.language,
        "capacity": run.capacity or "",
        "amount": str(run.price.decimal),
        "currency": run.price.currency,
        "release": run.release,
    } | changes


def test_the_price_that_people_paid_does_not_change_silently(house) -> None:
    run = make_run(house.course, price=Money(10000, "CAD"))
    make_enrolment(run, method="payment")
    path = f"{BASE}/{run.id}"

    answer = house.author.post(path, data=values_of(run, amount="120"))

    assert answer.status_code == 409
    assert "People have enrolled at the present price" in answer.text
    assert 'name="confirm_price"' in answer.text
    db.session.expire_all()
    assert run.price == Money(10000, "CAD")
    answer = house.author.post(path, data=values_of(run, amount="120", confirm_price="y"))
    assert answer.status_code == 303
    db.session.expire_all()
    assert run.price == Money(12000, "CAD")
    entry = db.session.scalar(select(AuditEntry))
    assert entry.details == {"old": [10000, "CAD"], "new": [12000, "CAD"], "paid_seats": 1}


def test_fewer_places_than_are_taken_are_refused(house) -> None:
    for _each in range(3):
        make_enrolment(house.run)
    answer = house.author.post(f"{BASE}/{house.run.id}", data=values_of(house.run, capacity="2"))
    assert answer.status_code == 422
    assert "More places are taken than that" in answer.text


def test_more_places_are_offered_to_those_who_wait(house) -> None:
    run = make_run(house.course, capacity=1)
    make_enrolment(run)
    waiting = make_enrolment(run, state="waitlisted", waiting_since=now(), enrolled_at=None)
    house.author.post(f"{BASE}/{run.id}", data=values_of(run, capacity="2"))
    db.session.expire_all()
    assert waiting.state == "offered"


def test_the_slower_of_two_changes_keeps_what_was_typed(house) -> None:
    path = f"{BASE}/{house.run.id}"
    edition = hidden(house.author.get(path).text, "edition")
    house.admin.post(path, data=values_of(house.run, capacity="40"))
    answer = house.author.post(path, data=values_of(house.run, capacity="25", edition=edition))
    assert answer.status_code == 409
    assert 'value="25"' in answer.text
    db.session.expire_all()
    assert house.run.capacity == 40


def test_a_run_is_published_after_its_course(house) -> None:
    house.course.state = "draft"
    run = make_run(house.course, state="draft")
    answer = house.author.post(f"{BASE}/{run.id}/publish", follow_redirects=True)
    assert "Publish the course first" in answer.text
    house.course.state = "published"
    db.session.commit()
    for _click in range(2):
        house.author.post(f"{BASE}/{run.id}/publish")
    db.session.expire_all()
    assert run.state == "published"
    assert acts() == ["courses.publish_run"]
    house.author.post(f"{BASE}/{run.id}/unpublish")
    db.session.expire_all()
    assert run.state == "draft"


def test_a_run_with_people_is_cancelled_not_hidden(house) -> None:
    path = f"{BASE}/{house.run.id}"
    answer = house.author.post(f"{path}/unpublish", follow_redirects=True)
    assert "People have places in this run" in answer.text
    page = house.author.get(f"{path}/cancel").text
    assert "1 person has a place" in page
    for _click in range(2):
        assert house.author.post(f"{path}/cancel", data={"sure": "yes"}).status_code == 303
    db.session.expire_all()
    assert house.run.state == "cancelled"
    assert acts() == ["courses.cancel_run"]


def test_a_copy_shows_all_dates_before_it_is_made(house) -> None:
    house.run.release = "by_week"
    house.run.enrolment_closes_at = now()
    db.session.commit()
    path = f"{BASE}/{house.run.id}/copy"
    page = house.author.get(path).text
    form = {"key": hidden(page, "key"), "starts_on": "2027-06-07", "do": "review"}
    review = house.author.post(path, data=form)
    assert review.status_code == 200
    for text in ("The run begins", "The run ends", "Enrolment closes", "Second opens",
                 "Read is due", "7 Jun 2027", "Jun 7, 2027"):  # fmt: skip
        if "Jun" not in text:
            assert text in review.text
    assert planned(house) == []
    for _click in range(2):
        answer = house.author.post(path, data=form | {"do": "copy"})
        assert answer.status_code == 303
    [copy] = planned(house)
    assert (copy.starts_on, copy.days, copy.state) == (date(2027, 6, 7), house.run.days, "draft")
    assert copy.price == house.run.price
    assert db.session.scalar(select(Enrolment).where(Enrolment.run == copy)) is None


def test_hours_stay_the_same_across_summer_time(house) -> None:
    run = make_run(
        house.course,
        starts_on=date(2027, 2, 1),
        ends_on=date(2027, 2, 21),
        time_zone="America/Toronto",
        enrolment_closes_at=datetime(2027, 1, 29, 22, 0, tzinfo=UTC),  # 17:00 in Toronto
    )
    plan = shifted(run, date(2027, 6, 7))
    assert plan.ends_on == date(2027, 6, 27)
    assert plan.enrolment_closes_at == datetime(2027, 6, 4, 21, 0, tzinfo=UTC)  # 17:00 again
    dates = {(d.kind, d.subject): d for d in review_copy(run, plan)}
    due = dates["due", house.read]
    assert due.old == datetime(2027, 2, 8, 4, 59, 59, tzinfo=UTC)
    assert due.new == datetime(2027, 6, 14, 3, 59, 59, tzinfo=UTC)


def test_a_copy_of_an_allowed_length_needs_the_allowance_again(house) -> None:
    run = make_run(
        house.course,
        ends_on=now().date() + timedelta(days=40),
        length_allowed_by_id=house.administrator.id,
    )
    path = f"{BASE}/{run.id}/copy"
    form = {"starts_on": "2027-06-07", "do": "copy", "allow_length": "y",
            "key": "8a3f0c8e-7e0e-4d53-9a3b-0f2c4c1f9a13"}  # fmt: skip
    assert house.author.post(path, data=form).status_code == 422
    assert house.admin.post(path, data=form).status_code == 303


def test_lists_of_runs_need_few_queries(house, count_queries) -> None:
    for _each in range(12):
        make_enrolment(make_run(house.course), make_user())
    house.author.get(BASE)
    count_queries()
    assert house.author.get(BASE).status_code == 200
    assert count_queries() <= 12
