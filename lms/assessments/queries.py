"""Reads of questions, attempts and grades."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, bindparam, cast, exists, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from lms.accounts.models import User
from lms.assessments.models import (
    FeedbackPolicy,
    Grading,
    Question,
    QuestionResponse,
    QuizAttempt,
    QuizRules,
)
from lms.assessments.question_types.base import question_types
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.fragments import find_kept, keep
from lms.core.stamps import watch
from lms.courses.activity_types.base import activity_types
from lms.courses.models import (
    STUDIES,
    Activity,
    CourseRun,
    Enrolment,
    Module,
    Progress,
)
from lms.courses.queries.courses import STRUCTURE

QUIZ = "quiz"  # as in Activity.kind


def get_quiz(activity_id: int) -> Activity:
    """A quiz activity with its course. Raises NotFound."""
    activity = db.session.scalar(
        select(Activity)
        .where(Activity.id == activity_id, Activity.kind == QUIZ)
        .options(joinedload(Activity.course), joinedload(Activity.module))
    )
    if activity is None:
        raise NotFound
    return activity


def get_quiz_of_run(run_id: int, activity_id: int) -> tuple[CourseRun, Activity]:
    """A run and one of its quizzes. Raises NotFound."""
    run, activity = get_run(run_id), get_quiz(activity_id)
    if activity.course_id != run.course_id:
        raise NotFound
    return run, activity


def get_run(run_id: int) -> CourseRun:
    """A run with its course. Raises NotFound."""
    run = db.session.scalar(
        select(CourseRun).where(CourseRun.id == run_id).options(joinedload(CourseRun.course))
    )
    if run is None:
        raise NotFound
    return run


def get_enrolment(enrolment_id: int) -> Enrolment:
    """An enrolment with its run and course. Raises NotFound."""
    enrolment = db.session.scalar(
        select(Enrolment)
        .where(Enrolment.id == enrolment_id)
        .options(joinedload(Enrolment.run).joinedload(CourseRun.course))
    )
    if enrolment is None:
        raise NotFound
    return enrolment


def get_own_enrolment(run_id: int, user: User) -> Enrolment:
    """The person's enrolment in a run. Raises NotFound."""
    enrolment = db.session.scalar(
        select(Enrolment)
        .where(Enrolment.run_id == run_id, Enrolment.user_id == user.id)
        .options(joinedload(Enrolment.run).joinedload(CourseRun.course))
    )
    if enrolment is None:
        raise NotFound
    return enrolment


def get_attempt(attempt_id: int) -> QuizAttempt:
    """An attempt with its activity, enrolment, run, course and person. Raises NotFound."""
    attempt = db.session.scalar(
        select(QuizAttempt)
        .where(QuizAttempt.id == attempt_id)
        .options(
            joinedload(QuizAttempt.activity).joinedload(Activity.module),
            joinedload(QuizAttempt.enrolment).options(
                joinedload(Enrolment.run).joinedload(CourseRun.course),
                joinedload(Enrolment.user),
            ),
        )
    )
    if attempt is None:
        raise NotFound
    return attempt


def list_attempts(enrolment: Enrolment, activity: Activity) -> Sequence[QuizAttempt]:
    """One learner's attempts at one quiz, the first one first."""
    return db.session.scalars(
        select(QuizAttempt)
        .where(QuizAttempt.enrolment_id == enrolment.id, QuizAttempt.activity_id == activity.id)
        .order_by(QuizAttempt.number)
    ).all()


def list_overdue(at: datetime, limit: int) -> Sequence[QuizAttempt]:
    """Open attempts whose deadline is before `at`, those that wait longest first."""
    return db.session.scalars(
        select(QuizAttempt)
        .where(QuizAttempt.submitted_at.is_(None), QuizAttempt.deadline_at < at)
        .order_by(QuizAttempt.deadline_at)
        .limit(limit)
    ).all()


def graded_attempt(attempts: Sequence[QuizAttempt], rules: QuizRules) -> QuizAttempt | None:
    """The closed attempt that gives the grade; of equal ones the earliest."""
    closed = sorted((a for a in attempts if not a.is_open), key=lambda a: a.number)
    if not closed:
        return None
    if rules.grading == Grading.FIRST:
        return closed[0]
    if rules.grading == Grading.LAST:
        return closed[-1]
    return max(closed, key=lambda a: (a.score or 0.0, -a.number))


def shows_feedback(
    rules: QuizRules, attempts: Sequence[QuizAttempt], due_at: datetime | None, at: datetime
) -> bool:
    """Whether a learner with these attempts may see at this instant what was right.

    due_at: when the quiz is due, or when the run ends if it has no due date.
    """
    closed = [attempt for attempt in attempts if not attempt.is_open]
    match rules.feedback:
        case FeedbackPolicy.AFTER_ATTEMPT:
            return True
        case FeedbackPolicy.AFTER_PASS_OR_LAST:
            return (
                any(attempt.is_passed for attempt in closed)
                or rules.attempts_left(len(closed)) == 0
            )
        case FeedbackPolicy.AFTER_DUE:
            return due_at is not None and at > due_at
    return False


