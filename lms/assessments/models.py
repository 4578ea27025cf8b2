"""Questions, attempts and responses, and the rules of a quiz."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.assessments.errors import AttemptClosed
from lms.core import clock
from lms.core.db import AnyJSON, ByLanguage, Model, PrimaryKey
from lms.courses.models import Activity, Enrolment

GRACE = timedelta(seconds=30)  # after the deadline, for answers that are on their way
SCORE_TOLERANCE = 1e-9  # so that 7 of 10 reaches a pass mark of 0.7


class Grading(StrEnum):
    """Which attempt gives the grade."""

    BEST = "best"
    LAST = "last"
    FIRST = "first"


class FeedbackPolicy(StrEnum):
    """When a learner sees which answers were right."""

    AFTER_ATTEMPT = "after_attempt"
    AFTER_PASS_OR_LAST = "after_pass_or_last"  # noqa: S105
    AFTER_DUE = "after_due"
    NEVER = "never"


class Closing(StrEnum):
    """How an attempt came to its end."""

    HANDED_IN = "handed_in"
    TIME_OVER = "time_over"


@dataclass(frozen=True)
class QuizRules:
    """The settings of a quiz activity, with what holds when one is left out."""

    attempts: int = 0  # 0: as many as one likes
    time_limit: int | None = None  # minutes
    pass_score: float = 0.6  # 0..1
    grading: str = Grading.BEST
    shuffle: bool = False
    draw: int | None = None  # that many questions from the pool
    feedback: str = FeedbackPolicy.AFTER_ATTEMPT

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> QuizRules:
        """The rules in `Activity.settings`."""
        return cls(**{name: settings[name] for name in cls.__match_args__ if name in settings})

    def is_pass(self, score: float) -> bool:
        """Whether a score (0..1) reaches the pass mark."""
        return score >= self.pass_score - SCORE_TOLERANCE

    def attempts_left(self, used: int) -> int | None:
        """How many attempts may still be started; None when there is no limit."""
        return max(0, self.attempts - used) if self.attempts else None


class Question(Model):
    """A question of a quiz's bank. Its `kind` names the question type, a plugin.

    A retired question is asked no more, but stays for the attempts that hold it. When what an
    answer is judged by changes after learners answered, a successor with the same slug takes its
    place, so that old results go on showing what was asked.
    """

    __tablename__ = "questions"
    __table_args__ = (CheckConstraint("points > 0", name="points"),)

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)  # xAPI activity id
    activity_id: Mapped[int] = mapped_column(
        ForeignKey("activities.id", ondelete="CASCADE"), index=True
    )
    position: Mapped[int]  # counts from 1
    slug: Mapped[str]
    kind: Mapped[str]
    prompt: Mapped[ByLanguage]  # Markdown
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # shape: the type's
    points: Mapped[float] = mapped_column(default=1.0)
    feedback: Mapped[ByLanguage] = mapped_column(default=dict)  # Markdown, shown with the result
    is_retired: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column()

    activity: Mapped[Activity] = relationship()

    __mapper_args__ = {"version_id_col": version}


Index(
    "uq_questions_asked",
    Question.activity_id,
    Question.slug,
    unique=True,
    sqlite_where=~Question.is_retired,
    postgresql_where=~Question.is_retired,
)


class QuizAttempt(Model):
    """One learner's try at one quiz. Open until `submitted_at` is set."""

    __tablename__ = "quiz_attempts"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "activity_id", "number"),
        Index("ix_quiz_attempts_activity_id_submitted_at", "activity_id", "submitted_at"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
    )

    id: Mapped[PrimaryKey]
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolments.id", ondelete="CASCADE"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activities.id", ondelete="CASCADE"))
    number: Mapped[int]  # counts from 1
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    deadline_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    closing: Mapped[str | None]
    score: Mapped[float | None]  # 0..1; result.score.scaled in xAPI
    points: Mapped[float | None]  # reached; result.score.raw
    max_points: Mapped[float | None]  # that could be reached; result.score.max
    is_passed: Mapped[bool | None]
    question_order: Mapped[list[dict[str, Any]]]  # {"id": question id, "choices": [choice ids]}
    version: Mapped[int] = mapped_column()

    enrolment: Mapped[Enrolment] = relationship()
    activity: Mapped[Activity] = relationship()
    responses: Mapped[list[QuestionResponse]] = relationship(
        back_populates="attempt", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}

    @property
    def is_open(self) -> bool:
        """Whether it was not handed in and not closed by the clock."""
        return self.submitted_at is None

    @property
    def question_ids(self) -> list[int]:
        """The questions it asks, in its own order."""
        return [entry["id"] for entry in self.question_order]

    def is_overdue(self, at: datetime) -> bool:
        """Whether answers that arrive at this instant come too late."""
        return self.deadline_at is not None and at > self.deadline_at + GRACE

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is open."""
        if self.submitted_at is None:
            return None
        return max(0.0, (self.submitted_at - self.started_at).total_seconds())

    def close(
        self, points: float, max_points: float, rules: QuizRules, closing: Closing, at: datetime
    ) -> None:
        """Set the result. Raises AttemptClosed when it is closed already."""
        if self.submitted_at:
            raise AttemptClosed
        self.points, self.max_points = points, max_points
        self.score = min(1.0, max(0.0, points / max_points)) if max_points else 0.0
        self.is_passed = rules.is_pass(self.score)
        self.closing, self.submitted_at = closing, at


Index(
    "uq_quiz_attempts_one_open",
    QuizAttempt.enrolment_id,
    QuizAttempt.activity_id,
    unique=True,
    sqlite_where=QuizAttempt.submitted_at.is_(None),
    postgresql_where=QuizAttempt.submitted_at.is_(None),
)
Index(
    "ix_quiz_attempts_open_deadline_at",
    QuizAttempt.deadline_at,
    sqlite_where=QuizAttempt.submitted_at.is_(None),
    postgresql_where=QuizAttempt.submitted_at.is_(None),
)


class QuestionResponse(Model):
    """What a learner answered to one question of one attempt; `response` None: nothing."""

    __tablename__ = "question_responses"
    __table_args__ = (
        UniqueConstraint("attempt_id", "question_id"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
    )

    id: Mapped[PrimaryKey]
    attempt_id: Mapped[int] = mapped_column(ForeignKey("quiz_attempts.id", ondelete="CASCADE"))
    question_id: Mapped[int] = mapped_column(
        ForeignKey("questions.id", ondelete="CASCADE"), index=True
    )
    response: Mapped[Any | None] = mapped_column(AnyJSON)  # shape: the question type's
    score: Mapped[float | None]  # 0..1 of the question's points, set when the attempt is closed
    saved_at: Mapped[datetime] = mapped_column(default=clock.now)
    attempt: Mapped[QuizAttempt] = relationship(back_populates="responses")
    question: Mapped[Question] = relationship()
