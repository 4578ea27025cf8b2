"""Statements such as an authoring tool sends: about 1.3 kB each, every one with its own id."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

FEW = 50  # persons, activities and registrations that are asked for: each fills a page early on
COURSES = 10
_SITE = "https://courses.example.org"
_VERBS = {
    "completed": {"en-US": "completed", "es": "completó", "fr": "a terminé"},
    "answered": {"en-US": "answered", "es": "respondió", "fr": "a répondu"},
    "experienced": {"en-US": "experienced", "es": "vio", "fr": "a vu"},
    "passed": {"en-US": "passed", "es": "aprobó", "fr": "a réussi"},
}
_VERB_NAMES = list(_VERBS)
_BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """One statement as JSON text, and what bare rows are found by."""

    statement_id: str
    actor: str
    verb: str
    activity: str
    registration: str
    text: str


def person(number: int) -> dict[str, Any]:
    """The agent of a person."""
    return {"objectType": "Agent", "account": {"homePage": _SITE, "name": f"person-{number:07}"}}


def verb_iri(name: str) -> str:
    """The IRI of a verb."""
    return f"http://adlnet.gov/expapi/verbs/{name}"


def lesson_iri(number: int) -> str:
    """The IRI of an activity."""
    return f"{_SITE}/xapi/activities/lesson/{number:07}"


def course_iri(number: int) -> str:
    """The IRI of a course, which statements name as a grouping."""
    return f"{_SITE}/xapi/activities/course/{number:04}"


def registration(number: int) -> str:
    """The registration of a person."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_SITE}/registrations/{number}"))


def statements(count: int, *, seed: int, spread: int = 20_000) -> Iterator[Made]:
    """Statements with ids of their own for each seed.

    Half of them are about the first FEW persons and activities, the others about `spread` more.
    """
    random = Random(seed)
    for number in range(count):
        who, what = _chosen(random, spread), _chosen(random, spread)
        name = _VERB_NAMES[random.randrange(len(_VERB_NAMES))]
        at = _BEGAN + timedelta(seconds=number, microseconds=random.randrange(1_000_000))
        statement_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
        value = _statement(random, statement_id, who, what, name, at)
        yield Made(
            statement_id,
            f"account:{_SITE}|person-{who:07}",
            verb_iri(name),
            lesson_iri(what),
            registration(who),
            json.dumps(value, ensure_ascii=False, separators=(",", ":")),
        )


def _chosen(random: Random, spread: int) -> int:
    return random.randrange(FEW) if random.random() < 0.5 else FEW + random.randrange(spread)


def _statement(
    random: Random, statement_id: str, who: int, what: int, name: str, at: datetime
) -> dict[str, Any]:
    week, course = what % 4, what % COURSES
    return {
        "id": statement_id,
        "actor": person(who),
        "verb": {"id": verb_iri(name), "display": _VERBS[name]},
        "object": {
            "objectType": "Activity",
            "id": lesson_iri(what),
            "definition": {
                "type": "http://adlnet.gov/expapi/activities/lesson",
                "name": {"en": f"Lesson {what}", "es": f"Lección {what}"},
                "description": {"en": "Who takes part when a municipality plans, and when."},
            },
        },
        "result": {
            "score": {"scaled": random.randrange(101) / 100},
            "success": True,
            "completion": True,
            "duration": f"PT{random.randrange(3600)}S",
        },
        "context": {
            "registration": registration(who),
            "language": "es",
            "platform": "Authoring tool",
            "contextActivities": {
                "parent": [{"objectType": "Activity", "id": f"{course_iri(course)}/week/{week}"}],
                "grouping": [
                    {
                        "objectType": "Activity",
                        "id": course_iri(course),
                        "definition": {
                            "type": "http://adlnet.gov/expapi/activities/course",
                            "name": {"en": f"Course {course}"},
                        },
                    }
                ],
            },
            "extensions": {f"{_SITE}/xapi/extensions/attempt": {"number": random.randrange(1, 9)}},
        },
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
