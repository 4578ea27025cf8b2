from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from datetime import timedelta

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseCredit
from lms.courses.services.search import refresh_search_text
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
    make_topic,
)
from tests.factories.directory import make_association, make_organisation


def searchable(course):
    refresh_search_text(course)
    db.session.commit()
    return course


def titles(response):
    return re.findall(r'course-card-link"[^>]*>([^<]+)<', response.text)


def test_the_front_page_shows_the_next_courses_first(client):
    later, sooner, _undated = (make_course(title={"en": t}) for t in ("Later", "Sooner", "Undated"))
    today = clock.now().date()
    make_run(later, starts_on=today + timedelta(days=30))
    make_run(sooner, starts_on=today + timedelta(days=10))
    make_course(title={"en": "Hidden"}, state="draft")

    page = client.get("/")

    assert page.status_code == 200
    assert titles(page) == ["Sooner", "Later", "Undated"]
    assert "No dates yet" in page.text


def test_search_finds_every_language_without_accents_and_titles_first(client):
    in_text = searchable(make_course(title={"en": "Water"}, summary={"es": "Gestión común"}))
    make_activity(make_module(in_text), title={"fr": "Révision"})
    searchable(in_text)
    searchable(make_course(title={"en": "Zoning", "es": "Gestión de suelos"}))
    searchable(make_course(title={"en": "Other"}))

    assert titles(client.get("/courses?q=GESTION")) == ["Zoning", "Water"]
    assert titles(client.get("/courses?q=revision+gestión")) == ["Water"]
    assert titles(client.get("/courses?q=gestion+other")) == []
    assert "No course matches" in client.get("/courses?q=nothing").text


def test_an_organisation_is_found_by_name(client):
    owner = make_organisation(name={"en": "Institute of Oruro"})
    searchable(make_course(title={"en": "Mining"}, owner=owner))

    assert titles(client.get("/courses?q=oruro")) == ["Mining"]


def test_filters_narrow_by_topic_month_language_price_length_and_credit(client):
    start = (clock.now().date().replace(day=1) + timedelta(days=40)).replace(day=3)
    topic = make_topic(slug="water")
    cheap = make_course(title={"en": "Cheap"}, topic=topic, languages=["fr"], weeks=2)
    make_run(cheap, starts_on=start, price=Money(5000, "CAD"))
    dear = make_course(title={"en": "Dear"}, weeks=4)
    make_run(dear, starts_on=start + timedelta(days=60), price=Money(50000, "CAD"))
    free = make_course(title={"en": "Free"})
    make_run(free, starts_on=start)
    db.session.add(CourseCredit(course=dear, organisation=make_association(), hours=12))
    db.session.commit()

    def found(query):
        return sorted(titles(client.get(f"/courses?{query}")))

    assert found("topic=water") == ["Cheap"]
    assert found(f"month={start:%Y-%m}") == ["Cheap", "Free"]
    assert found("language=fr") == ["Cheap"]
    assert found("price=free") == ["Free"]
    assert found("price=paid") == ["Cheap", "Dear"]
    assert found("up_to=60&currency=CAD") == ["Cheap", "Free"]
    assert found("up_to=60&currency=USD") == ["Free"]
    assert found("weeks=4") == ["Dear"]
    assert found("credit=yes") == ["Dear"]
    assert "12 CPD hours" in client.get("/courses?credit=yes").text


def test_nonsense_in_filters_narrows_nothing(client):
    make_course(title={"en": "Only"})

    for query in (
        "month=2027-99",
        "month=x",
        "weeks=-1",
        "up_to=abc&currency=CAD",
        "page=0",
        "page=999999999999",
        "price=%27",
        "language=%25",
        "up_to=1&currency=XXX",
        "month=0000-01",
        "weeks=99999999999999",
    ):
        assert titles(client.get(f"/courses?{query}")) == ["Only"], query