def get_question(question_id: int) -> Question:
    """A question with its quiz and course. Raises NotFound."""
    question = db.session.scalar(
        select(Question)
        .where(Question.id == question_id)
        .options(joinedload(Question.activity).joinedload(Activity.course))
    )
    if question is None or question.kind not in question_types:
        raise NotFound
    return question


def list_questions(activity: Activity, *, is_retired: bool = False) -> list[Question]:
    """The questions of a quiz's bank that are asked (or, if so wanted, no more), in order."""
    found = db.session.scalars(
        select(Question)
        .where(Question.activity_id == activity.id, Question.is_retired == is_retired)
        .order_by(Question.position, Question.id)
    )
    return [question for question in found if question.kind in question_types]


# made once: every outline of a course asks
_COUNTS = (
    select(Question.activity_id, Question.kind, func.count())
    .join(Activity, Activity.id == Question.activity_id)
    .where(Activity.course_id == bindparam("course_id"), ~Question.is_retired)
    .group_by(Question.activity_id, Question.kind)
)
watch(STRUCTURE, Question)  # the outlines of courses tell how many questions there are


def count_questions(course_id: int) -> dict[int, int]:
    """How many questions each quiz of a course can ask, by activity id."""
    counts: dict[int, int] = {}
    for activity_id, kind, count in db.session.execute(_COUNTS, {"course_id": course_id}):
        if kind in question_types:
            counts[activity_id] = counts.get(activity_id, 0) + count
    return counts


def counted_questions(course_id: int) -> dict[int, int]:
    """As `count_questions`, kept until a course or a question changes: for pages that read."""
    stamp = db.session.info.get(STRUCTURE)
    if stamp is None:
        return count_questions(course_id)
    key = ("questions", stamp, course_id)
    counts: dict[int, int] | None = find_kept(key)
    if counts is None:
        counts = count_questions(course_id)
        keep(key, counts, 100 + 50 * len(counts))
    return counts


def has_responses(question: Question) -> bool:
    """Whether somebody answered it."""
    return bool(
        db.session.scalar(select(exists().where(QuestionResponse.question_id == question.id)))
    )


def questions_by_id(ids: Collection[int]) -> dict[int, Question]:
    """These questions, retired ones too."""
    found = db.session.scalars(select(Question).where(Question.id.in_(ids)))
    return {question.id: question for question in found if question.kind in question_types}


def responses_by_question(attempt: QuizAttempt) -> dict[int, QuestionResponse]:
    """What was saved in an attempt, by question id."""
    found = db.session.scalars(
        select(QuestionResponse)
        .where(QuestionResponse.attempt_id == attempt.id)
        .execution_options(populate_existing=True)
    )
    return {response.question_id: response for response in found}


@dataclass
class LearnerResult:
    """What one learner did in one quiz."""

    enrolment: Enrolment
    attempts: list[QuizAttempt] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Time in all closed attempts together."""
        return sum(attempt.seconds or 0.0 for attempt in self.attempts)

    @property
    def last_at(self) -> datetime | None:
        """When the learner last handed in."""
        return max((a.submitted_at for a in self.attempts if a.submitted_at), default=None)


def list_learners(run: CourseRun) -> Select[Enrolment]:
    """The enrolments of a run that study or studied, by the learner's name."""
    return (
        select(Enrolment)
        .join(Enrolment.user)
        .where(Enrolment.run_id == run.id, Enrolment.state.in_(STUDIES))
        .options(contains_eager(Enrolment.user))
        .order_by(User.name, Enrolment.id)
    )


def results_of(enrolments: Sequence[Enrolment], activity: Activity) -> list[LearnerResult]:
    """Each learner's attempts at a quiz."""
    results = {enrolment.id: LearnerResult(enrolment) for enrolment in enrolments}
    attempts = db.session.scalars(
        select(QuizAttempt)
        .where(QuizAttempt.activity_id == activity.id, QuizAttempt.enrolment_id.in_(results))
        .order_by(QuizAttempt.number)
    )
    for attempt in attempts:
        results[attempt.enrolment_id].attempts.append(attempt)
    return list(results.values())


@dataclass(frozen=True)
class QuizFigures:
    """A quiz in one run, in figures. mean: of all closed attempts' scores, 0..1."""

    learners: int
    attempts: int
    mean: float | None
    passed: int  # learners with an attempt that passed


def figures_of(run: CourseRun, activity: Activity) -> QuizFigures:
    """How a quiz went in a run."""
    row = db.session.execute(
        select(
            func.count(QuizAttempt.enrolment_id.distinct()),
            func.count(),
            func.avg(QuizAttempt.score),
            func.count(QuizAttempt.enrolment_id.distinct()).filter(QuizAttempt.is_passed.is_(True)),
        )
        .join(Enrolment, Enrolment.id == QuizAttempt.enrolment_id)
        .where(_in_run(run, activity))
    ).one()
    return QuizFigures(*row)


