"""Descriptions, facts, modules, activities."""

from __future__ import annotations

import re
import uuid

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.courses.models import Activity, Course, Module, Progress
from lms.directory.models import OrganisationRole
from tests.courses.authoring.test_access import address
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_course, make_module
from tests.factories.directory import make_organisation

BASE = "/teach/courses/budgets"


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, name
    return found[1].replace("&#34;", '"').replace("&quot;", '"')


def description(**changes):
    return {
        "title": "Budgets",
        "summary": "A summary.",
        "description": "About it.",
        "audience": "",
        "requirements": "",
        "outcomes-0-rest": '{"en": "Map actors", "es": "Mapear actores"}',
        "outcomes-0-text": "Map actors",
    } | changes


def test_a_manager_begins_a_course_with_few_fields(app, signed_in) -> None:
    organisation = make_organisation()
    manager = make_user()
    db.session.add(OrganisationRole(organisation=organisation, user=manager, role="manager"))
    db.session.commit()
    browser = signed_in(manager)
    page = browser.get("/teach/new").text
    form = {
        "key": hidden(page, "key"),
        "title": "Agua y bosques",
        "language": "es",
        "owner": str(organisation.id),
        "topic": "",
        "weeks": "4",
        "hours": "16",
    }

    answers = [browser.post("/teach/new", data=form) for _click in range(2)]

    assert {answer.location for answer in answers} == {
        "/teach/courses/agua-y-bosques/description/es"
    }
    course = db.session.scalar(select(Course))
    assert (course.title, course.languages, course.state) == (
        {"es": "Agua y bosques"}, ["es"], "draft",
    )  # fmt: skip
    assert [row.user for row in course.staff] == [manager]


