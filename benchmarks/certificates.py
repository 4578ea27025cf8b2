"""How fast certificates are issued and drawn, and how fast statements enter the store."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from benchmarks.bulk import load
from benchmarks.data import Generator, write_statements
from benchmarks.statements import StatementRows
from lms.certificates.codes import make_code
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.models import Credential
from lms.certificates.services.issue import issue_for_completion
from lms.core.db import db, transaction
from lms.courses.models import Enrolment
from lms.xapi.models import StoredStatement
from lms.xapi.services.record import own_authority
from lms.xapi.services.store import store_statements
from lms.xapi.vocabulary import activity, activity_iri, verb

IN_ONE_GO = 100  # statements sent together


@dataclass(frozen=True)
class Speeds:
    """What happens in a second, in one process."""

    issued: float
    drawn: float
    stored_alone: float  # statements, each in its own transaction
    stored_together: float  # statements, a hundred in a transaction
    written: float  # the same rows, past all checks and the ORM: what the database can do


def measure(site: Generator, count: int) -> tuple[Speeds, list[str]]:
    """Issue `count` certificates, draw some, store statements; also gives the codes."""
    completed = [i + 1 for i, done in enumerate(site.is_completed) if done][:count]
    with transaction():  # makes the issuer's key and the first status list
        first = issue_for_completion(db.session.get_one(Enrolment, completed[0]))
        codes = [first.code]
    started = time.perf_counter()
    for enrolment_id in completed[1:]:
        with transaction():
            enrolment = db.session.get_one(Enrolment, enrolment_id)
            codes.append(issue_for_completion(enrolment).code)
    issued = (len(codes) - 1) / (time.perf_counter() - started)
    speeds = Speeds(
        issued=issued,
        drawn=_draw(codes[:21]),
        stored_alone=_store(site, 1, 300),
        stored_together=_store(site, IN_ONE_GO, 30),
        written=_write(site),
    )
    return speeds, codes


def _draw(codes: list[str]) -> float:
    pdf = credential_formats["pdf"]
    found = db.session.scalars(select(Credential).where(Credential.code.in_(codes))).all()
    pdf.make(found[0])  # loads the fonts
    started = time.perf_counter()
    for credential in found[1:]:
        pdf.make(credential)
    speed = (len(found) - 1) / (time.perf_counter() - started)
    db.session.rollback()
    return speed


def _store(site: Generator, together: int, times: int) -> float:
    """Statements in a second when `together` of them share a transaction."""
    actor = {"objectType": "Agent", "account": {"homePage": site.base_url, "name": "benchmark"}}
    thing = activity(activity_iri("activity", uuid.uuid4()), "lesson", {"en": "Reading"})
    grouping = [activity(activity_iri("course", uuid.uuid4()), "course", {"en": "Course"})]
    one: dict[str, Any] = {
        "actor": actor,
        "verb": verb("completed"),
        "object": thing,
        "context": {"platform": "Puente", "contextActivities": {"grouping": grouping}},
    }
    started = time.perf_counter()
    for _ in range(times):
        with transaction():
            store_statements([dict(one) for _ in range(together)], authority=own_authority())
    return together * times / (time.perf_counter() - started)


def _write(site: Generator, times: int = 30) -> float:
    """Statements in a second when ready rows are handed to the database."""
    with transaction(write=False):
        first = (db.session.scalar(select(func.max(StoredStatement.id))) or 0) + 1
    batches = list(StatementRows(site).batches(times * IN_ONE_GO, first, IN_ONE_GO))
    started = time.perf_counter()
    for batch in batches:
        with db.engine.begin() as connection:
            write_statements(connection, batch)
    return times * IN_ONE_GO / (time.perf_counter() - started)


def fill(site: Generator) -> int:
    """Give all other completed enrolments a certificate too: copies, for the size of the table."""
    made = db.session.scalars(select(Credential).order_by(Credential.id)).all()
    like = {
        c.name: getattr(made[0], c.name) for c in Credential.__table__.columns if c.name != "id"
    }
    first, taken = made[-1].id + 1, {credential.enrolment_id for credential in made}
    db.session.rollback()
    wanted = [i for i, done in enumerate(site.is_completed) if done and i + 1 not in taken]
    rows = (
        {
            **like,
            "id": first + number,
            "uuid": uuid.uuid4(),
            "code": make_code(),
            "enrolment_id": index + 1,
            "user_id": index // 2 + 1,
            "run_id": site.runs_of_enrolments[index],
            "status_index": 1_000_000 + number,  # beyond the list: never drawn for another
        }
        for number, index in enumerate(wanted)
    )
    with db.engine.begin() as connection:
        return load(connection, Credential.__table__, rows)  # type: ignore[arg-type]
