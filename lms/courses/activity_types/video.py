"""A film: a file of the course with captions, or one embedded from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from wtforms import Form, IntegerField, StringField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from lms.core.files import read_file
from lms.courses.activity_types.base import ActivityType, StudyContext
from lms.courses.activity_types.by_language import (
    ByLanguageField,
    Setting,
    check_by_language,
    is_known_reference,
    media_names,
    of_language,
    setting_language,
)
from lms.courses.activity_types.page import READING_RULES
from lms.courses.errors import PackageError
from lms.courses.media import PREFIX, media_links, media_url
from lms.courses.models import Activity, CourseMedia
from lms.courses.queries.courses import find_media

_KEYS = {"source", "captions", "transcript", "duration", "poster"}
_CUE_TIME = re.compile(r"^[\d:.]+ --> ")
_TAG = re.compile(r"<[^>]+>")
_ID = re.compile(r"[\w-]{3,40}", re.ASCII)


def embed_url(address: str) -> str | None:
    """The address to show a YouTube or Vimeo film without tracking; None for all else."""
    parts = urlsplit(address)
    host = (parts.hostname or "").removeprefix("www.")
    path = parts.path.strip("/").split("/")
    if parts.scheme != "https":
        return None
    if host in ("youtube.com", "m.youtube.com", "youtube-nocookie.com", "youtu.be"):
        name = parse_qs(parts.query).get("v", [path[-1]])[0]
        return f"https://www.youtube-nocookie.com/embed/{name}" if _ID.fullmatch(name) else None
    if host in ("vimeo.com", "player.vimeo.com"):
        return f"https://player.vimeo.com/video/{path[-1]}?dnt=1" if path[-1].isdecimal() else None
    return None


def _is_source(address: str) -> bool:
    return address.startswith(PREFIX) or embed_url(address) is not None


def is_own_film(activity: Activity) -> bool:
    """Whether it is a film of this site, the playing of which can be recorded."""
    return activity.kind == VideoActivity.name and bool(
        media_names(activity.settings.get("source"))
    )


def film_languages(activity: Activity) -> frozenset[str]:
    """The languages spoken in its films, where each has one."""
    source = activity.settings.get("source")
    return frozenset(source) if isinstance(source, Mapping) else frozenset()


def caption_text(webvtt: str) -> str:
    """The words of a caption file, one line each, for those who would rather read."""
    lines: list[str] = []
    is_cue = False
    for line in webvtt.splitlines():
        if _CUE_TIME.match(line):
            is_cue = True
        elif not line.strip():
            is_cue = False
        elif is_cue:
            words = _TAG.sub("", line).strip()
            if words and (not lines or lines[-1] != words):
                lines.append(words)
    return "\n".join(lines)


class VideoSettings(Form):
    """Where a film is and what comes with it."""

    source = ByLanguageField(
        lazy_gettext("Film"),
        [InputRequired()],
        description=lazy_gettext(
            "“media/film.webm”, or an address at YouTube or Vimeo. One line for all languages, or"
            " one for each: “es: media/film.es.webm”."
        ),
    )
    captions = ByLanguageField(
        lazy_gettext("Captions (WebVTT)"),
        [Optional(), is_known_reference],
        description=lazy_gettext("One line for each language: “es: media/film.es.vtt”."),
    )
    transcript = ByLanguageField(lazy_gettext("Transcript, one line for each language"))
    poster = StringField(
        lazy_gettext("Picture shown before it plays"),
        description=lazy_gettext("“media/” and its name."),
    )
    duration = IntegerField(lazy_gettext("Length in seconds"), [Optional(), NumberRange(1, 36000)])

    def validate_source(self, field: ByLanguageField) -> None:
        """Only files of the course and the two services that the pages may embed."""
        values = field.data.values() if isinstance(field.data, Mapping) else [field.data or ""]
        if not all(_is_source(value) for value in values):
            raise ValidationError(
                _("Use a file of this course (“media/…”) or an address at YouTube or Vimeo.")
            )


class VideoActivity(ActivityType):
    """A film to watch, with captions and a transcript."""

    name = "video"
    label = lazy_gettext("Video")
    icon = "video"
    completion_rules: ClassVar[Mapping[str, str | LazyString]] = READING_RULES
    xapi_type = "https://w3id.org/xapi/video/activity-type/video"

    def render(self, context: StudyContext) -> Markup:
        """The player, or the embedded one, with text and transcript."""
        activity = context.activity
        settings = activity.settings
        slug = activity.course.slug
        source = of_language(settings.get("source"))
        captions = settings.get("captions") or {}
        names = media_names(source, captions, settings.get("poster"))
        files = find_media(activity.course_id, names)
        transcript = of_language(settings.get("transcript"))
        language = setting_language(settings.get("transcript"))
        if not transcript and not activity.text:
            transcript, language = _from_captions(captions, files)
        return Markup(  # noqa: S704 - our own template
            render_template(
                "courses/activities/video.html",
                activity=activity,
                links=media_links(activity.course),
                embed=embed_url(source),
                film=files.get(source.removeprefix(PREFIX)),
                film_url=media_url(slug, source),
                film_language=setting_language(settings.get("source")),
                enrolment=context.enrolment,
                run=context.run,
                tracks=_tracks(captions, files, slug),
                poster=media_url(slug, settings["poster"]) if settings.get("poster") else None,
                transcript=transcript,
                transcript_language=language,
            )
        )

    def settings_form(self, activity: Activity | None) -> type[Form]:
        """Film, captions, transcript."""
        return VideoSettings

    def check_settings(self, settings: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Refuse unknown keys and sources that pages may not embed."""
        kept = {key: value for key, value in settings.items() if value not in (None, "", {})}
        for key in kept:
            if key not in _KEYS:
                raise PackageError(where, f"{key}: not a setting of a video")
        if "source" not in kept:
            raise PackageError(where, "source: missing")
        for key in ("source", "captions", "transcript"):
            if key in kept:
                check_by_language(kept[key], where, key)
        source = kept["source"]
        for address in source.values() if isinstance(source, Mapping) else [source]:
            if not _is_source(address):
                raise PackageError(
                    where, f"source: {address}: neither media/… nor an address at YouTube or Vimeo"
                )
        if not isinstance(kept.get("duration", 1), int | float) or kept.get("duration", 1) <= 0:
            raise PackageError(where, "duration: seconds, more than 0")
        return kept

    def problems(self, activity: Activity) -> list[str]:
        """A film must be there, and its captions too."""
        settings = activity.settings
        if not settings.get("source"):
            return [str(_("The film is missing."))]
        names = media_names(*(settings.get(key) for key in ("source", "captions", "poster")))
        missing = sorted(names - {media.name for media in activity.course.media})
        found = [str(_("The file %(name)s is missing.", name=name)) for name in missing]
        has_words = settings.get("captions") or settings.get("transcript") or activity.text
        if media_names(settings["source"]) and not has_words:
            found.append(str(_("The film has neither captions nor a transcript.")))
        return found


def _tracks(captions: Setting, files: dict[str, CourseMedia], slug: str) -> list[tuple[str, str]]:
    by_language = captions if isinstance(captions, Mapping) else {"en": captions or ""}
    return [
        (code, media_url(slug, reference))
        for code, reference in by_language.items()
        if reference.removeprefix(PREFIX) in files
    ]


def _from_captions(captions: Setting, files: dict[str, CourseMedia]) -> tuple[str, str | None]:
    found = files.get(of_language(captions).removeprefix(PREFIX))
    if found is None:
        return "", None
    text = caption_text(read_file(found.file).decode("utf-8", "replace"))
    return text.replace("\n", "\n\n"), setting_language(captions)