def test_one_begins_courses_only_for_ones_own_organisations(house) -> None:
    other = make_organisation()
    answer = house.author.post(
        "/teach/new",
        data={"key": str(uuid.uuid4()), "title": "X", "language": "en", "owner": str(other.id),
              "weeks": "2", "hours": "2"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert db.session.scalar(select(Course).where(Course.slug == "x")) is None


def test_one_language_is_written_and_the_others_stay(house) -> None:
    page = house.author.get(f"{BASE}/description/es").text
    assert 'lang="en">A summary.' in page  # to translate from
    answer = house.author.post(
        f"{BASE}/description/es",
        data=description(
            title="Leer un presupuesto",
            summary="",
            edition=hidden(page, "edition"),
            **{"outcomes-0-text": "Mapear a los actores"},
        ),
    )
    assert answer.status_code == 303
    assert house.course.title == {"en": "Budgets", "es": "Leer un presupuesto"}
    assert house.course.summary == {"en": "A summary."}
    assert house.course.outcomes == [{"en": "Map actors", "es": "Mapear a los actores"}]
    assert "leer un presupuesto" in house.course.search_text
    page = house.author.get(f"{BASE}/description/es").text
    assert "Not translated yet" in page
    assert "Español (1 to translate)" in page


def test_rows_come_and_go_without_script_and_nothing_is_saved(house) -> None:
    answer = house.author.post(
        f"{BASE}/description/en",
        data=description(title="Typed and kept", do="add-outcome"),
    )
    assert answer.status_code == 200
    assert 'name="outcomes-1-text"' in answer.text
    assert 'value="Typed and kept"' in answer.text
    two = description(**{"outcomes-1-rest": "{}", "outcomes-1-text": "Read plans"})
    answer = house.author.post(f"{BASE}/description/en", data=two | {"do": "up-outcome-1"})
    assert answer.text.index("Read plans") < answer.text.index("Map actors")
    answer = house.author.post(f"{BASE}/description/en", data=two | {"do": "remove-outcome-0"})
    assert "outcomes-1-text" not in answer.text
    answer = house.author.post(f"{BASE}/description/en", data=description(do="add-faq"))
    assert 'name="faq-0-question"' in answer.text
    assert house.course.title["en"] == "Budgets"
    assert len(house.course.outcomes) == 1


def test_an_emptied_row_goes_and_a_new_one_stays(house) -> None:
    house.author.post(
        f"{BASE}/description/en",
        data=description(
            **{
                "outcomes-0-rest": '{"en": "Map actors"}',
                "outcomes-0-text": "",
                "outcomes-1-rest": "not json",
                "outcomes-1-text": "Read plans",
                "faq-0-question_rest": "{}",
                "faq-0-answer_rest": "{}",
                "faq-0-question": "Free?",
                "faq-0-answer": "Yes.",
            }
        ),
    )
    assert house.course.outcomes == [{"en": "Read plans"}]
    assert house.course.faq == [{"question": {"en": "Free?"}, "answer": {"en": "Yes."}}]


def test_the_slower_of_two_authors_keeps_what_was_typed(house) -> None:
    page = house.author.get(f"{BASE}/description/en").text
    edition = hidden(page, "edition")
    house.admin.post(f"{BASE}/description/en", data=description(title="By the other"))

    answer = house.author.post(
        f"{BASE}/description/en", data=description(title="By me", edition=edition)
    )

    assert answer.status_code == 409
    assert 'value="By me"' in answer.text
    assert "Somebody changed this" in answer.text
    assert house.course.title["en"] == "By the other"
    again = house.author.post(
        f"{BASE}/description/en",
        data=description(title="By me", edition=hidden(answer.text, "edition")),
    )
    assert again.status_code == 303
    assert house.course.title["en"] == "By me"


def test_facts_are_changed_and_a_new_owner_is_noted(house) -> None:
    owner = make_organisation(slug="new-owner")
    db.session.add(OrganisationRole(organisation=owner, user=house.instructor, role="manager"))
    db.session.commit()
    page = house.author.get(f"{BASE}/settings").text
    answer = house.author.post(
        f"{BASE}/settings",
        data={
            "edition": hidden(page, "edition"),
            "topic": str(house.course.topic_id),
            "level": "advanced",
            "weeks": "4",
            "hours": "7.5",
            "first_language": "es",
            "languages": ["en", "fr"],
            "owner": str(owner.id),
            "minimum_grade": "70",
            "certificate_months": "36",
            "license": "CC-BY-4.0",
            "signatories-0-name": "Rosa Quispe",
            "signatories-0-role_en": "Coordinator",
            "signatories-0-organisation": "",
        },
    )
    assert answer.status_code == 303
    course = house.course
    assert (course.level, course.weeks, course.hours, course.minimum_grade) == (
        "advanced", 4, 7.5, 0.7,
    )  # fmt: skip
    assert course.certificate_months == 36
    assert course.languages == ["es", "en", "fr"]
    assert course.owner is owner
    assert course.signatories == [{"name": "Rosa Quispe", "role": {"en": "Coordinator"}}]
    assert db.session.scalar(select(AuditEntry.act)) == "courses.change_owner"


def test_signatories_are_added_as_rows(house) -> None:
    answer = house.author.post(f"{BASE}/settings", data={"do": "add-signatory", "weeks": "3"})
    assert answer.status_code == 200
    assert 'name="signatories-0-role_es"' in answer.text


@pytest.mark.parametrize(("field", "value"), [("weeks", "0"), ("hours", "many"), ("level", "x")])
def test_wrong_facts_are_told_and_nothing_is_saved(house, field, value) -> None:
    data = {"level": "advanced", "weeks": "4", "hours": "7", "first_language": "en",
            "owner": str(house.course.owner_id)}  # fmt: skip
    answer = house.author.post(f"{BASE}/settings", data=data | {field: value})
    assert answer.status_code == 422
    assert house.course.weeks == 3


def test_publication_waits_for_what_is_missing(house) -> None:
    house.course.state = "draft"
    house.course.outcomes = []
    db.session.commit()
    answer = house.author.post(f"{BASE}/publish", follow_redirects=True)
    assert "No learning outcome is named." in answer.text
    assert house.course.state == "draft"
    house.course.outcomes = [{"en": "Map", "es": "Mapear"}]
    db.session.commit()
    for _click in range(2):
        house.author.post(f"{BASE}/publish")
    assert house.course.is_published
    acts = list(db.session.scalars(select(AuditEntry.act)))
    assert acts == ["courses.publish"]
    house.author.post(f"{BASE}/unpublish")
    assert house.course.state == "draft"


def test_the_checklist_names_what_is_not_translated(house) -> None:
    house.welcome.text = {"en": "Only English."}
    db.session.commit()
    page = house.author.get(f"{BASE}/settings").text
    assert "Welcome is not translated (es)." in page


def test_markdown_is_previewed_as_it_will_be_shown(house) -> None:
    answer = house.author.post(
        f"{BASE}/preview", data={"text": "## A\n\n<script>x</script> ![P](media/plan.svg)"}
    )
    assert "<h2>A</h2>" in answer.text
    assert "<script>" not in answer.text
    assert 'src="/courses/budgets/media/plan.svg"' in answer.text


def titles(course: Course) -> list[str]:
    db.session.expire_all()
    return [module.title["en"] for module in course.modules]


def test_modules_are_added_ordered_and_changed(house) -> None:
    form = {"title": "Third", "summary": "", "release_day": ""}
    for _click in range(2):
        assert house.author.post(f"{BASE}/modules/new", data=form).status_code == 303
    assert titles(house.course) == ["First", "Second", "Third"]
    third = house.course.modules[2]
    house.author.post(f"{BASE}/contents/order", data={"item": third.id, "direction": "up"})
    assert titles(house.course) == ["First", "Third", "Second"]
    order = f"{house.second.id},{third.id},{house.first.id}"
    assert house.author.post(f"{BASE}/contents/order", data={"order": order}).status_code == 204
    assert titles(house.course) == ["Second", "Third", "First"]
    house.author.post(
        f"{BASE}/modules/{third.id}/es", data={"title": "Tercero", "release_day": "9"}
    )
    db.session.expire_all()
    assert (third.title, third.release_day) == ({"en": "Third", "es": "Tercero"}, 9)


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"order": "888,999"}, 409),
        ({"order": "x"}, 422),
        ({"order": ""}, 409),
        ({"item": "1"}, 422),
        ({"item": "999999", "direction": "up"}, 409),
        ({"item": "1", "direction": "sideways"}, 422),
    ],
)
def test_an_order_that_does_not_fit_is_refused(house, form, status) -> None:
    assert house.author.post(f"{BASE}/contents/order", data=form).status_code == status
    assert titles(house.course) == ["First", "Second"]


