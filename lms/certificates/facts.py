"""The register's entry: everything a certificate says, as it was on the day of issue.

Kept as JSON text in all languages; the signed credential holds its SHA-256, so that what pages
show in the reader's language is bound to the signature too. A salt in it keeps the name from being
guessed from the digest.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from lms.certificates.layout_data import Layout
from lms.certificates.layout_models import OutcomeAlignment
from lms.certificates.register_entries import register_entries
from lms.core.db import db
from lms.core.settings import settings
from lms.courses.activity_types.base import activity_types
from lms.courses.models import Activity, Course, CourseCredit, CourseRun, Enrolment, Progress
from lms.directory.models import Organisation

SHAPE = 1


def collect(enrolment: Enrolment, holder_name: str, layout: Layout | None = None) -> dict[str, Any]:
    """The facts of a completed enrolment.

    holder {name, salt}; course {uuid, title, hours, weeks, outcomes}; run {uuid, starts_on,
    ends_on}; completed_at; waived None or {activities, hours}, which course.hours, assessment and
    activities do not count; grade and pass_mark 0..1 or None; assessment {activity kind: how
    many}; activities: how many were required; organisations [{uuid, name, country, website, role}];
    credits [{uuid, name, website, hours, reference}]; signatories [{name, role, organisation}];
    issuer {name, url}; alignments [{outcome, framework, code, name, url}]; what other rooms add,
    by its name. Texts are by language. layout: whose signatories sign instead of the course's.
    """
    run = db.session.scalars(
        select(CourseRun)
        .where(CourseRun.id == enrolment.run_id)
        .options(
            joinedload(CourseRun.course).options(
                joinedload(Course.owner),
                selectinload(Course.partners),
                selectinload(Course.credits).joinedload(CourseCredit.organisation),
            )
        )
    ).one()
    course = run.course
    waived = db.session.scalars(
        select(Activity.id)
        .join(Progress, Progress.activity_id == Activity.id)
        .where(
            Progress.enrolment_id == enrolment.id,
            Progress.waived_at.is_not(None),
            Progress.completed_at.is_(None),
            Activity.is_required,
            Activity.is_published,
        )
    ).all()
    waived_hours = enrolment.waived_hours if waived else 0.0
    return {
        "shape": SHAPE,
        "holder": {"name": holder_name, "salt": secrets.token_urlsafe(32)},
        "run": {
            "uuid": str(run.uuid),
            "starts_on": run.starts_on.isoformat(),
            "ends_on": run.ends_on.isoformat(),
        },
        "completed_at": enrolment.completed_at.isoformat() if enrolment.completed_at else None,
        "waived": {"activities": len(waived), "hours": waived_hours} if waived else None,
        "grade": enrolment.grade,
        "issuer": {"name": settings().site_name, "url": settings().base_url + "/"},
        **of_course(course, layout, waived, waived_hours),
        **{entry.name: entry.collect(enrolment) for entry in register_entries.values()},
    }


def of_course(
    course: Course,
    layout: Layout | None,
    waived: Sequence[int] = (),
    waived_hours: float = 0.0,
) -> dict[str, Any]:
    """What the facts say of the course; waived: activities that are not counted, and hours."""
    kinds = Counter(
        db.session.scalars(
            select(Activity.kind).where(
                Activity.course_id == course.id,
                Activity.is_required,
                Activity.is_published,
                Activity.id.not_in(waived),
            )
        )
    )
    organisations = [_organisation(course.owner, "owner")]
    organisations += [_organisation(partner, "partner") for partner in course.partners]
    return {
        "course": {
            "uuid": str(course.uuid),
            "title": course.title,
            "hours": course.hours - waived_hours,
            "weeks": course.weeks,
            "outcomes": course.outcomes,
        },
        "pass_mark": course.minimum_grade,
        "assessment": {
            kind: count
            for kind, count in sorted(kinds.items())
            if kind in activity_types and activity_types[kind].is_graded
        },
        "activities": sum(kinds.values()),
        "organisations": organisations,
        "credits": [
            {
                "uuid": str(credit.organisation.uuid),
                "name": credit.organisation.name,
                "website": credit.organisation.website,
                "hours": credit.hours,
                "reference": credit.reference,
            }
            for credit in sorted(course.credits, key=lambda c: c.id)
        ],
        "signatories": (
            signatories_of(layout) if layout and layout.signatories else _signatories(course)
        ),
        "alignments": _alignments(course),
    }


def _organisation(organisation: Organisation, role: str) -> dict[str, Any]:
    return {
        "uuid": str(organisation.uuid),
        "name": organisation.name,
        "country": organisation.country,
        "website": organisation.website,
        "role": role,
    }


def _alignments(course: Course) -> list[dict[str, Any]]:
    found = db.session.scalars(
        select(OutcomeAlignment)
        .where(OutcomeAlignment.course_id == course.id)
        .order_by(OutcomeAlignment.outcome, OutcomeAlignment.id)
    )
    return [
        {
            "outcome": one.outcome,
            "framework": one.framework,
            "code": one.code,
            "name": one.name,
            "url": one.url,
        }
        for one in found
    ]


def signatories_of(layout: Layout) -> list[dict[str, Any]]:
    """Who signs by a layout, as facts."""
    return [
        {
            "name": person.name,
            "role": person.role,
            "organisation": {"en": person.organisation} if person.organisation else {},
            "picture": person.picture,
        }
        for person in layout.signatories
    ]


def _signatories(course: Course) -> list[dict[str, Any]]:
    names = {o.slug: o.name for o in (course.owner, *course.partners)}
    return [
        {
            "name": str(person.get("name", "")),
            "role": person.get("role") or {},
            "organisation": names.get(str(person.get("organisation")), {}),
        }
        for person in course.signatories[:4]
    ]


def to_text(facts: dict[str, Any]) -> str:
    """The facts as the JSON text that is kept and whose digest is signed."""
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()


def digest(facts_text: str) -> str:
    """SHA-256 of a register's entry, as it stands in the signed credential."""
    return "sha256:" + hashlib.sha256(facts_text.encode()).hexdigest()
