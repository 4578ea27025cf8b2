"""Statements such as Puente records: what each learner did with each activity."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from lms.xapi.lookup import lookup_keys
from lms.xapi.vocabulary import PROFILE_TYPE, TYPES, VERBS

if TYPE_CHECKING:
    from benchmarks.data import Generator

BATCH = 20_000
_DONE = ("launched", "initialized", "experienced", "completed", "answered", "passed", "commented")


@dataclass
class Batch:
    """Rows of the two tables, in the order in which they refer to each other."""

    statements: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)


class StatementRows:
    """Makes rows as `lms.xapi.services.store` would."""

    def __init__(self, site: Generator) -> None:
        self.site = site
        self.root = f"{site.base_url}/xapi/activities"
        self.began = site.now - timedelta(days=2, seconds=30 * site.sizes.statements)
        self.category = {
            "id": f"{site.base_url}/xapi/profile/v1",
            "definition": {"type": PROFILE_TYPE},
        }
        self.authority = {
            "objectType": "Agent",
            "name": "Puente",
            "account": {"homePage": site.base_url, "name": "lms"},
        }

    def batches(self, count: int, first: int = 1, size: int = BATCH) -> Iterator[Batch]:
        """`count` statements in batches, the oldest first; their ids count from `first`."""
        batch = Batch()
        for number in range(first, first + count):
            self._add(batch, number)
            if len(batch.statements) == size:
                yield batch
                batch = Batch()
        if batch.statements:
            yield batch

    def _add(self, batch: Batch, number: int) -> None:
        from benchmarks.data import PER_COURSE, RUNS

        site, random = self.site, self.site.random
        enrolment = random.randrange(len(site.registrations))
        run = site.runs_of_enrolments[enrolment]
        course = (run - 1) // RUNS
        place = random.randrange(PER_COURSE)
        verb = _DONE[number % len(_DONE)]
        user = site.user_uuids[enrolment // 2]
        stored = self.began + timedelta(seconds=30 * number)
        stamp = stored.isoformat(timespec="microseconds").replace("+00:00", "Z")
        statement_id = uuid.UUID(int=random.getrandbits(128), version=4)
        course_iri = f"{self.root}/course/{site.course_uuids[course]}"
        run_iri = f"{self.root}/run/{site.run_uuids[run - 1]}"
        module_iri = f"{self.root}/module/{site.course_uuids[course]}/week-{place // 4 + 1}"
        object_iri = f"{self.root}/activity/{site.activity_uuids[course * PER_COURSE + place]}"
        verb_iri, display = VERBS[verb]
        registration = site.registrations[enrolment]
        document = {
            "actor": {
                "objectType": "Agent",
                "account": {"homePage": site.base_url, "name": str(user)},
            },
            "verb": {"id": verb_iri, "display": display},
            "object": _activity(object_iri, "lesson", {"en": "Reading", "es": "Lectura"}),
            "context": {
                "platform": "Puente",
                "registration": str(registration),
                "contextActivities": {
                    "parent": [_activity(module_iri, "module", {"en": "Week"})],
                    "grouping": [
                        _activity(run_iri, "course", site.titles[course]),
                        _activity(course_iri, "course", site.titles[course]),
                    ],
                    "category": [self.category],
                },
            },
            "id": str(statement_id),
            "stored": stamp,
            "timestamp": stamp,
            "authority": self.authority,
            "version": "1.0.0",
        }
        actor_key = f"account:{site.base_url}|{user}"
        batch.statements.append(
            {
                "id": number,
                "statement_id": statement_id,
                "stored": stored,
                "timestamp": stored,
                "actor_key": actor_key,
                "verb_id": verb_iri,
                "object_key": object_iri,
                "registration": registration,
                "document": orjson.dumps(document).decode(),
            }
        )
        batch.keys += [{"key": key, "statement_pk": number} for key in lookup_keys(document)]


def _activity(iri: str, kind: str, name: dict[str, str]) -> dict[str, Any]:
    definition = {"type": TYPES[kind], "name": name}
    return {"objectType": "Activity", "id": iri, "definition": definition}
