"""What is measured: for each page many addresses, as many people ask for them."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask, current_app, session
from flask_wtf.csrf import generate_csrf

from benchmarks.data import (
    FORUM,
    PER_COURSE,
    QUESTIONS,
    RUNS,
    Generator,
)
from lms.accounts.models import User
from lms.accounts.services.sign_ins import open_sign_in
from lms.core import clock
from lms.core.db import db, transaction
from lms.courses.queries import teaching

VARIETY = 300  # addresses of a page


@dataclass(frozen=True)
class Request:
    """One request, and the status that its answer must have."""

    path: str
    status: int = 200
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True)
class Page:
    """A kind of page. least: the share of the constant answer's rate that it should reach."""

    name: str
    label: str
    least: float | None = None
    is_public: bool = False
    is_endless: bool = True
    is_page: bool = True  # HTML for people, with at most twelve queries


CONSTANT = Page("constant", "constant answer", is_page=False, is_public=True)
PAGES = (
    Page("empty", "empty page, signed in", least=0.20),
    Page("catalogue", "catalogue", least=0.08, is_public=True),
    Page("course", "course page", is_public=True),
    Page("my_courses", "my courses"),
    Page("study", "study page", least=0.08),
    Page("thread", "forum thread, 50 posts", least=0.08),
    Page("quiz", "quiz page, 10 questions"),
    Page("submit", "quiz submit (write)", is_endless=False, is_page=False),
    Page("verification", "verification", least=0.08, is_public=True),
    Page("report", "administrators' report"),
    Page("statements", "statements of a learner (xAPI)", is_page=False),
)


class Visitors:
    """Cookies of signed-in people, made as the product makes them."""

    def __init__(self, app: Flask) -> None:
        with app.test_request_context():
            self.csrf = generate_csrf()
            self._csrf_kept = session["csrf_token"]
        serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        assert serializer is not None
        self._dumps: Callable[[object], str] = serializer.dumps
        self._keys: dict[int, str] = {}
        self._teaches: dict[int, bool] = {}
        self._name = app.config["SESSION_COOKIE_NAME"]

    def _sign_in(self, user_id: int) -> str:
        if user_id not in self._keys:
            with transaction():
                self._keys[user_id] = open_sign_in(db.session.get_one(User, user_id))
        return self._keys[user_id]

    def headers(self, user_id: int) -> dict[str, str]:
        """The headers of a person's browser."""
        values: dict[str, object] = {
            "_user_id": self._sign_in(user_id),
            "signed_on": clock.now().date().isoformat(),
            "_fresh": True,
            "csrf_token": self._csrf_kept,
        }
        if user_id not in self._teaches:
            self._teaches[user_id] = teaching.teaches(db.session.get_one(User, user_id))
        # as their browser has it after the first page; valid for as long as is measured
        later = int(time.time()) + 3600
        values |= {"teaches": [self._teaches[user_id], later], "desk": [False, later]}
        return {"Cookie": f"{self._name}={self._dumps(values)}"}


def make_requests(
    site: Generator, codes: list[str], xapi: dict[str, str]
) -> dict[str, list[Request]]:
    """The requests of each page. codes: of certificates; xapi: headers with a key of the store."""
    visitors = Visitors(current_app._get_current_object())  # type: ignore[attr-defined]
    sizes, chance = site.sizes, random.Random(7)
    learners = [chance.randrange(sizes.learners) for _ in range(VARIETY)]

    def study_path(learner: int) -> str:
        run = sizes.present_run_of(learner)
        place = chance.choice([p for p in range(PER_COURSE // 3) if p != FORUM])
        return f"/study/{run}/page-{place + 1}"

    def thread(number: int) -> Request:
        course = site.course_of_discussion(number)
        user = chance.choice(site.members_of(course))
        path = f"/study/{course * RUNS + 2}/discussions/{number}"
        return Request(path, headers=visitors.headers(user))

    opened = site.open_attempts
    shown, handed_in = opened[: min(VARIETY, len(opened) // 2)], opened[len(opened) // 2 :]
    return {
        "constant": [Request("/constant")],
        "empty": [Request("/empty", headers=visitors.headers(i + 1)) for i in learners],
        "catalogue": [Request(f"/courses{query}") for query in _catalogue_queries(chance)],
        "course": [
            Request(f"/courses/course-{chance.randrange(sizes.courses) + 1}")
            for _ in range(VARIETY)
        ],
        "my_courses": [Request("/my/courses", headers=visitors.headers(i + 1)) for i in learners],
        "study": [Request(study_path(i), headers=visitors.headers(i + 1)) for i in learners],
        "thread": [thread(chance.randrange(sizes.discussions) + 1) for _ in range(VARIETY)],
        "quiz": [
            Request(
                f"/assessments/attempts/{attempt}",
                headers=visitors.headers(_owner_of(site, attempt)),
            )
            for attempt in shown
        ],
        "submit": [_submit(site, visitors, attempt) for attempt in handed_in],
        "verification": [Request(f"/verify/{code}") for code in codes],
        "report": [
            Request(f"/admin/reports/?{query}", headers=visitors.headers(sizes.administrator_id))
            for query in ("", "period=12-months", "period=all", "period=year")
        ],
        "statements": [
            Request(f"/xapi/statements?{_agent(site, i)}&limit=25", headers=xapi) for i in learners
        ],
    }


def _catalogue_queries(chance: random.Random) -> list[str]:
    """Half of the visitors turn pages, the others search and filter."""
    queries = []
    for _ in range(VARIETY // 4):
        queries += [
            "",
            f"?page={chance.randrange(1, 9)}",
            f"?q={chance.choice(('water', 'council', 'mercados', 'course+12', 'budget'))}",
            f"?topic=topic-{chance.randrange(1, 13)}&language=es",
        ]
    return queries


def _owner_of(site: Generator, attempt: int) -> int:
    """The id of the person whose open attempt this is."""
    first: int = site.open_attempts[0]
    return attempt - first + 1


def _submit(site: Generator, visitors: Visitors, attempt: int) -> Request:
    user = _owner_of(site, attempt)
    course = (site.sizes.present_run_of(user - 1) - 1) // RUNS
    first = course * QUESTIONS + 1
    answers = {f"q{first + n}": "a" if n % 4 else "c" for n in range(QUESTIONS)}
    values = {"csrf_token": visitors.csrf, "answers": "1", "confirmed": "1", **answers}
    return Request(
        f"/assessments/attempts/{attempt}",
        status=303,
        method="POST",
        headers=visitors.headers(user),
        body=urlencode(values),
    )


def _agent(site: Generator, learner: int) -> str:
    account = {"homePage": site.base_url, "name": str(site.user_uuids[learner])}
    return urlencode({"agent": json.dumps({"account": account})})


def keep_requests(requests: dict[str, list[Request]], path: Path) -> None:
    """Write the requests for the process of the readers."""
    endless = {page.name: page.is_endless for page in (CONSTANT, *PAGES)}
    content = {
        name: {"is_endless": endless[name], "requests": [asdict(one) for one in found]}
        for name, found in requests.items()
    }
    path.write_text(json.dumps(content), encoding="utf-8")
