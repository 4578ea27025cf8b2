"""A file to download and work with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from wtforms import Form
from wtforms.validators import InputRequired

from lms.courses.activity_types.base import ActivityType, StudyContext
from lms.courses.activity_types.by_language import (
    ByLanguageField,
    check_by_language,
    is_known_reference,
    media_names,
    of_language,
)
from lms.courses.activity_types.page import READING_RULES
from lms.courses.errors import PackageError
from lms.courses.media import PREFIX, media_links, media_url
from lms.courses.models import Activity
from lms.courses.queries.courses import find_media


class FileSettings(Form):
    """Which file it is."""

    file = ByLanguageField(
        lazy_gettext("File"),
        [InputRequired(), is_known_reference],
        description=lazy_gettext(
            "“media/plan.pdf” for all languages, or one line for each: “es: media/plan.es.pdf”."
        ),
    )


class FileActivity(ActivityType):
    """A document, with what to do with it."""

    name = "file"
    label = lazy_gettext("File")
    icon = "file"
    completion_rules: ClassVar[Mapping[str, str | LazyString]] = READING_RULES
    xapi_type = "http://activitystrea.ms/schema/1.0/file"

    def render(self, context: StudyContext) -> Markup:
        """The text, the file in the reader's language, and the others."""
        activity = context.activity
        setting = activity.settings.get("file")
        files = find_media(activity.course_id, media_names(setting))
        mine = of_language(setting)
        by_language = setting if isinstance(setting, Mapping) else {"": setting or ""}
        versions = [
            {
                "language": code,
                "url": media_url(activity.course.slug, reference),
                "file": files[reference.removeprefix(PREFIX)].file,
                "is_mine": reference == mine,
            }
            for code, reference in by_language.items()
            if reference.removeprefix(PREFIX) in files
        ]
        return Markup(  # noqa: S704 - our own template
            render_template(
                "courses/activities/file.html",
                activity=activity,
                links=media_links(activity.course),
                versions=sorted(versions, key=lambda version: not version["is_mine"]),
            )
        )

    def settings_form(self, activity: Activity | None) -> type[Form]:
        """The file, by language."""
        return FileSettings

    def check_settings(self, settings: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Refuse unknown keys and files outside of the course."""
        for key in settings:
            if key != "file":
                raise PackageError(where, f"{key}: not a setting of a file")
        if not settings.get("file"):
            raise PackageError(where, "file: missing")
        check_by_language(settings["file"], where, "file")
        values = settings["file"]
        for value in values.values() if isinstance(values, Mapping) else [values]:
            if not value.startswith(PREFIX):
                raise PackageError(where, f"file: {value}: must begin with media/")
        return dict(settings)

    def problems(self, activity: Activity) -> list[str]:
        """The file must be there."""
        names = media_names(activity.settings.get("file"))
        if not names:
            return [str(_("The file is missing."))]
        missing = sorted(names - {media.name for media in activity.course.media})
        return [str(_("The file %(name)s is missing.", name=name)) for name in missing]
