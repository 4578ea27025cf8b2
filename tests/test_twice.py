"""A double click on every button: each form of the site, sent twice by the same page.

Walks the demo as each role, sends every kind of form twice without script and looks at all tables:
the second time adds nothing and takes nothing away. What a form made is kept and walked further.
"""

from __future__ import annotations

import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from PIL import Image
from sqlalchemy import func, literal, select, union_all
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect
from werkzeug.test import TestResponse

from lms.accounts.models import User
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, transaction, write_intent
from lms.core.limits import limiter
from lms.demo.load import load_demo
from tests.conftest import Browser
from tests.postgres import own_database

pytestmark = pytest.mark.needs("assessments", "certificates", "forums", "payments")

STARTS = {
    "learner": ["/my/courses", "/account", "/courses"],
    "stranger": ["/", "/register", "/forgotten-password"],
    "instructor": ["/teach/", "/teach/new"],
    "admin": ["/admin/", "/admin/learning-records/", "/courses"],
}
# So many addresses of one endpoint are opened; others need one.
PAGES = {
    "courses.study": 14, "courses.teach_activity": 6, "payments.admin_order": 3,
    "courses.course_page": 3, "payments.checkout": 2, "forums.show_discussion": 2,
}  # fmt: skip
# What these forms did is taken back after they were sent twice: the walk goes on in the same place.
TAKEN_BACK = re.compile(
    r"close|delete|remove|cancel|leav|sign_out|password|deactivate|revoke|refund|unpublish"
)
# What is typed into a required field of this name; all others get some words.
TYPED = {
    "prompt-en": "Is it so?", "name_en": "An organisation", "percent": "50",
    "starts_on": "2030-03-04", "ends_on": "2030-03-24",
    "website": "https://example.org", "endpoint": "https://lrs.example.org/xapi/",
    "old_password": "puente-demo", "email_password": "puente-demo", "close_password": "puente-demo",
}  # fmt: skip
EMAILS = {"courses.teach_people": "admin@example.org"}
SOMEBODY = "association@example.org"  # has an account
NOBODY = "new.person@example.org"
NEW_ADDRESS = {"accounts.register", "accounts.request_new_email"}
# Done by the second click, too, and why that is well.
AGAIN = {
    "xapi_browser.export": {"audit_entries"},  # a download each
    "xapi_admin.test_endpoint": {"audit_entries"},  # a test each
    "xapi_admin.rotate_key": {"audit_entries"},  # the secret that is seen is the one that counts
}
# Led elsewhere by the second click: the first one ended the sign-in that it came with.
ELSEWHERE = {"accounts.change_password", "accounts.close"}
# Forms that need no word: they say how it shall be. Stripe's own page minds its clicks itself.
WITHOUT_WORD = {"site.set_language", "accounts.sign_out"}
WORDS = "Some words"


@dataclass(frozen=True)
class Form:
    """A form of a page, with one of its buttons."""

    endpoint: str
    button: tuple[str, str] | None
    address: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...]

    @property
    def kind(self) -> tuple[str, str]:
        name, value = self.button or ("", "")
        return self.endpoint, name + re.sub(r"\d+", "#", value)

    def send(self, browser: FlaskClient) -> TestResponse:
        data: MultiDict[str, Any] = MultiDict(self.fields)
        if self.button:
            data.add(*self.button)
        for name in self.files:
            data.add(name, (io.BytesIO(picture()), "picture.png"))
        return browser.post(self.address, data=data)


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(drawn, "PNG")
    return drawn.getvalue()


def endpoint_of(routes: MapAdapter, address: str, method: str) -> str:
    """The endpoint that answers there; nothing when none does."""
    try:
        return str(routes.match(urlsplit(address).path, method=method)[0])
    except RequestRedirect as redirect:
        return endpoint_of(routes, redirect.new_url, method)
    except HTTPException:
        return ""