def test_cards_say_how_open_a_run_is(client):
    soon = clock.now().date() + timedelta(days=3)
    far = clock.now().date() + timedelta(days=20)
    full = make_run(make_course(slug="a-full"), capacity=1, starts_on=far)
    make_enrolment(full)
    make_run(make_course(slug="b-few"), capacity=2, starts_on=far)
    make_run(make_course(slug="c-soon"), starts_on=soon)
    make_run(
        make_course(slug="d-later"),
        starts_on=far,
        enrolment_opens_at=clock.now() + timedelta(days=2),
    )

    text = client.get("/courses").text

    for words in ("Full, waiting list", "Few places left", "Starts soon", "Enrolment opens"):
        assert words in text


def test_the_catalogue_asks_the_database_at_most_twelve_times(client, count_queries):
    association = make_association()
    for number in range(60):
        course = make_course()
        make_run(course, capacity=10)
        if number % 2:
            db.session.add(CourseCredit(course=course, organisation=association, hours=8))
    db.session.commit()
    count_queries()

    page = client.get("/courses?page=2")

    assert count_queries() <= 12
    assert len(titles(page)) == 12


def test_the_course_page_tells_all_and_offers_the_way_in(client):
    course = make_course(
        slug="planning",
        description={"en": "See ![map](media/map.png)."},
        audience={"en": "Planners"},
        faq=[{"question": {"en": "Hard?"}, "answer": {"en": "No."}}],
    )
    make_activity(make_module(course), title={"en": "Mapping actors"}, minutes=25)
    make_instructor(course, name="Rosa Quispe")
    run = make_run(course)

    page = client.get("/courses/planning")

    assert page.status_code == 200
    for words in ("Map actors", "Mapping actors", "25 min", "Rosa Quispe", "Planners", "Hard?"):
        assert words in page.text
    assert f"/runs/{run.id}/enrol" in page.text
    assert 'src="/courses/planning/media/map.png"' in page.text


def test_the_course_page_carries_structured_data(client):
    course = make_course(slug="planning", title={"en": "Plan </script><b>"})
    make_run(course, price=Money(18000, "CAD"))

    text = client.get("/courses/planning").text
    [raw] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    data = json.loads(raw)

    assert data["@type"] == "Course"
    assert data["name"] == "Plan </script><b>"
    [instance] = data["hasCourseInstance"]
    assert instance["offers"]["price"] == "180.00"
    assert instance["offers"]["priceCurrency"] == "CAD"
    assert 'hreflang="es"' in text
    assert "http://puente.test/courses/planning/share.png" in text


def test_the_course_page_asks_the_database_at_most_thirteen_times(signed_in, count_queries):
    course = make_course(slug="planning")
    for _number in range(3):
        module = make_module(course)
        for _activity in range(4):
            make_activity(module)
        make_run(course, capacity=5)
    enrolment = make_enrolment(course.runs[0])
    browser = signed_in(enrolment.user)
    count_queries()

    browser.get("/courses/planning")

    assert count_queries() <= 13


def test_a_draft_is_not_there_for_the_public(client, signed_in):
    course = make_course(slug="secret", state="draft")
    teacher = make_instructor(course)

    assert client.get("/courses/secret").status_code == 404
    assert client.get("/courses/secret/share.png").status_code == 404
    assert "secret" not in client.get("/sitemap.xml").text
    assert signed_in(teacher).get("/courses/secret").status_code == 200


def test_a_reader_of_another_language_is_told(client):
    make_course(slug="planning", languages=["en", "es"])

    page = client.get("/courses/planning?lang=pt")

    assert "English · Español" in page.text
    assert 'lang="en">Course' in page.text


def test_the_share_picture_is_a_png_and_is_not_drawn_twice(client):
    course = make_course(
        slug="planning", title={"en": "Gestión comunitaria del agua y de los bosques " * 3}
    )

    first = client.get("/courses/planning/share.png")
    again = client.get(
        "/courses/planning/share.png", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.content_type == "image/png"
    assert first.data[:8] == b"\x89PNG\r\n\x1a\n"
    assert again.status_code == 304
    assert course.slug == "planning"


def test_the_sitemap_lists_published_courses_with_their_languages(client):
    make_course(slug="planning")

    root = ElementTree.fromstring(client.get("/sitemap.xml").text)

    places = [e.text for e in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert "http://puente.test/courses/planning" in places
