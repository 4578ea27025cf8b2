"""Instructors, learners, messages, media, packages in the browser."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image
from sqlalchemy import select

from lms.core.clock import now
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.courses.models import Course, CourseMedia, CourseStaff, Enrolment, Progress
from lms.courses.packages.archive import pack
from lms.courses.services.progress import complete_activity
from tests.courses.authoring.test_writing import hidden
from tests.courses.package_tree import SVG, write_package
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment, make_run
from tests.factories.directory import make_organisation

BASE = "/teach/courses/budgets"


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "teal").save(out, "PNG")
    return out.getvalue()


PNG = _picture()


def staff_names(house) -> list[str]:
    db.session.expire_all()
    return [row.user.name for row in house.course.staff]


def test_an_instructor_of_another_organisation_is_added_by_mail(house) -> None:
    other = make_organisation()
    person = make_user(name="Bea Partner", email="bea@example.org")
    form = {"email": " BEA@example.org ", "organisation": str(other.id)}
    for _click in range(2):
        assert house.author.post(f"{BASE}/instructors", data=form).status_code == 303
    assert staff_names(house) == ["Ana Author", "Bea Partner"]
    row = house.course.staff[1]
    assert row.organisation is other
    path = f"{BASE}/instructors/{row.id}/es"
    page = house.author.get(path).text
    house.author.post(
        path,
        data={"organisation": str(other.id), "biography": "Enseña.",
              "edition": hidden(page, "edition")},
    )  # fmt: skip
    db.session.expire_all()
    assert row.biography == {"es": "Enseña."}
    assert person.id in {r.user_id for r in house.course.staff}


def test_an_unknown_address_is_told(house) -> None:
    answer = house.author.post(f"{BASE}/instructors", data={"email": "nobody@example.org"})
    assert answer.status_code == 422
    assert "Nobody has an account with this address" in answer.text
    assert 'value="nobody@example.org"' in answer.text


def test_at_least_one_instructor_remains(house) -> None:
    answer = house.author.post(f"{BASE}/instructors/{house.staff.id}/remove", follow_redirects=True)
    assert "at least one instructor" in answer.text
    assert staff_names(house) == ["Ana Author"]


def test_who_joined_later_leaves_but_does_not_remove_others(house, signed_in) -> None:
    guest = make_user(name="Guest")
    row = CourseStaff(course=house.course, user=guest)
    db.session.add(row)
    db.session.commit()
    browser = signed_in(guest)
    assert browser.post(f"{BASE}/instructors/{house.staff.id}/remove").status_code == 403
    answer = browser.post(f"{BASE}/instructors/{row.id}/remove")
    assert answer.location == "/my/courses"
    assert staff_names(house) == ["Ana Author"]


def test_who_began_the_course_removes_others(house) -> None:
    row = CourseStaff(course=house.course, user=make_user())
    db.session.add(row)
    db.session.commit()
    house.author.post(f"{BASE}/instructors/{row.id}/remove")
    assert staff_names(house) == ["Ana Author"]
    assert db.session.scalar(select(AuditEntry.act)) == "courses.remove_instructor"


# Learners


def test_the_list_shows_how_far_everybody_is(house) -> None:
    complete_activity(house.enrolment, house.welcome)
    db.session.commit()
    page = house.author.get(f"{BASE}/runs/{house.run.id}/learners").text
    assert "Lena Learner" in page
    assert "1 of 3" in page


def test_one_run_that_is_on_opens_at_once(house) -> None:
    answer = house.author.get(f"{BASE}/learners")
    assert answer.location == f"{BASE}/runs/{house.run.id}/learners"
    assert house.author.get(f"{BASE}/learners?all=1").status_code == 200


@pytest.mark.parametrize("sort", ["name", "done", "seen", "grade", "state", "nonsense"])
@pytest.mark.parametrize("order", ["", "down"])
def test_learners_are_sorted_searched_and_paged(house, sort, order) -> None:
    for number in range(3):
        user = make_user(name=f"Zoe {number}")
        enrolment = make_enrolment(house.run, user, grade=number / 10)
        if number:
            db.session.add(
                Progress(enrolment=enrolment, activity=house.welcome, completed_at=now())
            )
    db.session.commit()
    path = f"{BASE}/runs/{house.run.id}/learners?sort={sort}&order={order}&q=zoe"
    page = house.author.get(path).text
    places = [page.index(f"Zoe {number}") for number in range(3)]
    if sort in ("name", "grade"):
        assert places == sorted(places, reverse=order == "down")
    assert "Lena" not in page.split("<table")[1]


def test_the_list_needs_few_queries(house, count_queries) -> None:
    for _each in range(60):
        make_enrolment(house.run)
    path = f"{BASE}/runs/{house.run.id}/learners"
    house.author.get(path)
    count_queries()
    page = house.author.get(path)
    assert count_queries() <= 12
    assert "?page=2" in page.text


def test_a_learners_page_shows_each_activity(house) -> None:
    complete_activity(house.enrolment, house.welcome, score=0.8)
    db.session.commit()
    page = house.author.get(f"{BASE}/runs/{house.run.id}/learners/{house.enrolment.id}").text
    assert "1 of 3 done" in page
    assert "80 %" in page
    other = make_enrolment()
    path = f"{BASE}/runs/{house.run.id}/learners/{other.id}"
    assert house.author.get(path).status_code == 404


def test_a_person_is_given_a_place_in_a_paid_run(house) -> None:
    from lms.core.money import Money

    run = make_run(house.course, price=Money(10000, "CAD"))
    person = make_user(email="paul@example.org")
    path = f"{BASE}/runs/{run.id}/learners"
    assert house.author.post(path, data={"email": "paul@example.org"}).status_code == 303
    again = house.author.post(path, data={"email": "paul@example.org"})
    assert again.status_code == 409
    assert "has a place already" in again.text
    [enrolment] = db.session.scalars(select(Enrolment).where(Enrolment.run == run))
    assert (enrolment.user, enrolment.method, enrolment.state) == (
        person, "administrator", "active",
    )  # fmt: skip
    assert db.session.scalar(select(AuditEntry.act)) == "courses.enrol_person"


def test_a_full_run_takes_nobody_more(house) -> None:
    run = make_run(house.course, capacity=1)
    make_enrolment(run)
    make_user(email="paul@example.org")
    answer = house.author.post(f"{BASE}/runs/{run.id}/learners", data={"email": "paul@example.org"})
    assert answer.status_code == 409
    assert "All places are taken" in answer.text


def test_a_removed_learner_makes_room_for_who_waits(house) -> None:
    run = make_run(house.course, capacity=1)
    seated = make_enrolment(run)
    waiting = make_enrolment(run, state="waitlisted", waiting_since=now(), enrolled_at=None)
    page = house.author.get(f"{BASE}/runs/{run.id}/learners?group=waiting").text
    assert waiting.user.name in page
    for _click in range(2):
        house.author.post(f"{BASE}/runs/{run.id}/learners/{seated.id}/remove")
    db.session.expire_all()
    assert (seated.state, waiting.state) == ("withdrawn", "offered")


def test_the_table_cannot_run_in_a_spreadsheet(house) -> None:
    house.learner.name = '=HYPERLINK("http://evil.example")'
    db.session.commit()
    answer = house.author.get(f"{BASE}/runs/{house.run.id}/learners.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "'=HYPERLINK" in answer.text
    assert "lena@example.org" in answer.text


# Messages


def message(house, **changes):
    page = house.author.get(f"{BASE}/runs/{house.run.id}/message").text
    return {
        "key": hidden(page, "key"),
        "group": "all",
        "title": "A question for week 2",
        "body": "Think of *your* town.",
        "do": "send",
    } | changes


def test_a_message_goes_to_each_learner_once(house, mails) -> None:
    second = make_user(email="second@example.org", language="es")
    make_enrolment(house.run, second)
    make_enrolment(house.run, make_user(email="gone@example.org"), state="withdrawn")
    form = message(house)
    path = f"{BASE}/runs/{house.run.id}/message"

    preview = house.author.post(path, data=form | {"do": "preview"})
    assert "<em>your</em>" in preview.text
    assert mails() == []
    for _click in range(2):
        house.author.post(path, data=form)

    sent = mails()
    assert sorted(mail["To"] for mail in sent) == ["lena@example.org", "second@example.org"]
    assert {mail["Subject"] for mail in sent} == {"A question for week 2"}
    assert "Think of *your* town." in sent[0].get_body(("plain",)).get_content()
    page = house.author.get(path).text
    assert "A question for week 2" in page.split("Sent</h2>")[1]
    assert "This message was sent already." in page


def test_another_text_in_the_same_form_is_another_message(house, mails) -> None:
    path = f"{BASE}/runs/{house.run.id}/message"
    form = message(house)
    house.author.post(path, data=form)

    empty = house.author.post(path, data=form | {"body": ""})
    house.author.post(path, data=form | {"body": "And another thing."})

    assert empty.status_code == 422
    assert "Write the message." in empty.text
    assert "sent already" not in empty.text
    assert len(mails()) == 2


def test_a_message_to_nobody_says_so(house, mails) -> None:
    path = f"{BASE}/runs/{house.run.id}/message"
    answer = house.author.post(path, data=message(house, group="behind"), follow_redirects=True)

    assert "Nobody belongs to this group now, so nothing was sent." in answer.text
    assert mails() == []


def test_a_message_goes_to_those_who_need_it(house, mails) -> None:
    house.enrolment.last_seen_at = now()
    house.read.due_day = 1
    db.session.commit()
    fresh = make_user(email="fresh@example.org")
    fresh_enrolment = make_enrolment(house.run, fresh)
    complete_activity(house.enrolment, house.read)
    db.session.commit()
    path = f"{BASE}/runs/{house.run.id}/message"
    house.author.post(path, data=message(house, group="not_started"))
    house.author.post(path, data=message(house, group="behind"))
    assert [mail["To"] for mail in mails()] == ["fresh@example.org"] * 2
    assert fresh_enrolment.last_seen_at is None


def test_an_empty_message_is_not_sent(house, mails) -> None:
    path = f"{BASE}/runs/{house.run.id}/message"
    answer = house.author.post(path, data=message(house, body="  "))
    assert answer.status_code == 422
    assert "A question for week 2" in answer.text
    assert mails() == []


# Media


def upload(content: bytes, name: str) -> dict:
    return {"file": (io.BytesIO(content), name)}


def media_names() -> list[str]:
    db.session.expire_all()
    return sorted(db.session.scalars(select(CourseMedia.name)))


def test_a_picture_from_the_editor_is_named_for_the_text(house) -> None:
    answers = [
        house.author.post(f"{BASE}/upload", data=upload(PNG, "Año 1.PNG")) for _click in range(2)
    ]
    assert [answer.json for answer in answers] == [{"url": "media/ano-1.png"}] * 2
    assert media_names() == ["ano-1.png", "plan.svg"]
    assert house.author.post(f"{BASE}/upload").status_code == 422


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b'<svg xmlns="x"><script>1</script></svg>', "x.svg", "holds scripts"),
        (b"<html><script>1</script></html>", "x.png", "cannot be taken"),
        (b"MZ\x90\x00" + bytes(60), "x.pdf", "cannot be taken"),
        (PNG[:40], "x.png", "damaged"),
        (b"", "x.png", "empty"),
    ],
)
def test_a_broken_or_hostile_file_is_refused(house, content, name, says) -> None:
    answer = house.author.post(f"{BASE}/media", data=upload(content, name))
    assert answer.status_code == 422
    assert says in answer.text
    assert house.author.post(f"{BASE}/upload", data=upload(content, name)).status_code == 422
    assert media_names() == ["plan.svg"]


def test_a_file_is_replaced_under_its_name(house) -> None:
    path = f"{BASE}/media/{house.media.id}/replace"
    other = SVG.replace(b'"2"', b'"1"')
    assert house.author.post(path, data=upload(other, "other.svg")).status_code == 303
    db.session.expire_all()
    assert house.media.file.size == len(other)
    answer = house.author.post(path, data=upload(PNG, "x.png"))
    assert answer.status_code == 422
    assert "of another kind" in answer.text


def test_a_file_in_use_stays(house) -> None:
    house.welcome.text = {"en": "![Plan](media/plan.svg)"}
    db.session.commit()
    page = house.author.get(f"{BASE}/media").text
    assert "Welcome" in page.split("<table")[1]
    path = f"{BASE}/media/{house.media.id}/remove"
    assert "This file is used" in house.author.post(path, follow_redirects=True).text
    house.welcome.text = {"en": "No picture."}
    db.session.commit()
    house.author.post(path)
    assert media_names() == []


# Packages


def zipped(folder, tmp_path) -> dict:
    target = tmp_path / f"{folder.name}.zip"
    pack(folder, target)
    return {"package": (io.BytesIO(target.read_bytes()), "course.zip"), "owner": ""}


def test_a_course_goes_out_and_comes_in_again(house) -> None:
    answer = house.author.get(f"{BASE}/export")
    assert answer.content_type == "application/zip"
    content = answer.data
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = package.namelist()
    assert "course.yaml" in names
    assert "modules/01-module-1/01-welcome.es.md" in names
    answer = house.author.post(
        "/teach/import", data={"package": (io.BytesIO(content), "x.zip"), "owner": ""}
    )
    assert answer.status_code == 200, answer.text
    assert "Renewed course" in answer.text
    assert house.author.get(f"{BASE}/export").data == content
    assert house.author.get(f"{BASE}/export?format=none").status_code == 422


def test_a_new_course_comes_in_for_ones_own_organisation(house, tmp_path) -> None:
    institute = make_organisation(slug="institute")
    form = zipped(write_package(tmp_path / "p"), tmp_path)
    answer = house.author.post("/teach/import", data=form)
    assert answer.status_code == 403
    assert "You do not act for" in answer.text
    assert db.session.scalar(select(Course).where(Course.slug == "reading-a-budget")) is None
    house.staff.organisation = institute
    db.session.commit()
    answer = house.author.post(
        "/teach/import", data=zipped(write_package(tmp_path / "p"), tmp_path)
    )
    assert answer.status_code == 200
    course = db.session.scalar(select(Course).where(Course.slug == "reading-a-budget"))
    assert [row.user for row in course.staff] == [house.instructor]


def test_the_course_of_others_is_not_renewed(house, tmp_path) -> None:
    make_organisation(slug="institute")
    folder = write_package(tmp_path / "p", course={"slug": "budgets", "title": {"en": "Mine"}})
    answer = house.rival.post("/teach/import", data=zipped(folder, tmp_path))
    assert answer.status_code == 403
    assert "you do not teach it" in answer.text
    db.session.expire_all()
    assert house.course.title["en"] == "Budgets"


def test_a_faulty_package_says_where_and_changes_nothing(house, tmp_path) -> None:
    make_organisation(slug="institute")
    folder = write_package(
        tmp_path / "p",
        course={"slug": "budgets", "title": {"en": "New"}},
        media={"bad.svg": b"<svg><script>1</script></svg>"},
    )
    answer = house.admin.post("/teach/import", data=zipped(folder, tmp_path))
    assert answer.status_code == 422
    assert "media/bad.svg" in answer.text
    db.session.expire_all()
    assert house.course.title["en"] == "Budgets"
    assert len(house.course.modules) == 2


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_what_is_no_package_is_told(house, content) -> None:
    answer = house.author.post(
        "/teach/import", data={"package": (io.BytesIO(content), "x.zip"), "owner": ""}
    )
    assert answer.status_code == 422


def test_a_package_makes_no_partner_of_an_organisation_of_others(house) -> None:
    partner = make_organisation(slug="theirs", name={"en": "Their Institute"})
    house.course.partners = [partner]
    db.session.commit()
    package = house.author.get(f"{BASE}/export").data
    house.course.partners = []
    db.session.commit()

    answer = house.author.post(
        "/teach/import",
        data={"owner": "", "package": (io.BytesIO(package), "budgets.zip")},
        content_type="multipart/form-data",
    )

    assert "Their Institute did not become a partner" in answer.text
    assert house.course.partners == []
