"""What cost recovery keeps about one person: reports by mail, answers about a moved run."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.courses.models import Enrolment
from lms.recovery.models import MoveOffer, ReportMail


def export_person(user_id: int) -> dict[str, Any]:
    """Reports that come by mail, and answers."""
    mails = db.session.scalars(select(ReportMail).where(ReportMail.user_id == user_id))
    answers = db.session.scalars(
        select(MoveOffer)
        .join(Enrolment, Enrolment.id == MoveOffer.enrolment_id)
        .where(Enrolment.user_id == user_id)
    )
    return {
        "reports_by_mail": [{"report": row.report, "rhythm": row.rhythm} for row in mails],
        "answers_about_moved_runs": [
            {
                "answer": row.answer,
                "answered_at": row.answered_at.isoformat() if row.answered_at else None,
            }
            for row in answers
        ],
    }


def erase_person(user_id: int) -> None:
    """Mail no report any more; answers stay with the enrolment, which has no name by then."""
    db.session.execute(delete(ReportMail).where(ReportMail.user_id == user_id))


PERSONAL_DATA = PersonalData("recovery", export_person, erase_person)
