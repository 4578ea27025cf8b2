"""The forum as an activity of a course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from wtforms import Form

from lms.accounts.permissions import can
from lms.core.db import db
from lms.courses.activity_types.base import ActivityType, StudyContext
from lms.courses.errors import PackageError
from lms.courses.media import media_links
from lms.courses.models import Activity
from lms.forums import queries
from lms.forums.forms import MAX_MINIMUM, ForumSettingsForm
from lms.forums.models import KIND, Forum, ForumRules

ON_STUDY_PAGE = 10  # discussions; the rest stands on the forum's own page


class ForumActivity(ActivityType):
    """A task, and the discussions about it in this run."""

    name = KIND
    label = lazy_gettext("Forum")
    icon = "forum"
    completion_rules: ClassVar[Mapping[str, str | LazyString]] = {
        "posted": lazy_gettext("When the learner has written enough posts"),
        "marked_done": lazy_gettext("When the learner marks it as done"),
    }
    xapi_type = "discussion"

    def render(self, context: StudyContext) -> Markup:
        """The task, and the newest discussions of the run."""
        activity = context.activity
        values: dict[str, Any] = {"forum": None, "discussions": [], "has_more": False}
        if context.run is not None:
            forum = Forum(context.run, activity)
            is_moderator = context.enrolment is None and can("forums.moderate", forum)
            found = db.session.scalars(
                queries.list_discussions(forum, context.user, is_moderator=is_moderator).limit(
                    ON_STUDY_PAGE + 1
                )
            ).all()
            shown = found[:ON_STUDY_PAGE]
            values = {
                "forum": forum,
                "discussions": shown,
                "has_more": len(found) > len(shown),
                "unread": queries.unread_by_discussion(context.user, [d.id for d in shown]),
                "is_moderator": is_moderator,
                "is_open": is_moderator or not queries.is_over(context.run),
            }
        return Markup(  # noqa: S704 - our own template
            render_template(
                "forums/study.html",
                activity=activity,
                context=context,
                links=media_links(activity.course),
                minimum=ForumRules.of(activity.settings).minimum_posts,
                **values,
            )
        )

    def settings_form(self, activity: Activity | None) -> type[Form]:
        """How many posts complete it."""
        return ForumSettingsForm

    def check_settings(self, settings: Mapping[str, Any], where: str) -> dict[str, Any]:
        """A whole number of posts; nothing else."""
        for key in settings:
            if key != "minimum_posts":
                raise PackageError(f"{where}.{key}", _("A forum has no such setting."))
        minimum = settings.get("minimum_posts")
        if minimum is None:
            return {}
        if type(minimum) is not int or not 1 <= minimum <= MAX_MINIMUM:
            raise PackageError(
                f"{where}.minimum_posts",
                _("Must be a whole number from 1 to %(most)s.", most=MAX_MINIMUM),
            )
        return {"minimum_posts": minimum}

    def problems(self, activity: Activity) -> list[str]:
        """A forum needs a task."""
        if any(text.strip() for text in activity.text.values()):
            return []
        return [str(_("This forum has no task yet: say what people shall write about."))]
