"""Writing a course: its description in each language and its facts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import audit
from lms.core.db import ByLanguage, db
from lms.core.text import slugify
from lms.courses.models import Course, CourseStaff, PublicationState, Topic
from lms.courses.services.search import refresh_search_text
from lms.directory.models import Organisation


@dataclass(frozen=True)
class Description:
    """What a course says of itself in one language; rows keep their other languages."""

    title: str
    summary: str
    description: str
    audience: str
    requirements: str
    outcomes: Sequence[ByLanguage]
    faq: Sequence[Mapping[str, ByLanguage]]


@dataclass(frozen=True)
class Facts:
    """What is the same in all languages of a course.

    minimum_grade: 0..1 or None. certificate_months: how long certificates are valid, or None.
    """

    topic: Topic | None
    level: str
    hours: float
    weeks: int
    languages: list[str]
    owner: Organisation
    partners: Sequence[Organisation]
    minimum_grade: float | None
    certificate_months: int | None
    license: str | None
    signatories: list[dict[str, Any]]


def with_text(texts: Mapping[str, str] | None, language: str, text: str | None) -> ByLanguage:
    """The texts with one language replaced; an empty text takes the language out."""
    text = (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()
    changed = {code: kept for code, kept in (texts or {}).items() if code != language and kept}
    if text:
        changed[language] = text
    return changed


def free_slug(wanted: str) -> str:
    """A course slug like `wanted` that no course has."""
    taken = set(db.session.scalars(select(Course.slug).where(Course.slug.startswith(wanted))))
    candidate, number = wanted, 1
    while candidate in taken:
        number += 1
        candidate = f"{wanted}-{number}"
    return candidate


def create_course(
    key: uuid.UUID,
    author: User,
    *,
    title: str,
    language: str,
    owner: Organisation,
    topic: Topic | None,
    weeks: int,
    hours: float,
) -> Course:
    """Begin a course in one language; its author becomes its first instructor.

    key: chosen by the form, becomes the course's UUID, so that a form sent twice makes one course.
    """
    db.session.execute(select(User.id).where(User.id == author.id).with_for_update())
    known = db.session.scalar(
        select(Course).join(Course.staff).where(Course.uuid == key, CourseStaff.user == author)
    )
    if known is not None:
        return known
    course = Course(
        uuid=key,
        slug=free_slug(slugify(title, "course")[:50]),
        title={language: title.strip()},
        languages=[language],
        topic=topic,
        owner=owner,
        weeks=weeks,
        hours=hours,
        state=PublicationState.DRAFT,
        staff=[CourseStaff(user=author, organisation=owner)],
    )
    db.session.add(course)
    db.session.flush()
    refresh_search_text(course)
    return course


def describe(course: Course, language: str, new: Description) -> None:
    """Write the description in one language; other languages stay as they are."""
    course.title = with_text(course.title, language, new.title)
    course.summary = with_text(course.summary, language, new.summary)
    course.description = with_text(course.description, language, new.description)
    course.audience = with_text(course.audience, language, new.audience)
    course.requirements = with_text(course.requirements, language, new.requirements)
    course.outcomes = [dict(row) for row in new.outcomes if any(row.values())]
    course.faq = [
        {"question": dict(row["question"]), "answer": dict(row["answer"])}
        for row in new.faq
        if any(row["question"].values()) or any(row["answer"].values())
    ]
    refresh_search_text(course)
    db.session.flush()


def change_facts(course: Course, facts: Facts, actor_id: int | None) -> None:
    """Change what is the same in all languages. A new owner is noted in the audit log."""
    if course.owner is not facts.owner:
        audit.record(
            "courses.change_owner",
            course,
            actor_id,
            old=course.owner.slug,
            new=facts.owner.slug,
        )
    course.topic = facts.topic
    course.level = facts.level
    course.hours = facts.hours
    course.weeks = facts.weeks
    course.languages = facts.languages
    course.owner = facts.owner
    _change_partners(course, [p for p in facts.partners if p is not facts.owner], actor_id)
    course.minimum_grade = facts.minimum_grade
    course.certificate_months = facts.certificate_months
    course.license = facts.license
    course.signatories = facts.signatories
    refresh_search_text(course)
    db.session.flush()


def _change_partners(
    course: Course, partners: Sequence[Organisation], actor_id: int | None
) -> None:
    old, new = ({partner.slug for partner in rows} for rows in (course.partners, partners))
    if old != new:
        added, removed = sorted(new - old), sorted(old - new)
        audit.record("courses.change_partners", course, actor_id, added=added, removed=removed)
    course.partners = list(partners)


def leave_out_partners(course: Course, partners: Sequence[Organisation]) -> None:
    """Undo that a package made these organisations partners."""
    course.partners = [partner for partner in course.partners if partner not in partners]
    refresh_search_text(course)
    db.session.flush()


def missing_texts(course: Course, language: str) -> list[str]:
    """Names of the fields that have a text in another language but not in this one."""
    fields: dict[str, Mapping[str, str]] = {
        "title": course.title,
        "summary": course.summary,
        "description": course.description,
        "audience": course.audience,
        "requirements": course.requirements,
    }
    missing = [name for name, texts in fields.items() if is_missing(texts, language)]
    missing += [f"outcomes-{i}" for i, t in enumerate(course.outcomes) if is_missing(t, language)]
    for i, entry in enumerate(course.faq):
        if is_missing(entry["question"], language) or is_missing(entry["answer"], language):
            missing.append(f"faq-{i}")
    return missing


def is_missing(texts: Mapping[str, str] | None, language: str) -> bool:
    """Whether other languages have this text and this one does not."""
    return texts is not None and any(texts.values()) and not texts.get(language)