def test_a_removed_module_can_be_brought_back_with_its_activities(house) -> None:
    page = house.author.get(f"{BASE}/modules/{house.first.id}/remove").text
    assert "choose where they go" in page
    answer = house.author.post(
        f"{BASE}/modules/{house.first.id}/remove", data={"to": str(house.second.id)}
    )
    assert titles(house.course) == ["Second"]
    assert [a.slug for a in house.second.activities] == ["late", "welcome", "read"]
    page = house.author.get(answer.location).text
    assert "First is removed." in page
    token = hidden(page, "token")
    for _click in range(2):
        house.author.post(f"{BASE}/modules/restore", data={"token": token})
    assert titles(house.course) == ["First", "Second"]
    assert [a.slug for a in house.course.modules[0].activities] == ["welcome", "read"]
    assert house.author.post(f"{BASE}/modules/restore", data={"token": "x"}).status_code == 422


def test_a_module_with_activities_needs_a_place_for_them(house) -> None:
    answer = house.author.post(f"{BASE}/modules/{house.first.id}/remove", data={"to": ""})
    assert answer.status_code == 422
    other = make_module(house.other_course)
    answer = house.author.post(
        f"{BASE}/modules/{house.first.id}/remove", data={"to": str(other.id)}
    )
    assert answer.status_code == 422
    assert titles(house.course) == ["First", "Second"]


def test_an_activity_begins_kept_back_and_is_then_shown(house) -> None:
    path = f"{BASE}/modules/{house.first.id}/activities/new"
    page = house.author.get(path).text
    form = {"key": hidden(page, "key"), "kind": "page", "title": "Three facts"}
    answers = [house.author.post(path, data=form) for _click in range(2)]
    assert len({answer.location for answer in answers}) == 1
    db.session.expire_all()
    activity = house.first.activities[-1]
    assert (activity.slug, activity.is_published) == ("three-facts", False)
    assert house.author.post(path, data=form | {"kind": "hologram"}).status_code == 422
    page = house.author.get(answers[0].location).text
    answer = house.author.post(
        answers[0].location,
        data={
            "edition": hidden(page, "edition"),
            "title": "Three facts",
            "text": "Write *three*.\r\n",
            "module": str(house.second.id),
            "is_required": "y",
            "completion": "marked_done",
            "minutes": "20",
            "due_day": "7",
            "show": "yes",
        },
    )
    assert answer.status_code == 303
    db.session.expire_all()
    assert activity.text == {"en": "Write *three*."}
    assert (activity.module, activity.position) == (house.second, 2)
    assert (activity.minutes, activity.due_day, activity.is_published) == (20, 7, True)


def activity_form(house, **changes):
    return {
        "title": "Welcome",
        "text": "Text",
        "module": str(house.first.id),
        "is_required": "y",
        "completion": "viewed",
    } | changes


@pytest.mark.parametrize(
    ("field", "value"),
    [("completion", "danced"), ("minutes", "-1"), ("due_day", "0"), ("module", "999999")],
)
def test_a_wrong_activity_is_told_and_what_was_typed_is_kept(house, field, value) -> None:
    path = address(house, BASE + "/activities/{welcome}/en")
    answer = house.author.post(path, data=activity_form(house, text="Typed", **{field: value}))
    assert answer.status_code == 422
    assert ">\nTyped" in answer.text or ">Typed" in answer.text or "Typed</textarea>" in answer.text
    assert house.welcome.text["en"] == "Some *text*."


def test_settings_of_the_kind_are_checked_by_the_kind(house) -> None:
    film = make_activity(house.first, kind="video", settings={"source": "media/plan.svg"})
    path = f"{BASE}/activities/{film.id}/en"
    assert 'name="settings-source"' in house.author.get(path).text
    form = activity_form(house, **{"settings-source": "javascript:alert(1)"})
    assert house.author.post(path, data=form).status_code == 422
    form["settings-source"] = "media/film.webm"
    assert house.author.post(path, data=form).status_code == 303
    db.session.expire_all()
    assert film.settings == {"source": "media/film.webm"}


