"""The question bank: write, reorder, retire; from and to course packages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from lms.assessments import queries
from lms.assessments.models import Question
from lms.assessments.question_types.base import check_number, check_texts, question_types
from lms.core.db import ByLanguage, db
from lms.core.errors import NotFound
from lms.core.text import in_language, slugify
from lms.courses.errors import PackageError
from lms.courses.models import Activity

MAX_POINTS = 1000
_COMMON = ("id", "kind", "prompt", "feedback", "points")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@dataclass(frozen=True)
class QuestionContent:
    """A question without its place: what authors write and packages hold."""

    kind: str
    prompt: ByLanguage
    settings: dict[str, Any]
    feedback: ByLanguage
    points: float


def check_content(document: Mapping[str, Any], where: str) -> QuestionContent:
    """A question of a package (or of the authors' form, in the same shape), checked.

    Raises PackageError that names `where` and what is wrong.
    """
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in question_types:
        raise PackageError(
            f"{where}.kind",
            _("Must be one of: %(choices)s.", choices=", ".join(question_types)),
        )
    own_keys = {key: value for key, value in document.items() if key not in _COMMON}
    return QuestionContent(
        kind=kind,
        prompt=check_texts(document.get("prompt"), f"{where}.prompt"),
        settings=question_types[kind].check(own_keys, where),
        feedback=check_texts(document.get("feedback"), f"{where}.feedback", required=False),
        points=check_number(
            document.get("points", 1), f"{where}.points", least=0.01, most=MAX_POINTS
        ),
    )


def add_question(activity: Activity, content: QuestionContent, slug: str | None = None) -> Question:
    """Put a question at the end of the bank."""
    asked = queries.list_questions(activity)
    if slug is None:
        slug = _free_slug(activity, slugify(in_language(content.prompt)[:40], "question"))
    question = Question(activity=activity, slug=slug, position=len(asked) + 1)
    _write(question, content)
    db.session.add(question)
    db.session.flush()
    return question


def edit_question(question: Question, content: QuestionContent) -> Question:
    """Change a question; returns it, or the successor that takes its place.

    A successor is made when people answered already and what answers are judged by changes.
    """
    if _changes_meaning(question, content) and queries.has_responses(question):
        question.is_retired = True
        db.session.flush()
        question = Question(
            activity=question.activity, slug=question.slug, position=question.position
        )
        db.session.add(question)
    _write(question, content)
    db.session.flush()
    return question


def _changes_meaning(question: Question, content: QuestionContent) -> bool:
    if question.kind != content.kind:
        return True
    kind = question_types[question.kind]
    return kind.meaning(question.settings) != kind.meaning(content.settings)


def _write(question: Question, content: QuestionContent) -> None:
    question.kind = content.kind
    question.prompt = content.prompt
    question.settings = content.settings
    question.feedback = content.feedback
    question.points = content.points


def duplicate_question(question: Question) -> Question:
    """A copy right behind the question, with an id of its own."""
    content = QuestionContent(
        question.kind, question.prompt, question.settings, question.feedback, question.points
    )
    copy = add_question(
        question.activity, content, _free_slug(question.activity, f"{question.slug}-copy")
    )
    asked = [q for q in queries.list_questions(question.activity) if q is not copy]
    asked.insert(asked.index(question) + 1 if question in asked else len(asked), copy)
    _number(asked)
    return copy


def retire_question(question: Question) -> None:
    """Ask it no more; attempts that hold it keep it. Safe to repeat."""
    question.is_retired = True
    db.session.flush()
    _number(queries.list_questions(question.activity))


def restore_question(question: Question) -> None:
    """Ask a retired question again, at the end of the bank. Safe to repeat."""
    if not question.is_retired:
        return
    asked = queries.list_questions(question.activity)
    if any(other.slug == question.slug for other in asked):
        question.slug = _free_slug(question.activity, question.slug)
    question.is_retired = False
    question.position = len(asked) + 1
    db.session.flush()


def reorder_questions(activity: Activity, ids: Sequence[int]) -> None:
    """Set the order of the bank. Raises NotFound unless `ids` are its questions, each once."""
    asked = {question.id: question for question in queries.list_questions(activity)}
    if sorted(ids) != sorted(asked):
        raise NotFound
    _number([asked[id_] for id_ in ids])


def move_question(question: Question, steps: int) -> None:
    """Move a question up (-1) or down (1) by one place; at the end it stays."""
    asked = queries.list_questions(question.activity)
    if question not in asked:
        raise NotFound
    place = asked.index(question)
    asked.insert(min(len(asked) - 1, max(0, place + steps)), asked.pop(place))
    _number(asked)


def _number(questions: Sequence[Question]) -> None:
    for position, question in enumerate(questions, start=1):
        question.position = position
    db.session.flush()


def _free_slug(activity: Activity, wanted: str) -> str:
    used = set(db.session.scalars(select(Question.slug).where(Question.activity_id == activity.id)))
    slug, number = wanted, 1
    while slug in used:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def replace_questions(activity: Activity, documents: object, where: str) -> None:
    """Take the questions of a package: matched by id, changed, added, retired when gone.

    Attempts keep the questions they hold. Raises PackageError.
    """
    if not isinstance(documents, list):
        raise PackageError(where, _("Expected a list here: lines that begin with “- ”."))
    contents: dict[str, QuestionContent] = {}
    for place, document in enumerate(documents):
        here = f"{where}.{place}"
        if not isinstance(document, Mapping):
            raise PackageError(here, _("Expected keys and values here, such as “en: text”."))
        slug = document.get("id")
        if not isinstance(slug, str) or not _SLUG.match(slug) or len(slug) > 60:
            raise PackageError(
                f"{here}.id", _("An id has lower case letters, digits and hyphens only.")
            )
        if slug in contents:
            raise PackageError(f"{here}.id", _("Two questions have the id %(id)s.", id=slug))
        contents[slug] = check_content(document, here)
    asked = {q.slug: q for q in queries.list_questions(activity)}
    retired = {q.slug: q for q in queries.list_questions(activity, is_retired=True)}
    for slug, question in asked.items():
        if slug not in contents:
            question.is_retired = True
    db.session.flush()
    for position, (slug, content) in enumerate(contents.items(), start=1):
        old = asked.get(slug)
        if old is None and slug in retired and not _changes_meaning(retired[slug], content):
            old = retired[slug]
            old.is_retired = False
        question = edit_question(old, content) if old else add_question(activity, content, slug)
        question.position = position
    db.session.flush()


def question_document(question: Question) -> dict[str, Any]:
    """A question as it stands in a package."""
    document: dict[str, Any] = {
        "id": question.slug,
        "kind": question.kind,
        "prompt": question.prompt,
        **question_types[question.kind].document(question.settings),
    }
    if question.feedback:
        document["feedback"] = question.feedback
    points = question.points
    document["points"] = int(points) if points == int(points) else points
    return document
