"""Every route is open on purpose, or asks who is there."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.factories.accounts import make_user


def _rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def _is_public(app: Flask, rule: Rule) -> bool:
    return getattr(app.view_functions[rule.endpoint], "is_public", False)


def _values(rule: Rule) -> dict[str, object]:
    """A value for each argument, of the type that its converter takes."""
    samples = {
        "IntegerConverter": 987654321,
        "UUIDConverter": "9d6b9a39-61d8-4b41-8d28-2a6ec3a3c2d1",
        "FloatConverter": 1.5,
    }
    return {
        name: samples.get(type(converter).__name__, "no-such-thing")
        for name, converter in rule._converters.items()
    }


def _path(app: Flask, rule: Rule) -> str:
    adapter = app.url_map.bind("puente.test")
    return adapter.build(rule.endpoint, _values(rule), method=next(iter(rule.methods or ())))


def test_strangers_are_sent_to_sign_in(app, client):
    asked = 0
    for rule in _rules(app):
        if _is_public(app, rule) or "GET" not in (rule.methods or ()):
            continue
        path = _path(app, rule)
        answer = client.get(path)
        assert answer.status_code == 302, rule
        assert answer.location.startswith("/sign-in?next="), rule
        asked += 1
    assert asked > 10


def test_strangers_change_nothing(app, client):
    for rule in _rules(app):
        if _is_public(app, rule):
            continue
        for method in sorted({"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set())):
            answer = client.open(_path(app, rule), method=method)
            if method == "POST":
                assert (answer.status_code, answer.location) == (302, "/sign-in"), (rule, method)
            else:  # by scripts alone
                assert answer.status_code == 401, (rule, method)


def test_each_page_asks_for_a_permission(app, signed_in):
    """An answer of 2xx without `require` fails by itself, so it is enough to open the pages."""
    browser = signed_in(make_user())
    for rule in _rules(app):
        if "GET" in (rule.methods or ()) and not _is_public(app, rule):
            assert browser.get(_path(app, rule)).status_code < 500, rule


def test_administration_is_closed_to_learners(app, signed_in):
    browser = signed_in(make_user())
    for rule in _rules(app):
        if rule.rule.startswith("/admin") and "GET" in (rule.methods or ()):
            assert browser.get(_path(app, rule)).status_code in (403, 404), rule


def test_open_pages_say_so_once(app):
    """The list of what strangers may open: whoever adds to it does so on purpose."""
    opened = {rule.endpoint for rule in _rules(app) if _is_public(app, rule)}
    blueprints = {endpoint.partition(".")[0] for endpoint in opened}
    assert blueprints <= {
        "accounts", "assessments", "badge_api", "badge_connections", "certificates", "courses",
        "directory", "forums", "health", "metrics", "notifications", "payments", "pricing",
        "recognition", "recovery", "site", "test_payments", "xapi", "xapi_profile",
    }, opened  # fmt: skip
    assert not any(endpoint.startswith("administration.") for endpoint in opened)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_get_an_answer_they_can_read(client, method):
    answer = client.open("/account", method=method, headers={"Accept": "application/json"})

    assert answer.status_code == 401
    assert answer.json["error"]["status"] == 401
