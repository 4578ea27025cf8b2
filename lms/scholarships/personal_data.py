"""What applications keep about a person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.scholarships.models import Application, ApplicationState
from lms.scholarships.services.applications import withdraw


def _of(user_id: int) -> list[Application]:
    return list(
        db.session.scalars(
            select(Application).where(Application.user_id == user_id).order_by(Application.id)
        )
    )


def _export(user_id: int) -> Any:
    return [
        {
            "uuid": str(one.uuid),
            "fund": one.fund.key,
            "course_run": str(one.run.uuid),
            "country": one.country,
            "statement": one.statement,
            "asked_percent": one.asked_percent,
            "state": one.state,
            "percent": one.percent,
            "expires_on": one.expires_on.isoformat() if one.expires_on else None,
            "answer": one.answer,
            "created_at": one.created_at.isoformat(),
            "decided_at": one.decided_at.isoformat() if one.decided_at else None,
        }
        for one in _of(user_id)
    ]


def _erase(user_id: int) -> None:
    """What was used stays as a figure of its fund; all else goes, and frees what it held."""
    for one in _of(user_id):
        if one.waits:
            withdraw(one)
        if one.state == ApplicationState.USED:
            one.user_id, one.country, one.statement, one.answer = None, None, "", ""
        else:
            db.session.delete(one)
    db.session.flush()


PERSONAL_DATA = PersonalData("scholarships", _export, _erase)
