"""Pictures and files of a course: kept, replaced, removed, and found in its texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select

from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.files import COURSE_MEDIA, UploadRefused, keep_file
from lms.core.text import slugify
from lms.courses.models import Activity, Course, CourseMedia

MEDIA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z")
_MENTION = re.compile(
    r"(?<![\w/.:-])media/([A-Za-z0-9][A-Za-z0-9._-]*\.[A-Za-z0-9]{1,10})(?![A-Za-z0-9])"
)


class MediaInUse(DomainError):
    """A text or activity of the course refers to the file."""

    message = lazy_gettext(
        "This file is used in the course. Remove it from those texts first, or replace it."
    )


def media_name(name: str) -> str:
    """A name as texts refer to it: ASCII, no spaces. "Año 1.PNG" -> "ano-1.png"."""
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = ending, ""
    ending = re.sub(r"[^a-z0-9]", "", ending.lower())[:10]
    parts = [slugify(part, "") for part in stem.split(".")]
    stem = ".".join(part for part in parts if part)[:100] or "file"
    return f"{stem}.{ending}" if ending else stem


def _free_name(course: Course, name: str) -> str:
    taken = {media.name.casefold() for media in course.media}
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = ending, ""
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem}-{number}{dot}{ending}"
    return candidate


def add_media(
    course: Course, content: bytes, name: str, owner_id: int | None = None
) -> CourseMedia:
    """Keep an uploaded file under a name that is free in the course.

    The same bytes under the same name are kept once. Raises UploadRefused or UploadTooLarge.
    """
    wanted = media_name(name)
    same = next((media for media in course.media if media.name == wanted), None)
    file = keep_file(content, wanted, COURSE_MEDIA, owner_id)
    if same is not None and same.file.sha256 == file.sha256:
        db.session.delete(file)
        db.session.flush()
        return same
    media = CourseMedia(course=course, name=_free_name(course, wanted), file=file)
    db.session.add(media)
    db.session.flush()
    return media


def replace_media(media: CourseMedia, content: bytes, owner_id: int | None = None) -> None:
    """Put other bytes under the same name; the kind must stay the same.

    Raises UploadRefused or UploadTooLarge.
    """
    old = media.file
    file = keep_file(content, media.name, COURSE_MEDIA, owner_id)
    if file.media_type != old.media_type:
        db.session.delete(file)
        db.session.flush()
        raise UploadRefused(
            lazy_gettext(
                "%(name)s is of another kind than the new file. Upload it under its own name.",
                name=media.name,
            )
        )
    media.file = file
    db.session.flush()
    db.session.delete(old)
    db.session.flush()


def remove_media(media: CourseMedia) -> None:
    """Remove a file that nothing refers to. Raises MediaInUse."""
    if media_uses(media.course).get(media.name):
        raise MediaInUse
    file = media.file
    media.course.media.remove(media)
    db.session.flush()
    db.session.delete(file)
    db.session.flush()


def names_in(value: Any) -> set[str]:
    """The names of all media that a text, or any text inside a JSON value, refers to."""
    names: set[str] = set()
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            names.update(_MENTION.findall(part))
        elif isinstance(part, Mapping):
            waiting.extend(part.values())
        elif isinstance(part, Iterable):
            waiting.extend(part)
    return names


def media_uses(course: Course) -> dict[str, list[Activity | Course]]:
    """For each media name: the activities, and the course itself, whose texts refer to it."""
    from lms.courses.activity_types.base import activity_types

    uses: dict[str, list[Activity | Course]] = {}
    own = [course.description, course.audience, course.requirements, course.faq, course.summary]
    for name in names_in(own):
        uses.setdefault(name, []).append(course)
    activities = db.session.scalars(
        select(Activity).where(Activity.course_id == course.id).order_by(Activity.position)
    )
    for activity in activities:
        kind = activity_types.get(activity.kind)
        extra = kind.export_extra(activity) if kind else {}
        for name in names_in([activity.text, activity.settings, extra]):
            uses.setdefault(name, []).append(activity)
    return uses
