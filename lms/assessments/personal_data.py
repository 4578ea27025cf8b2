"""What the room keeps about one person."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from lms.assessments import queries
from lms.assessments.models import QuestionResponse, QuizAttempt
from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.courses.models import Enrolment


def _export(user_id: int) -> list[dict[str, Any]]:
    return [
        {
            "quiz": attempt.activity.title,
            "attempt": attempt.number,
            "started_at": attempt.started_at.isoformat(),
            "submitted_at": attempt.submitted_at.isoformat() if attempt.submitted_at else None,
            "score": attempt.score,
            "is_passed": attempt.is_passed,
            "responses": [
                {
                    "question": row.question.prompt,
                    "response": row.response,
                    "score": row.score,
                    "saved_at": row.saved_at.isoformat(),
                }
                for row in attempt.responses
            ],
        }
        for attempt in queries.attempts_of_user(user_id)
    ]


def _erase(user_id: int) -> None:
    """What was answered goes; scores stay, for the figures of a quiz, without a name."""
    attempts = (
        select(QuizAttempt.id)
        .join(Enrolment, Enrolment.id == QuizAttempt.enrolment_id)
        .where(Enrolment.user_id == user_id)
    )
    db.session.execute(
        update(QuestionResponse)
        .where(QuestionResponse.attempt_id.in_(attempts))
        .values(response=None)
        .execution_options(synchronize_session="fetch")
    )


quiz_attempts = PersonalData("assessments", _export, _erase)
