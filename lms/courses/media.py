"""Addresses of a course's pictures and files in its texts."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from lms.courses.models import Course

PREFIX = "media/"


@dataclass(frozen=True)
class MediaLinks:
    """Rewrites `media/<name>` in a course's Markdown to the address of that file."""

    course_slug: str

    def __call__(self, address: str) -> str | None:
        """The address of a course file; None for every other link."""
        if not address.startswith(PREFIX):
            return None
        return media_url(self.course_slug, address)


def media_links(course: Course) -> MediaLinks:
    """The rewriter for the texts of this course."""
    return MediaLinks(course.slug)


def media_url(course_slug: str, reference: str) -> str:
    """The address of a file that a text or setting calls "media/<name>"."""
    return url_for("courses.media", slug=course_slug, name=reference.removeprefix(PREFIX))