def _in_run(run: CourseRun, activity: Activity) -> ColumnElement[bool]:
    return (
        (QuizAttempt.activity_id == activity.id)
        & QuizAttempt.submitted_at.is_not(None)
        & (Enrolment.run_id == run.id)
    )


@dataclass(frozen=True)
class QuestionFigures:
    """A question in one run. facility: mean share of its points, 0..1."""

    question: Question
    asked: int
    facility: float | None
    wrong_response: Any | None  # the most frequent that earned less than all points
    wrong_count: int


def question_figures(run: CourseRun, activity: Activity) -> list[QuestionFigures]:
    """How hard each question was, and the most chosen wrong answer."""
    answered = (
        select(QuestionResponse)
        .join(QuizAttempt, QuizAttempt.id == QuestionResponse.attempt_id)
        .join(Enrolment, Enrolment.id == QuizAttempt.enrolment_id)
        .where(_in_run(run, activity))
    )
    rows = db.session.execute(
        answered.with_only_columns(
            QuestionResponse.question_id, func.count(), func.avg(QuestionResponse.score)
        ).group_by(QuestionResponse.question_id)
    )
    asked = {question_id: (count, mean) for question_id, count, mean in rows}
    text = cast(QuestionResponse.response, String)
    times = func.count().label("times")
    wrong = (
        answered.with_only_columns(
            QuestionResponse.question_id.label("question_id"),
            func.min(QuestionResponse.id).label("example_id"),
            times,
            func.row_number()
            .over(partition_by=QuestionResponse.question_id, order_by=(func.count().desc(), text))
            .label("place"),
        )
        .where(QuestionResponse.score < 1, QuestionResponse.response.is_not(None))
        .group_by(QuestionResponse.question_id, text)
        .subquery()
    )
    most_wrong = {
        question_id: (response, count)
        for question_id, response, count in db.session.execute(
            select(wrong.c.question_id, QuestionResponse.response, wrong.c.times)
            .join(QuestionResponse, QuestionResponse.id == wrong.c.example_id)
            .where(wrong.c.place == 1)
        )
    }
    questions = db.session.scalars(
        select(Question)
        .where(Question.activity_id == activity.id)
        .order_by(Question.is_retired, Question.position, Question.id)
    )
    return [
        QuestionFigures(
            question,
            *asked.get(question.id, (0, None)),
            *most_wrong.get(question.id, (None, 0)),
        )
        for question in questions
        if question.kind in question_types and (question.id in asked or not question.is_retired)
    ]


def list_graded(run: CourseRun) -> list[Activity]:
    """The published activities of a run that give a grade, in the order of the course."""
    kinds = [name for name, kind in activity_types.items() if kind.is_graded]
    return list(
        db.session.scalars(
            select(Activity)
            .join(Activity.module)
            .where(
                Activity.course_id == run.course_id,
                Activity.is_published,
                Activity.kind.in_(kinds),
            )
            .options(contains_eager(Activity.module))
            .order_by(Module.position, Activity.position)
        )
    )


def grades_of(
    enrolments: Sequence[Enrolment], activities: Sequence[Activity]
) -> dict[tuple[int, int], Progress]:
    """The progress rows that hold grades, by (enrolment id, activity id)."""
    found = db.session.scalars(
        select(Progress).where(
            Progress.enrolment_id.in_([e.id for e in enrolments]),
            Progress.activity_id.in_([a.id for a in activities]),
        )
    )
    return {(progress.enrolment_id, progress.activity_id): progress for progress in found}


def count_attempts(enrolment: Enrolment) -> dict[int, int]:
    """How many attempts a learner started, by activity id."""
    rows = db.session.execute(
        select(QuizAttempt.activity_id, func.count())
        .where(QuizAttempt.enrolment_id == enrolment.id)
        .group_by(QuizAttempt.activity_id)
    )
    return {activity_id: count for activity_id, count in rows}  # noqa: C416


def course_grade(activities: Sequence[Activity], grades: dict[int, Progress]) -> float | None:
    """The mean of the required graded activities, those not done counting nothing; 0..1.

    What is waived and has no score is left out; None when nothing is left.

    grades: by activity id. As `courses.services.progress` reckons it for the certificate.
    """
    required = [activity for activity in activities if activity.is_required]
    found = [grades.get(activity.id) for activity in required]
    scores = [one.score if one else None for one in found if not (one and one.is_graded_nothing)]
    if not scores:
        return None
    return sum(score or 0.0 for score in scores) / len(scores)


def attempts_of_user(user_id: int) -> Sequence[QuizAttempt]:
    """All attempts of a person, with their responses, questions and quizzes."""
    return db.session.scalars(
        select(QuizAttempt)
        .join(Enrolment, Enrolment.id == QuizAttempt.enrolment_id)
        .where(Enrolment.user_id == user_id)
        .options(
            joinedload(QuizAttempt.activity),
            selectinload(QuizAttempt.responses).joinedload(QuestionResponse.question),
        )
        .order_by(QuizAttempt.id)
    ).all()
