"""The exporter of Puente's own format. Equal courses give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from lms.config import LANGUAGES
from lms.core.db import ByLanguage, db
from lms.core.files import read_file
from lms.courses.activity_types.base import activity_types
from lms.courses.models import Activity, Course, Module
from lms.courses.packages.base import Exporter, Tell
from lms.courses.packages.yaml_text import write_yaml

# What authors read first comes first; other keys follow by the alphabet. A database may give the
# keys of JSON back in any order.
_FIRST_KEYS = (
    "id", "kind", "name", "role", "organisation", "question", "answer", "prompt", "single",
    "choices", "correct", "value", "tolerance", "unit", "accept", "case_sensitive", "text",
    "feedback", "points", "source", "captions", "duration", "poster", "file", "attempts",
    "time_limit", "pass_score", "grading", "shuffle", "draw", "minimum_posts",
)  # fmt: skip


class FolderExporter(Exporter):
    """Writes `course.yaml` and what lies beside it. See docs/course-packages.md."""

    name = "folder"
    label = lazy_gettext("Puente course package")

    def write(self, course: Course, folder: Path, tell: Tell | None = None) -> None:
        """Write the course into an empty folder."""
        _Export(course, folder, tell or (lambda done, of, what: None)).run()


class _Export:
    def __init__(self, course: Course, folder: Path, tell: Tell) -> None:
        self.course = course
        self.folder = folder
        self.tell = tell
        self.languages = list(course.languages)
        self.modules = db.session.scalars(
            select(Module)
            .where(Module.course_id == course.id)
            .order_by(Module.position, Module.id)
            .options(selectinload(Module.activities))
        ).all()
        self.steps = len(course.media) + sum(len(m.activities) for m in self.modules) + 1
        self.done = 0

    def run(self) -> None:
        self._write("course.yaml", write_yaml(self._course()))
        self._write_texts("course", self.course.description)
        self._step(_("Course"))
        width = max(2, len(str(len(self.modules))))
        for number, module in enumerate(self.modules, start=1):
            self._module(module, f"modules/{number:0{width}d}-{module.slug}")
        for media in self.course.media:
            self._write(f"media/{media.name}", read_file(media.file))
            self._step(f"media/{media.name}")

    def _step(self, what: str) -> None:
        self.done += 1
        self.tell(self.done, self.steps, what)

    def _write(self, file: str, content: bytes) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _write_texts(self, stem: str, texts: ByLanguage) -> None:
        for language, text in texts.items():
            lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
            if lines.strip():
                self._write(f"{stem}.{language}.md", f"{lines}\n".encode())

    def _course(self) -> dict[str, Any]:
        course = self.course
        hours = int(course.hours) if course.hours == int(course.hours) else course.hours
        completion: dict[str, Any] = {"required_activities": "all"}
        if course.minimum_grade is not None:
            completion["minimum_grade"] = course.minimum_grade
        if course.certificate_months is not None:
            completion["certificate_months"] = course.certificate_months
        data: dict[str, Any] = {
            "format": 1,
            "slug": course.slug,
            "title": self._tidy(course.title),
            "summary": self._tidy(course.summary),
            "topic": course.topic.slug if course.topic else None,
            "level": str(course.level),
            "hours": hours,
            "weeks": course.weeks,
            "languages": self.languages,
            "owner": course.owner.slug,
            "partners": sorted(partner.slug for partner in course.partners),
            "outcomes": self._tidy(course.outcomes),
            "audience": self._tidy(course.audience),
            "requirements": self._tidy(course.requirements),
            "faq": self._tidy(course.faq),
            "signatories": self._tidy(course.signatories),
            "completion": completion,
            "license": course.license,
        }
        return _without_empty(data)

    def _module(self, module: Module, folder: str) -> None:
        data = {
            "title": self._tidy(module.title),
            "summary": self._tidy(module.summary),
            "release_day": module.release_day,
        }
        self._write(f"{folder}/module.yaml", write_yaml(_without_empty(data)))
        activities = sorted(module.activities, key=lambda a: (a.position, a.id))
        width = max(2, len(str(len(activities))))
        for number, activity in enumerate(activities, start=1):
            stem = f"{folder}/{number:0{width}d}-{activity.slug}"
            self._write(f"{stem}.yaml", write_yaml(self._activity(activity)))
            self._write_texts(stem, activity.text)
            self._step(stem)

    def _activity(self, activity: Activity) -> dict[str, Any]:
        kind = activity_types.get(activity.kind)
        data: dict[str, Any] = {
            "kind": activity.kind,
            "title": self._tidy(activity.title),
            "required": activity.is_required,
            "published": None if activity.is_published else False,
            "minutes": activity.minutes,
            "due_day": activity.due_day,
            "completion": activity.completion,
            "settings": self._tidy(activity.settings),
        }
        extra = kind.export_extra(activity) if kind else {}
        return _without_empty(data | {key: self._tidy(value) for key, value in extra.items()})

    def _tidy(self, value: Any) -> Any:
        """The value with its keys in a fixed order, without texts that are empty."""
        if isinstance(value, Mapping):
            if value and all(key in LANGUAGES or key in self.languages for key in value):
                return {
                    key: self._tidy(value[key])
                    for key in sorted(value, key=self._language_order)
                    if value[key] not in ("", None)
                }
            return {key: self._tidy(value[key]) for key in sorted(value, key=_key_order)}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [self._tidy(part) for part in value]
        if isinstance(value, str):
            return value.replace("\r\n", "\n").replace("\r", "\n")
        return value

    def _language_order(self, language: str) -> tuple[int, str]:
        known = language in self.languages
        return (self.languages.index(language) if known else len(self.languages), language)


def _key_order(key: str) -> tuple[int, str]:
    return (_FIRST_KEYS.index(key) if key in _FIRST_KEYS else len(_FIRST_KEYS), key)


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, "", {}, [])}
