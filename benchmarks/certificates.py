"""How fast certificates are issued and drawn."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from sqlalchemy import select

from benchmarks.bulk import load
from benchmarks.data import Generator
from lms.certificates.codes import make_code
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.models import Credential
from lms.certificates.services.issue import issue_for_completion
from lms.core.db import db, transaction
from lms.courses.models import Enrolment


@dataclass(frozen=True)
class Speeds:
    """What happens in a second, in one process."""

    issued: float
    thousand: float  # seconds of one core for 1,000 certificates, JSON and token
    drawn: float


def measure(site: Generator, count: int) -> tuple[Speeds, list[str]]:
    """Issue `count` certificates and draw some; also gives the codes."""
    completed = [i + 1 for i, done in enumerate(site.is_completed) if done][:count]
    with transaction():  # makes the issuer's key and the first status list
        first = issue_for_completion(db.session.get_one(Enrolment, completed[0]))
        codes = [first.code]
    started, worked = time.perf_counter(), time.process_time()
    for enrolment_id in completed[1:]:
        with transaction():
            enrolment = db.session.get_one(Enrolment, enrolment_id)
            codes.append(issue_for_completion(enrolment).code)
    issued = (len(codes) - 1) / (time.perf_counter() - started)
    thousand = (time.process_time() - worked) / (len(codes) - 1) * 1000
    return Speeds(issued=issued, thousand=thousand, drawn=_draw(codes[:21])), codes


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
