"""A text to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup

from lms.courses.activity_types.base import ActivityType, StudyContext
from lms.courses.media import media_links
from lms.courses.models import Activity

READING_RULES: dict[str, str | LazyString] = {
    "viewed": lazy_gettext("When it has been seen to the end"),
    "marked_done": lazy_gettext("When the learner marks it as done"),
}


class PageActivity(ActivityType):
    """Markdown with pictures, tables and remarks."""

    name = "page"
    label = lazy_gettext("Reading")
    icon = "page"
    completion_rules: ClassVar[Mapping[str, str | LazyString]] = READING_RULES

    def render(self, context: StudyContext) -> Markup:
        """The text."""
        return Markup(  # noqa: S704 - our own template
            render_template(
                "courses/activities/page.html",
                activity=context.activity,
                links=media_links(context.activity.course),
            )
        )

    def problems(self, activity: Activity) -> list[str]:
        """A page needs a text."""
        if any(text.strip() for text in activity.text.values()):
            return []
        return [str(_("This page has no text yet."))]
