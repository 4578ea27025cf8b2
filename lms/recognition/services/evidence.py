"""The evidence behind a certificate, for bodies that accredit nobody and look at it themselves."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.certificates.models import Credential
from lms.certificates.services.verify import verify_credential
from lms.core import clock
from lms.core.db import db
from lms.courses.activity_types.base import activity_types
from lms.courses.models import Activity, CourseStaff, Module, Progress
from lms.notifications.services import tell
from lms.recognition import queries
from lms.recognition.errors import LinkClosed
from lms.recognition.models import EvidenceLink, EvidenceLook

DAYS = (7, 30, 90)  # how long a link may be open


def open_link(credential: Credential, user: User, recipient: str, days: int) -> str:
    """Let somebody see the evidence; gives the secret of the link, which is not kept."""
    token = secrets.token_urlsafe(32)
    db.session.add(
        EvidenceLink(
            token_hash=_hash(token),
            credential_id=credential.id,
            user_id=user.id,
            recipient=recipient,
            expires_at=clock.now() + timedelta(days=days),
        )
    )
    db.session.flush()
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def withdraw_link(link: EvidenceLink) -> None:
    """Close a link at once."""
    link.withdrawn_at = link.withdrawn_at or clock.now()
    db.session.flush()


def find_open(token: str) -> EvidenceLink:
    """The link with this secret. Raises LinkClosed when it cannot be used, whatever the reason."""
    link = queries.find_evidence_link(_hash(token))
    if link is None or not link.is_open(clock.now()):
        raise LinkClosed
    return link


def look(link: EvidenceLink, what: str) -> dict[str, Any]:
    """Give the evidence and note the look. The holder is told of the first one."""
    if not link.looks:
        holder = link.credential.user
        tell(
            holder,
            "recognition.evidence_seen",
            whom=link.recipient,
            code=link.credential.code,
        )
    link.looks.append(EvidenceLook(what=what))
    db.session.flush()
    return collect(link.credential)


def collect(credential: Credential) -> dict[str, Any]:
    """Everything a body needs to judge by itself; JSON, texts by language.

    certificate: what verification says now, and the register's entry. outline: modules with their
    activities, each with what was asked and how the holder did (score 0..1). instructors. document:
    the signed credential.
    """
    verdict = verify_credential(credential)
    facts = credential.facts
    return {
        "certificate": {
            "code": credential.code,
            "state": verdict.state.value,
            "checked_at": verdict.checked_at.isoformat(timespec="seconds"),
            "issued_at": credential.issued_at.isoformat(timespec="seconds"),
            "holder": credential.holder_name,
        },
        "course": facts["course"],
        "run": facts["run"],
        "completed_at": facts["completed_at"],
        "waived": facts.get("waived"),
        "grade": facts["grade"],
        "pass_mark": facts["pass_mark"],
        "organisations": facts["organisations"],
        "credits": facts["credits"],
        "accreditations": facts.get("accreditations", []),
        "outline": _outline(credential),
        "instructors": _instructors(credential),
        "document": orjson.loads(credential.document),
    }


def _outline(credential: Credential) -> list[dict[str, Any]]:
    progress = {
        one.activity_id: one
        for one in db.session.scalars(
            select(Progress).where(Progress.enrolment_id == credential.enrolment_id)
        )
    }
    modules = db.session.scalars(
        select(Module)
        .where(Module.course_id == credential.course_id)
        .options(selectinload(Module.activities))
        .order_by(Module.position)
    ).all()
    return [
        {
            "title": module.title,
            "summary": module.summary,
            "activities": _activities(module.activities, progress),
        }
        for module in modules
    ]


def _activities(
    activities: Sequence[Activity], progress: dict[int, Progress]
) -> list[dict[str, Any]]:
    found = []
    for activity in activities:
        if not activity.is_published:
            continue
        done = progress.get(activity.id)
        kind = activity_types.get(activity.kind)
        found.append(
            {
                "title": activity.title,
                "kind": activity.kind,
                "is_graded": bool(kind and kind.is_graded),
                "is_required": activity.is_required,
                "minutes": activity.minutes,
                "completed_at": (
                    done.completed_at.isoformat(timespec="seconds")
                    if done and done.completed_at
                    else None
                ),
                "is_waived": bool(done and done.is_waived),
                "score": done.score if done else None,
                "is_passed": done.is_passed if done else None,
            }
        )
    return found


def _instructors(credential: Credential) -> list[dict[str, Any]]:
    staff = db.session.scalars(
        select(CourseStaff)
        .where(CourseStaff.course_id == credential.course_id)
        .options(joinedload(CourseStaff.user), joinedload(CourseStaff.organisation))
        .order_by(CourseStaff.id)
    )
    return [
        {
            "name": one.user.name,
            "organisation": one.organisation.name if one.organisation else {},
            "biography": one.biography,
        }
        for one in staff
    ]