def forms_of(routes: MapAdapter, address: str, page: Any) -> Iterator[Form]:
    for form in page.xpath("//form[@method='post']"):
        buttons = form.xpath(".//button[not(@type) or @type='submit']")
        for button in buttons:
            action = urljoin(address, button.get("formaction") or form.get("action") or address)
            endpoint = endpoint_of(routes, action, "POST")
            pressed = (
                (button.get("name"), button.get("value") or "") if button.get("name") else None
            )
            if endpoint in WITHOUT_WORD or endpoint.startswith("test_payments"):
                continue
            assert form.xpath(".//input[@name='once']"), f"{endpoint} on {address} has no word"
            yield Form(endpoint, pressed, action, *filled(form, endpoint))


def filled(form: Any, endpoint: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What a person leaves as it is, chooses and types: only what has to be."""
    fields: list[tuple[str, str]] = []
    files: list[str] = []
    for control in form.xpath(".//input[@name]|.//select[@name]|.//textarea[@name]"):
        name, kind = control.get("name"), control.get("type") or control.tag
        value, needed = control.get("value") or "", control.get("required") is not None
        if control.get("disabled") is not None or kind in ("submit", "button"):
            continue
        if kind == "file":
            files += [name] if needed or endpoint in ("courses.teach_media",) else []
        elif kind == "checkbox":
            if control.get("checked") is not None or needed or name == "confirmed":
                fields.append((name, value or "on"))
        elif kind == "radio":
            if control.get("checked") is not None:
                fields = [field for field in fields if field[0] != name]
            if all(field[0] != name for field in fields):
                fields.append((name, value))
        elif kind == "select":
            options = control.xpath(".//option[@selected]") or control.xpath(
                ".//option[@value!='']"
            )
            fields += [(name, option.get("value") or "") for option in options[:1]]
        else:
            value = (control.text or "").strip() if kind == "textarea" else value
            is_typed = needed or name in TYPED
            fields.append((name, value or (typed(name, kind, endpoint) if is_typed else "")))
    return tuple(fields), tuple(files)


def typed(name: str, kind: str, endpoint: str) -> str:
    if kind == "email" or name == "email":
        return NOBODY if endpoint in NEW_ADDRESS else EMAILS.get(endpoint, SOMEBODY)
    if name in TYPED:
        return TYPED[name]
    return {"date": "2030-03-04", "number": "3", "password": "a long new password"}.get(kind, WORDS)


def count_rows() -> Counter[str]:
    """How many rows each table holds."""
    counts = [
        select(literal(table.name), func.count()).select_from(table)
        for table in Model.metadata.sorted_tables
    ]
    return Counter({row[0]: row[1] for row in db.session.execute(union_all(*counts))})


def changes(before: Counter[str], after: Counter[str]) -> set[str]:
    return {name for name in after if after[name] != before[name]}


class Walk:
    """One role's way through the site."""

    def __init__(self, app: Flask, browser: FlaskClient, sent: set[tuple[str, str]]) -> None:
        self.routes = app.url_map.bind("puente.test")
        self.browser = browser
        self.sent = sent
        self.complaints: list[str] = []

    def go(self, starts: list[str]) -> None:
        queue, seen, opened = deque(starts), set(starts), Counter[str]()
        while queue:
            address = queue.popleft()
            endpoint = endpoint_of(self.routes, address, "GET")
            if not endpoint or opened[endpoint] >= PAGES.get(endpoint, 1):
                continue
            opened[endpoint] += 1
            for link in self.look_at(address):
                if link not in seen:
                    seen.add(link)
                    queue.append(link)

    def look_at(self, address: str, deep: int = 0) -> list[str]:
        """Open a page, send its forms twice; gives its links."""
        answer = self.browser.get(address, follow_redirects=True)
        if answer.status_code != 200 or "html" not in answer.content_type:
            return []
        here, page = answer.request.path, html.fromstring(answer.text)
        if answer.request.query_string:
            here += "?" + answer.request.query_string.decode()
        for form in forms_of(self.routes, here, page):
            if form.endpoint and form.kind not in self.sent and deep < 6:
                led_to = self.send_twice(form)
                if led_to:
                    self.look_at(led_to, deep + 1)
        links = (urljoin(here, link).split("#")[0] for link in page.xpath("//a/@href"))
        return [link for link in links if link.startswith("/")]

    def send_twice(self, form: Form) -> str | None:
        """Send, look, send again, look. Where it led, when what it did is kept."""
        connection: Any = db.session.get_bind()
        cookies = dict(self.browser._cookies)  # type: ignore[attr-defined]
        savepoint = connection.begin_nested()
        before = count_rows()
        first = form.send(self.browser)
        between = count_rows()
        kept = dict(self.browser._cookies)  # type: ignore[attr-defined]
        self.browser._cookies.clear()  # type: ignore[attr-defined]
        self.browser._cookies.update(cookies)  # type: ignore[attr-defined]  # a double click
        second = form.send(self.browser)
        after = count_rows()
        is_done = first.status_code < 400
        if is_done:
            self.sent.add(form.kind)
        what = f"{form.kind} {form.address}"
        twice = changes(between, after) - AGAIN.get(form.endpoint, set())
        if twice or max(first.status_code, second.status_code) >= 500:
            self.complaints.append(f"{what}: {twice}, {first.status_code}, {second.status_code}")
        did = changes(before, between) - {"sign_ins", "sent_forms"}
        if did and form.endpoint not in ELSEWHERE and second.location != first.location is not None:
            self.complaints.append(f"{what} led to {first.location}, then to {second.location}")
        db.session.close()
        if not is_done or TAKEN_BACK.search(form.endpoint):
            savepoint.rollback()
            self.browser._cookies.clear()  # type: ignore[attr-defined]
            self.browser._cookies.update(cookies)  # type: ignore[attr-defined]
            return None
        savepoint.commit()
        self.browser._cookies.clear()  # type: ignore[attr-defined]
        self.browser._cookies.update(kept)  # type: ignore[attr-defined]
        location = first.location or ""
        return location.removeprefix("http://puente.test") if location else None


@pytest.fixture
def site(settings: Settings, tmp_path: Path) -> Iterator[Flask]:
    """The demo, in a transaction that parts of the walk are rolled back in."""
    with own_database(settings, tmp_path, "twice", demo=True) as own:
        app = create_app(own, testing=True)
        app.test_client_class = Browser
        limiter.enabled = False
        with app.app_context():
            Model.metadata.create_all(db.engine)
            with transaction():
                load_demo(lambda _what: None)
        with app.app_context(), write_intent(True):
            connection = db.engine.connect()
            connection.begin()
            db.sessionmaker.configure(bind=connection, join_transaction_mode="create_savepoint")
            yield app
            db.session.close()
            connection.close()
            db.engine.dispose()


def browser_of(app: Flask, role: str) -> FlaskClient:
    browser = app.test_client()
    user = db.session.scalar(select(User).where(User.email == f"{role}@example.org"))
    if user:
        key = open_sign_in(user)
        with browser.session_transaction() as session:
            session |= {"_user_id": key, "_fresh": True}
    return browser


@pytest.mark.slow
@pytest.mark.sqlite  # what two clicks at once do to rows: tests/core/test_once.py, on both
def test_a_second_click_does_nothing(site):
    sent: set[tuple[str, str]] = set()
    complaints: list[str] = []
    for role, starts in STARTS.items():
        walk = Walk(site, browser_of(site, role), sent)
        walk.go(starts)
        complaints += walk.complaints

    assert not complaints, "\n".join(complaints)
    done = {endpoint for endpoint, _button in sent}
    assert "payments.place_order" in done
    assert len(done) > 70, sorted(done)  # or the walk has lost its way
