"""The site that is measured: courses, learners, what they did and paid, and a million statements.

Everything is drawn from a fixed seed. Ids count from 1 in every table.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete

from benchmarks import words
from benchmarks.bulk import load
from benchmarks.statements import Batch, StatementRows
from lms.accounts.models import User
from lms.assessments.models import Question, QuestionResponse, QuizAttempt
from lms.core import clock
from lms.core.markdown import EDITION, render_for_all
from lms.core.text import fold
from lms.courses.models import (
    Activity,
    Course,
    CourseCredit,
    CourseRun,
    CourseStaff,
    Enrolment,
    Module,
    Progress,
    Topic,
    course_partners,
)
from lms.directory.models import Organisation, OrganisationRole
from lms.forums.models import HEADING_SHIFT, Discussion, ForumRead, Post
from lms.notifications.models import Notice
from lms.payments.models import Order, Payment, Receipt, Refund
from lms.xapi.models import StatementKey, StoredStatement, StoreOrder

TOPICS = 12
ORGANISATIONS = 40
MODULES = 3  # a course
ACTIVITIES = 4  # a module
PER_COURSE = MODULES * ACTIVITIES
QUESTIONS = 10  # a quiz
RUNS = 3  # a course: past, present, coming
THREAD = 50  # posts of a discussion
NOTICES = 3  # a learner
CURRENCIES = ("CAD", "USD", "BOB", "PEN", "BRL", "EUR")
COUNTRIES = ("BO", "PE", "CO", "CL", "MX", "BR", "CA", "ES", "EC", "AR")
LANGUAGES = ("es", "en", "pt", "fr")
QUIZ = PER_COURSE - 1  # index of the quiz within a course, counts from 0
FORUM = 2  # index of the forum


@dataclass(frozen=True)
class Sizes:
    """How many of each there are."""

    courses: int
    learners: int
    statements: int
    discussions: int
    open_attempts: int

    @classmethod
    def at(cls, scale: float) -> Sizes:
        """The sizes at a scale; 1 is what the targets speak of."""
        learners = max(120, round(20_000 * scale))
        return cls(
            courses=max(12, round(1000 * scale)),
            learners=learners,
            statements=max(1000, round(1_000_000 * scale)),
            discussions=max(8, round(200 * scale)),
            open_attempts=min(learners, max(1_000, round(6_000 * scale))),
        )

    @property
    def administrator_id(self) -> int:
        """The user after all learners."""
        return self.learners + 1

    def present_run_of(self, learner: int) -> int:
        """The run that a learner (counted from 0) studies now."""
        return (learner % self.courses) * RUNS + 2

    def past_run_of(self, learner: int) -> int:
        """The run that a learner (counted from 0) studied before."""
        return ((learner * 7 + 3) % self.courses) * RUNS + 1


class Generator:
    """Writes the site through one connection."""

    def __init__(self, connection: Connection, sizes: Sizes, base_url: str) -> None:
        self.connection = connection
        self.sizes = sizes
        self.base_url = base_url
        self.random = random.Random(20_27)
        self.now = clock.now().replace(microsecond=0)
        self.rows: dict[str, int] = {}  # written, by table

    def write(self) -> None:
        """Write all but certificates, which are issued by the product itself."""
        for part in (
            self._people,
            self._courses,
            self._enrolments,
            self._orders,
            self._quizzes,
            self._forums,
            self._notices,
            self._statements,
        ):
            part()
            self.connection.commit()

    def _load(self, model: type[Any] | Table, rows: Iterable[dict[str, Any]]) -> None:
        table: Table = model if isinstance(model, Table) else model.__table__
        self.rows[table.name] = load(self.connection, table, rows)

    def _uuid(self) -> uuid.UUID:
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def _past(self, days: float) -> datetime:
        """An instant within the last `days` days."""
        return self.now - timedelta(seconds=self.random.randrange(int(days * 86_400)) + 3600)

    # People and organisations

    def _people(self) -> None:
        self.user_uuids = [self._uuid() for _ in range(self.sizes.learners + 1)]
        self._load(User, (self._user(i) for i in range(self.sizes.learners + 1)))
        self._load(
            Organisation,
            (
                {
                    "id": i + 1,
                    "slug": f"organisation-{i + 1}",
                    "kind": "association" if i % 4 == 3 else "institution",
                    "name": {"en": f"Institute {i + 1}", "es": f"Instituto {i + 1}"},
                    "search_text": f"institute {i + 1} instituto {i + 1}",
                    "description": words.by_language(self.random, 40),
                    "country": COUNTRIES[i % len(COUNTRIES)],
                }
                for i in range(ORGANISATIONS)
            ),
        )
        self._load(
            OrganisationRole,
            (
                {"id": i + 1, "organisation_id": i + 1, "user_id": i + 1, "role": "manager"}
                for i in range(ORGANISATIONS)
            ),
        )

    def _user(self, i: int) -> dict[str, Any]:
        name = words.person(self.random)
        email = f"learner{i + 1}@example.org"
        return {
            "id": i + 1,
            "uuid": self.user_uuids[i],
            "email": email,
            "email_folded": email,
            "name": name,
            "search_text": fold(f"{name} {email}"),
            "language": LANGUAGES[i % 4] if i < self.sizes.learners else "en",
            "time_zone": "America/La_Paz",
            "country": COUNTRIES[i % len(COUNTRIES)],
            "is_administrator": i == self.sizes.learners,
            "email_confirmed_at": self.now - timedelta(days=400),
            "created_at": self._past(800),
        }

    # Courses

    def _courses(self) -> None:
        count = self.sizes.courses
        self.course_uuids = [self._uuid() for _ in range(count)]
        self.activity_uuids = [self._uuid() for _ in range(count * PER_COURSE)]
        self.titles = [words.title(self.random, i + 1) for i in range(count)]
        self._load(
            Topic,
            (
                {
                    "id": i + 1,
                    "slug": f"topic-{i + 1}",
                    "name": {"en": f"Topic {i + 1}", "es": f"Tema {i + 1}"},
                    "position": i,
                }
                for i in range(TOPICS)
            ),
        )
        self._load(Course, (self._course(i) for i in range(count)))
        partners = (
            {"course_id": i + 1, "organisation_id": (i + 1) % ORGANISATIONS + 1}
            for i in range(count)
        )
        self._load(course_partners, partners)
        credited = (
            {"course_id": i + 1, "organisation_id": 4 * (i % 10) + 4, "hours": 10.0}
            for i in range(0, count, 2)
        )
        self._load(CourseCredit, ({"id": n, **row} for n, row in enumerate(credited, 1)))
        staff = (
            {
                "course_id": i + 1,
                "user_id": (i * 2 + place) % self.sizes.learners + 1,
                "organisation_id": (i + place) % ORGANISATIONS + 1,
                "biography": words.by_language(self.random, 30),
            }
            for i in range(count)
            for place in (0, 1)
        )
        self._load(CourseStaff, ({"id": n, **row} for n, row in enumerate(staff, 1)))
        self._load(Module, self._modules())
        self._load(Activity, self._activities())
        self._load(CourseRun, self._runs())

    def _course(self, i: int) -> dict[str, Any]:
        summary = words.by_language(self.random, 25)
        description = words.by_language(self.random, 220)
        texts = [*self.titles[i].values(), *summary.values(), *description.values()]
        return {
            "id": i + 1,
            "uuid": self.course_uuids[i],
            "slug": f"course-{i + 1}",
            "title": self.titles[i],
            "summary": summary,
            "description": description,
            "audience": words.by_language(self.random, 30),
            "requirements": words.by_language(self.random, 20),
            "outcomes": [words.by_language(self.random, 9) for _ in range(5)],
            "faq": [
                {
                    "question": words.by_language(self.random, 8),
                    "answer": words.by_language(self.random, 40),
                }
                for _ in range(4)
            ],
            "signatories": [
                {
                    "name": words.person(self.random),
                    "role": {"en": "Academic coordinator", "es": "Coordinación académica"},
                    "organisation": f"organisation-{i % ORGANISATIONS + 1}",
                }
            ],
            "topic_id": i % TOPICS + 1,
            "level": ("introductory", "intermediate", "advanced")[i % 3],
            "hours": 12.0,
            "weeks": 3,
            "languages": ["en", "es"],
            "owner_id": i % ORGANISATIONS + 1,
            "minimum_grade": 0.6,
            "state": "published",
            "search_text": f"{fold(' '.join(self.titles[i].values()))}\n{fold(' '.join(texts))}",
            "created_at": self.now - timedelta(days=900),
            "updated_at": self._past(300),
        }

    def _modules(self) -> Iterator[dict[str, Any]]:
        for course in range(self.sizes.courses):
            for place in range(MODULES):
                yield {
                    "id": course * MODULES + place + 1,
                    "course_id": course + 1,
                    "slug": f"week-{place + 1}",
                    "position": place + 1,
                    "title": words.by_language(self.random, 4),
                    "summary": words.by_language(self.random, 15),
                    "release_day": None,
                }

    def _activities(self) -> Iterator[dict[str, Any]]:
        for i in range(self.sizes.courses * PER_COURSE):
            course, place = divmod(i, PER_COURSE)
            kind = {QUIZ: "quiz", FORUM: "forum"}.get(place, "page")
            settings = {
                "quiz": {"attempts": 0, "pass_score": 0.6, "shuffle": True},
                "forum": {"minimum_posts": 1},
                "page": {},
            }[kind]
            yield {
                "id": i + 1,
                "uuid": self.activity_uuids[i],
                "course_id": course + 1,
                "module_id": course * MODULES + place // ACTIVITIES + 1,
                "slug": f"{kind}-{place + 1}",
                "position": place % ACTIVITIES + 1,
                "kind": kind,
                "title": words.by_language(self.random, 5),
                "text": words.document(self.random, i + 1, 5 if kind == "page" else 1),
                "is_required": place % 6 != 5,
                "minutes": 20,
                "due_day": 7 * (place // ACTIVITIES) + 6,
                "completion": {"quiz": "passed", "forum": "posted", "page": "viewed"}[kind],
                "settings": settings,
            }

    def _runs(self) -> Iterator[dict[str, Any]]:
        today = self.now.date()
        self.run_starts: list[date] = []
        self.run_uuids = [self._uuid() for _ in range(self.sizes.courses * RUNS)]
        for course in range(self.sizes.courses):
            present = today - timedelta(days=15 + course % 4)  # its last week has begun
            past = today - timedelta(days=60 + course * 5 % 600)
            coming = today + timedelta(days=5 + course % 150)
            for place, start in enumerate((past, present, coming)):
                self.run_starts.append(start)
                yield {
                    "id": course * RUNS + place + 1,
                    "uuid": self.run_uuids[course * RUNS + place],
                    "course_id": course + 1,
                    "slug": start.isoformat(),
                    "starts_on": start,
                    "ends_on": start + timedelta(days=20),
                    "time_zone": "America/La_Paz",
                    "language": "es" if course % 2 else "en",
                    "capacity": None if course % 4 else 200,
                    "price_minor": 0 if course % 5 == 4 else 12_000 + 500 * (course % 7),
                    "price_currency": CURRENCIES[course % len(CURRENCIES)],
                    "release": "by_week",
                    "state": "published",
                }

    def _start_of(self, run: int) -> datetime:
        return clock.start_of_day(self.run_starts[run - 1], "America/La_Paz")

    # Enrolments

    def _enrolments(self) -> None:
        self.registrations: list[uuid.UUID] = []
        self.runs_of_enrolments: list[int] = []
        self.is_completed: list[bool] = []
        self._load(Enrolment, self._enrolment_rows())
        self._load(Progress, self._progress_rows())

    def _enrolment_rows(self) -> Iterator[dict[str, Any]]:
        """Two for each learner: the past one has an odd id, the present one the even id after."""
        for learner in range(self.sizes.learners):
            places = (self.sizes.past_run_of(learner), self.sizes.present_run_of(learner))
            for is_past, run in zip((True, False), places, strict=True):
                is_completed = is_past and learner % 10 < 7
                start = self._start_of(run)
                registration = self._uuid()
                self.registrations.append(registration)
                self.runs_of_enrolments.append(run)
                self.is_completed.append(is_completed)
                course = (run - 1) // RUNS
                yield {
                    "id": len(self.registrations),
                    "registration": registration,
                    "run_id": run,
                    "user_id": learner + 1,
                    "state": "completed" if is_completed else "active",
                    "method": "free" if course % 5 == 4 else "payment",
                    "created_at": start - timedelta(days=20),
                    "enrolled_at": start - timedelta(days=19),
                    "completed_at": start + timedelta(days=15) if is_completed else None,
                    "last_activity_id": course * PER_COURSE + 4,
                    "last_seen_at": start + timedelta(days=7),
                    "grade": 0.6 + learner % 40 / 100 if is_completed else None,
                }

    def _progress_rows(self) -> Iterator[dict[str, Any]]:
        number = 0
        for index, run in enumerate(self.runs_of_enrolments):
            first = (run - 1) // RUNS * PER_COURSE + 1
            start = self._start_of(run)
            for place in range(PER_COURSE if self.is_completed[index] else 5):
                number += 1
                at = start + timedelta(days=place, hours=12)
                yield {
                    "id": number,
                    "enrolment_id": index + 1,
                    "activity_id": first + place,
                    "started_at": min(at, self.now),
                    "completed_at": min(at + timedelta(hours=1), self.now),
                    "score": 0.8 if place == QUIZ else None,
                    "is_passed": True if place == QUIZ else None,
                }

    # Money

    def _orders(self) -> None:
        """One paid order for each learner of a paid run, their past one; some were refunded."""
        paid = [
            learner
            for learner in range(self.sizes.learners)
            if (self.sizes.past_run_of(learner) - 1) // RUNS % 5 != 4
        ] + [
            learner
            for learner in range(self.sizes.learners)
            if learner % 4 == 0 and (self.sizes.present_run_of(learner) - 1) // RUNS % 5 != 4
        ]
        orders = list(self._order_rows(paid))
        self._load(Order, orders)
        self._load(
            Payment,
            (
                {
                    "id": order["id"],
                    "order_id": order["id"],
                    "gateway": "stripe",
                    "reference": f"pi_{order['id']}",
                    "currency": order["currency"],
                    "amount_minor": order["total_minor"],
                    "refunded_minor": order["total_minor"] if order["state"] == "refunded" else 0,
                    "received_at": order["paid_at"],
                }
                for order in orders
            ),
        )
        refunded = [order for order in orders if order["state"] == "refunded"]
        self._load(
            Refund,
            (
                {
                    "id": number,
                    "order_id": order["id"],
                    "payment_id": order["id"],
                    "currency": order["currency"],
                    "amount_minor": order["total_minor"],
                    "reason": "by_administrator",
                    "state": "done",
                    "reference": f"re_{number}",
                    "created_at": order["paid_at"] + timedelta(days=3),
                    "done_at": order["paid_at"] + timedelta(days=3),
                }
                for number, order in enumerate(refunded, 1)
            ),
        )
        self._load(
            Receipt,
            (
                {
                    "id": order["id"],
                    "order_id": order["id"],
                    "year": 2020,
                    "sequence": order["id"],
                    "issued_at": order["paid_at"],
                    "seller": {"name": "Puente"},
                }
                for order in orders
            ),
        )

    def _order_rows(self, learners: list[int]) -> Iterator[dict[str, Any]]:
        seen: set[int] = set()
        for number, learner in enumerate(learners, 1):
            is_past = learner not in seen
            seen.add(learner)
            run = (self.sizes.past_run_of if is_past else self.sizes.present_run_of)(learner)
            course = (run - 1) // RUNS
            amount = 12_000 + 500 * (course % 7)
            discount = amount // 10 if number % 9 == 0 else 0
            paid_at = self._start_of(run) - timedelta(days=19) + timedelta(minutes=number % 900)
            yield {
                "id": number,
                "uuid": self._uuid(),
                "number": f"P-2020-{number:06d}",
                "user_id": learner + 1,
                "run_id": run,
                "enrolment_id": 2 * learner + (1 if is_past else 2),
                "currency": CURRENCIES[course % len(CURRENCIES)],
                "amount_minor": amount,
                "discount_minor": discount,
                "total_minor": amount - discount,
                "state": "refunded" if number % 50 == 0 else "paid",
                "gateway": "stripe",
                "gateway_session": f"cs_{number}",
                "country": COUNTRIES[learner % len(COUNTRIES)],
                "buyer_name": "A learner",
                "language": "en",
                "created_at": paid_at - timedelta(minutes=4),
                "paid_at": paid_at,
            }

    # Quizzes

    def _quizzes(self) -> None:
        self._load(Question, self._question_rows())
        attempts = list(self._attempt_rows())
        self.open_attempts = [row["id"] for row in attempts if row["submitted_at"] is None]
        self._load(QuizAttempt, attempts)
        self._load(QuestionResponse, self._response_rows(attempts))

    def _question_rows(self) -> Iterator[dict[str, Any]]:
        for i in range(self.sizes.courses * QUESTIONS):
            course, place = divmod(i, QUESTIONS)
            yield {
                "id": i + 1,
                "uuid": self._uuid(),
                "activity_id": course * PER_COURSE + QUIZ + 1,
                "position": place + 1,
                "slug": f"question-{place + 1}",
                "kind": "multiple_choice",
                "prompt": words.by_language(self.random, 18),
                "settings": {
                    "single": True,
                    "choices": [
                        {
                            "id": code,
                            "correct": code == "a",
                            "text": words.by_language(self.random, 8),
                            "feedback": words.by_language(self.random, 12),
                        }
                        for code in "abcd"
                    ],
                },
                "feedback": words.by_language(self.random, 20),
            }

    def _attempt_rows(self) -> Iterator[dict[str, Any]]:
        """One closed attempt for each completed enrolment, and open ones in present runs."""
        completed = [i for i, done in enumerate(self.is_completed) if done]
        present = [2 * learner + 1 for learner in range(self.sizes.learners)]
        chosen = [(i, True) for i in completed]
        chosen += [(i, False) for i in present[: self.sizes.open_attempts]]
        for number, (index, is_closed) in enumerate(chosen, 1):
            run = self.runs_of_enrolments[index]
            course = (run - 1) // RUNS
            started = self._start_of(run) + timedelta(days=14) if is_closed else self.now
            first = course * QUESTIONS + 1
            yield {
                "id": number,
                "enrolment_id": index + 1,
                "activity_id": course * PER_COURSE + QUIZ + 1,
                "number": 1,
                "started_at": started,
                "deadline_at": None,
                "submitted_at": started + timedelta(minutes=9) if is_closed else None,
                "closing": "handed_in" if is_closed else None,
                "score": 0.8 if is_closed else None,
                "points": 8.0 if is_closed else None,
                "max_points": 10.0 if is_closed else None,
                "is_passed": True if is_closed else None,
                "question_order": [
                    {"id": first + n, "choices": list("abcd")} for n in range(QUESTIONS)
                ],
            }

    def _response_rows(self, attempts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        number = 0
        for attempt in attempts:
            if attempt["submitted_at"] is None:
                continue
            for place, entry in enumerate(attempt["question_order"]):
                number += 1
                yield {
                    "id": number,
                    "attempt_id": attempt["id"],
                    "question_id": entry["id"],
                    "response": ["a"] if place < 8 else ["b"],
                    "score": 1.0 if place < 8 else 0.0,
                    "saved_at": attempt["submitted_at"],
                }

    # Forums

    def members_of(self, course: int) -> list[int]:
        """Ids of the learners in the present run of a course (counted from 0)."""
        return [i + 1 for i in range(course, self.sizes.learners, self.sizes.courses)]

    def _forums(self) -> None:
        self._load(Discussion, self._discussion_rows())
        self._load(Post, self._post_rows())
        reads = (
            {"user_id": user, "discussion_id": number, "last_read_post_id": number * THREAD - 10}
            for number in range(1, self.sizes.discussions + 1)
            for user in self.members_of(self.course_of_discussion(number))[:10]
        )
        self._load(ForumRead, ({"id": n, **row} for n, row in enumerate(reads, 1)))

    def course_of_discussion(self, number: int) -> int:
        """The course (counted from 0) in whose present run a discussion stands: ten in each."""
        return (number - 1) // 10 % self.sizes.courses

    def _discussion_rows(self) -> Iterator[dict[str, Any]]:
        for number in range(1, self.sizes.discussions + 1):
            course = self.course_of_discussion(number)
            yield {
                "id": number,
                "uuid": self._uuid(),
                "run_id": course * RUNS + 2,
                "activity_id": course * PER_COURSE + FORUM + 1,
                "author_id": self.members_of(course)[0],
                "title": words.sentence(self.random, 7),
                "language": "en",
                "created_at": self.now - timedelta(days=5),
                "last_post_at": self.now - timedelta(hours=number % 50 + 1),
                "post_count": THREAD,
            }

    def _post_rows(self) -> Iterator[dict[str, Any]]:
        for number in range(1, self.sizes.discussions + 1):
            members = self.members_of(self.course_of_discussion(number))
            opening = (number - 1) * THREAD + 1
            for place in range(THREAD):
                post = opening + place
                above = opening if place % 3 else max(opening, post - 1)
                levels = [opening] if above == opening else [opening, above]
                path = "".join(f"{step:010d}" for step in levels)
                text = words.paragraphs(self.random, 2, 40)
                yield {
                    "id": post,
                    "discussion_id": number,
                    "parent_id": above if place else None,
                    "author_id": members[place % len(members)],
                    "text": text,
                    "html": render_for_all(text, heading_shift=HEADING_SHIFT),
                    "html_edition": EDITION,
                    "language": "en",
                    "search_text": fold(text),
                    "depth": len(levels) if place else 0,
                    "path": f"{path}{post:010d}" if place else path,
                    "created_at": self.now - timedelta(days=5) + timedelta(hours=place),
                }

    def _notices(self) -> None:
        rows = (
            {
                "user_id": learner + 1,
                "kind": "certificates.issued",
                "values": {"title": self.titles[learner % self.sizes.courses]},
                "created_at": self.now - timedelta(days=30 + place),
                "read_at": self.now if place else None,
            }
            for learner in range(self.sizes.learners)
            for place in range(NOTICES)
        )
        self._load(Notice, ({"id": n, **row} for n, row in enumerate(rows, 1)))

    # Statements

    def _statements(self) -> None:
        """All statements; the tables by which they are found are filled a batch behind."""
        for batch in StatementRows(self).batches(self.sizes.statements):
            for table, count in write_statements(self.connection, batch).items():
                self.rows[table] = self.rows.get(table, 0) + count


def write_statements(connection: Connection, batch: Batch) -> dict[str, int]:
    """Write statements and what they are found by; rows written by table."""
    parts: tuple[tuple[Any, list[dict[str, Any]]], ...] = (
        (StoredStatement, batch.statements),
        (StatementKey, batch.keys),
    )
    connection.execute(delete(StoreOrder))  # the store goes on behind the newest
    return {model.__tablename__: load(connection, model.__table__, rows) for model, rows in parts}
