"""Every page of authors, opened and used by people who must not."""

from __future__ import annotations

import pytest

# What is drawn and who may do what is the same on both databases.
pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

PAGES = [
    "/teach/courses/budgets",
    "/teach/courses/budgets/description/en",
    "/teach/courses/budgets/settings",
    "/teach/courses/budgets/export",
    "/teach/courses/budgets/contents",
    "/teach/courses/budgets/modules/new",
    "/teach/courses/budgets/modules/{first}/es",
    "/teach/courses/budgets/modules/{first}/remove",
    "/teach/courses/budgets/modules/{first}/activities/new",
    "/teach/courses/budgets/activities/{welcome}/es",
    "/teach/courses/budgets/activities/{welcome}/delete",
    "/teach/courses/budgets/runs",
    "/teach/courses/budgets/runs/new",
    "/teach/courses/budgets/runs/{run}",
    "/teach/courses/budgets/runs/{run}/cancel",
    "/teach/courses/budgets/runs/{run}/copy",
    "/teach/courses/budgets/instructors",
    "/teach/courses/budgets/instructors/{staff}/en",
    "/teach/courses/budgets/media",
    "/teach/courses/budgets/media/{media}/replace",
    "/teach/courses/budgets/learners",
    "/teach/courses/budgets/runs/{run}/learners",
    "/teach/courses/budgets/runs/{run}/learners.csv",
    "/teach/courses/budgets/runs/{run}/learners/{enrolment}",
    "/teach/courses/budgets/runs/{run}/learners/{enrolment}/remove",
    "/teach/courses/budgets/runs/{run}/message",
]
DEEDS = [
    "/teach/courses/budgets/description/en",
    "/teach/courses/budgets/settings",
    "/teach/courses/budgets/preview",
    "/teach/courses/budgets/publish",
    "/teach/courses/budgets/unpublish",
    "/teach/courses/budgets/contents/order",
    "/teach/courses/budgets/modules/new",
    "/teach/courses/budgets/modules/restore",
    "/teach/courses/budgets/modules/{first}/es",
    "/teach/courses/budgets/modules/{first}/order",
    "/teach/courses/budgets/modules/{first}/remove",
    "/teach/courses/budgets/modules/{first}/activities/new",
    "/teach/courses/budgets/activities/{welcome}/es",
    "/teach/courses/budgets/activities/{welcome}/keep-back",
    "/teach/courses/budgets/activities/{welcome}/show",
    "/teach/courses/budgets/activities/{welcome}/delete",
    "/teach/courses/budgets/runs/new",
    "/teach/courses/budgets/runs/{run}",
    "/teach/courses/budgets/runs/{run}/publish",
    "/teach/courses/budgets/runs/{run}/unpublish",
    "/teach/courses/budgets/runs/{run}/cancel",
    "/teach/courses/budgets/runs/{run}/copy",
    "/teach/courses/budgets/instructors",
    "/teach/courses/budgets/instructors/{staff}/en",
    "/teach/courses/budgets/instructors/{staff}/remove",
    "/teach/courses/budgets/media",
    "/teach/courses/budgets/upload",
    "/teach/courses/budgets/media/{media}/replace",
    "/teach/courses/budgets/media/{media}/remove",
    "/teach/courses/budgets/runs/{run}/learners",
    "/teach/courses/budgets/runs/{run}/learners/{enrolment}/remove",
    "/teach/courses/budgets/runs/{run}/message",
    "/teach/courses/budgets/runs/{run}/message/preview",
]
GENERAL = ["/teach/", "/teach/new", "/teach/import"]


def address(house, pattern: str) -> str:
    names = ("first", "welcome", "run", "staff", "media", "enrolment")
    return pattern.format(**{name: getattr(house, name).id for name in names})


def test_all_pages_are_listed_here(app) -> None:
    """A new page for authors is tested with the wrong people too."""
    import re

    def shape(path: str) -> str:
        path = re.sub(r"<[^>]+>|\{\w+\}", "*", path)
        return path.replace("/courses/budgets", "/courses/*")

    listed = {("GET", shape(p)) for p in [*PAGES, *GENERAL]}
    listed |= {("POST", shape(p)) for p in [*DEEDS, "/teach/new", "/teach/import"]}
    listed = {(m, re.sub(r"/(en|es)$", "/*", p)) for m, p in listed}
    there = {
        (method, shape(rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("courses.teach")
        for method in rule.methods & {"GET", "POST"}
    }
    assert there == listed


@pytest.mark.parametrize("pattern", PAGES)
def test_its_author_and_an_administrator_see_the_page(house, pattern) -> None:
    for browser in (house.author, house.admin):
        answer = browser.get(address(house, pattern))
        assert answer.status_code in (200, 302), answer.status_code


@pytest.mark.parametrize("pattern", PAGES)
def test_nobody_else_sees_the_page(house, client, pattern) -> None:
    path = address(house, pattern)
    assert house.student.get(path).status_code == 403
    assert house.rival.get(path).status_code == 403
    assert client.get(path).location.startswith("/sign-in")


@pytest.mark.parametrize("pattern", DEEDS)
def test_nobody_else_does_it(house, client, pattern) -> None:
    path = address(house, pattern)
    assert house.student.post(path).status_code == 403
    assert house.rival.post(path).status_code == 403
    assert client.post(path).location.startswith("/sign-in")


@pytest.mark.parametrize("path", GENERAL)
def test_only_authors_begin_courses(house, client, path) -> None:
    assert house.author.get(path).status_code == 200
    assert house.admin.get(path).status_code == 200
    assert house.student.get(path).status_code == 403
    assert client.get(path).location.startswith("/sign-in")


@pytest.mark.parametrize(
    "pattern",
    [
        "/modules/{first}/en",
        "/activities/{welcome}/en",
        "/runs/{run}",
        "/instructors/{staff}/en",
        "/media/{media}/replace",
        "/runs/{run}/learners",
    ],
)
def test_parts_of_one_course_do_not_open_in_another(house, pattern) -> None:
    base = f"/teach/courses/{house.other_course.slug}"
    assert house.rival.get(base + address(house, pattern)).status_code == 404


def test_the_menu_shows_the_way_to_authors_only(house) -> None:
    assert 'href="/teach/"' in house.author.get("/courses").text
    assert 'href="/teach/"' not in house.student.get("/courses").text


def test_a_language_that_the_course_does_not_have_is_not_found(house) -> None:
    assert house.author.get("/teach/courses/budgets/description/fr").status_code == 404
