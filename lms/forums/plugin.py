"""What the room forums adds to the house."""

from __future__ import annotations

import click
from flask import Blueprint

from lms.accounts.permissions import Permission
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import Panel
from lms.courses.activity_types.base import ActivityType
from lms.forums import commands as room_commands
from lms.forums import jobs as room_jobs
from lms.forums import notices, statements
from lms.forums import permissions as rules
from lms.forums.forum_activity import ForumActivity
from lms.forums.personal_data import forum_data
from lms.forums.views import bp, moderation, pages, writing
from lms.hookspecs import hookimpl
from lms.notifications.kinds import NotificationKind
from lms.xapi.mapping import StatementMapping

__all__ = ["moderation", "writing"]  # their routes are on bp


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of the room."""
    return [bp]


@hookimpl
def activity_types() -> list[ActivityType]:
    """The forum."""
    return [ForumActivity()]


@hookimpl
def permissions() -> list[Permission]:
    """Who may read, write and moderate."""
    return rules.all_permissions()


@hookimpl
def panels() -> list[Panel]:
    """The forums among an instructor's links of a run."""
    return [Panel("forums.run", "courses.run_links", pages.forums_link)]


@hookimpl
def jobs() -> list[Job]:
    """Telling followers, removing files."""
    return room_jobs.JOBS


@hookimpl
def commands() -> list[click.Command]:
    """Keeping posts drawn."""
    return [room_commands.draw_posts]


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """New discussions, replies, and what instructors did with one's post."""
    return notices.KINDS


@hookimpl
def xapi_statements() -> list[StatementMapping]:
    """Commented."""
    return statements.mappings


@hookimpl
def personal_data() -> list[PersonalData]:
    """Posts and what is followed."""
    return [forum_data]