def test_two_authors_of_one_activity_do_not_overwrite_each_other(house) -> None:
    path = address(house, BASE + "/activities/{welcome}/en")
    edition = hidden(house.author.get(path).text, "edition")
    house.admin.post(path, data=activity_form(house, text="By the other"))
    answer = house.author.post(path, data=activity_form(house, text="By me", edition=edition))
    assert answer.status_code == 409
    assert "By me" in answer.text
    db.session.expire_all()
    assert house.welcome.text["en"] == "By the other"


def test_a_removed_activity_is_kept_back_and_put_back(house) -> None:
    house.author.post(address(house, BASE + "/activities/{welcome}/keep-back"))
    db.session.expire_all()
    assert not house.welcome.is_published
    page = house.author.get(f"{BASE}/contents").text
    assert "Welcome" in page.split('id="kept-back"')[1]
    house.author.post(address(house, BASE + "/activities/{welcome}/show"))
    db.session.expire_all()
    assert house.welcome.is_published


def test_only_what_nobody_studied_is_deleted_for_good(house) -> None:
    db.session.add(Progress(enrolment=house.enrolment, activity=house.welcome))
    db.session.commit()
    for activity in (house.welcome, house.read):
        house.author.post(f"{BASE}/activities/{activity.id}/keep-back")
        house.author.post(f"{BASE}/activities/{activity.id}/delete")
    left = set(db.session.scalars(select(Activity.slug)))
    assert left == {"welcome", "late"}


def test_a_learner_who_waited_only_for_a_removed_activity_is_done(house, run_jobs) -> None:
    from lms.courses.services.progress import complete_activity

    for activity in (house.welcome, house.read):
        complete_activity(house.enrolment, activity)
    db.session.commit()
    house.author.post(f"{BASE}/activities/{house.late.id}/keep-back")
    run_jobs()
    assert house.enrolment.state == "completed"


def test_the_order_of_activities_leaves_kept_back_ones_at_the_end(house) -> None:
    kept = make_activity(house.first, is_published=False)
    path = f"{BASE}/modules/{house.first.id}/order"
    order = f"{house.read.id},{house.welcome.id}"
    assert house.author.post(path, data={"order": order}).status_code == 204
    db.session.expire_all()
    assert house.first.activities == [house.read, house.welcome, kept]
    house.author.post(path, data={"item": house.welcome.id, "direction": "up"})
    db.session.expire_all()
    assert house.first.activities == [house.welcome, house.read, kept]


def test_pages_need_few_queries_however_long_the_course(house, count_queries) -> None:
    for number in range(6):
        module = make_module(house.course)
        for _each in range(5):
            make_activity(module, title={"en": f"A{number}"})
    for _each in range(30):
        course = make_course()
        course.staff.append(type(house.staff)(user=house.instructor))
    db.session.commit()
    house.author.get("/teach/")
    for path in ("/teach/", f"{BASE}/contents", f"{BASE}/settings", f"{BASE}/description/en"):
        count_queries()
        assert house.author.get(path).status_code == 200
        assert count_queries() <= 14, path
    assert db.session.scalar(select(Module).where(Module.course == house.course)) is not None


def facts(house, **changes):
    page = house.author.get(f"{BASE}/settings").text
    return {
        "edition": hidden(page, "edition"),
        "topic": str(house.course.topic_id or ""),
        "level": "introductory",
        "weeks": "3",
        "hours": "6",
        "first_language": "en",
        "languages": ["en"],
        "owner": str(house.course.owner_id),
    } | changes


def test_a_partner_is_added_by_its_own_manager_or_an_administrator(house, signed_in) -> None:
    theirs = make_organisation(slug="theirs", name={"en": "Their Institute"})
    managed = make_organisation(slug="managed")
    db.session.add(OrganisationRole(organisation=managed, user=house.instructor, role="manager"))
    db.session.commit()
    path = f"{BASE}/settings"
    assert "Their Institute" not in house.author.get(path).text

    assert house.author.post(path, data=facts(house, partners=[theirs.id])).status_code == 422
    assert house.course.partners == []
    assert house.author.post(path, data=facts(house, partners=[managed.id])).status_code == 303
    assert house.course.partners == [managed]
    both = facts(house, partners=[theirs.id, managed.id])
    assert signed_in(house.administrator).post(path, data=both).status_code == 303
    assert house.author.post(path, data=facts(house, partners=[theirs.id])).status_code == 303

    assert house.course.partners == [theirs]  # who is partner may stay, or go
    acts = db.session.scalars(select(AuditEntry.act)).all()
    assert acts.count("courses.change_partners") == 3
