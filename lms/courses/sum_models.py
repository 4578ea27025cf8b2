"""Sums of who enrolled and how far they came, by course run, and marks of runs that changed."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import BigInt, Model, PrimaryKey
from lms.core.rollups import FILLED_BY_TRIGGERS, Watched, watch_when_created


class EnrolmentMark(Model):
    """Something changed in the enrolments of this run since its sums were made."""

    __tablename__ = "enrolment_marks"
    __table_args__ = {"info": {FILLED_BY_TRIGGERS: True}}

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(BigInt, index=True)


class EnrolmentSum(Model):
    """People who enrolled in a run in a month and came equally far.

    month: in UTC, "2027-02". country: "" where the learner's is not known. reached: the position of
    the furthest module in which they opened something, 0 for none.
    """

    __tablename__ = "enrolment_sums"

    run_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    month: Mapped[str] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(primary_key=True)
    reached: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    enrolled: Mapped[int] = mapped_column(BigInt)
    started: Mapped[int] = mapped_column(BigInt)
    completed: Mapped[int] = mapped_column(BigInt)


_RUNS_OF_COURSE = "SELECT id FROM course_runs WHERE course_id = {}.course_id"
_RUN_OF_ENROLMENT = "SELECT run_id FROM enrolments WHERE id = {}.enrolment_id"
_WAS_OR_IS = "OLD.enrolled_at IS NOT NULL OR NEW.enrolled_at IS NOT NULL"

WATCHED = (
    Watched(
        "enrolment_marks_enrolled",
        "enrolments",
        "INSERT",
        "SELECT NEW.run_id",
        "NEW.enrolled_at IS NOT NULL",
    ),
    Watched(
        "enrolment_marks_changed",
        "enrolments",
        "UPDATE OF enrolled_at, completed_at, run_id, user_id",
        "SELECT OLD.run_id UNION SELECT NEW.run_id",
        _WAS_OR_IS,
    ),
    Watched(
        "enrolment_marks_started",
        "enrolments",
        "UPDATE OF last_seen_at",
        "SELECT NEW.run_id",
        f"({_WAS_OR_IS}) AND (OLD.last_seen_at IS NULL OR NEW.last_seen_at IS NULL)",
    ),
    Watched(
        "enrolment_marks_deleted",
        "enrolments",
        "DELETE",
        "SELECT OLD.run_id",
        "OLD.enrolled_at IS NOT NULL",
    ),
    Watched("enrolment_marks_opened", "progress", "INSERT", _RUN_OF_ENROLMENT.format("NEW")),
    Watched("enrolment_marks_forgotten", "progress", "DELETE", _RUN_OF_ENROLMENT.format("OLD")),
    Watched(
        "enrolment_marks_country",
        "users",
        "UPDATE OF country",
        "SELECT run_id FROM enrolments WHERE user_id = NEW.id AND enrolled_at IS NOT NULL",
    ),
    Watched("enrolment_marks_module", "modules", "INSERT", _RUNS_OF_COURSE.format("NEW")),
    Watched("enrolment_marks_module_gone", "modules", "DELETE", _RUNS_OF_COURSE.format("OLD")),
    Watched(
        "enrolment_marks_module_moved",
        "modules",
        "UPDATE OF position, course_id",
        _RUNS_OF_COURSE.format("NEW"),
    ),
    Watched(
        "enrolment_marks_activity_moved",
        "activities",
        "UPDATE OF module_id",
        "SELECT course_runs.id FROM course_runs"
        " JOIN modules ON modules.course_id = course_runs.course_id"
        " WHERE modules.id = NEW.module_id",
    ),
)
watch_when_created(Model.metadata, EnrolmentMark.__tablename__, WATCHED)
