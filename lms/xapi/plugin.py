"""What the xapi room adds to the house."""

from __future__ import annotations

from typing import Any

import click
import orjson
from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission, can
from lms.core.db import db
from lms.core.events import Event, Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.hookspecs import hookimpl
from lms.notifications.kinds import NotificationKind
from lms.xapi import queries, vocabulary
from lms.xapi.api import bp as api
from lms.xapi.commands.keys import keys_group
from lms.xapi.commands.retention import statements_group
from lms.xapi.jobs import JOBS
from lms.xapi.notices import KINDS
from lms.xapi.queries import StatementFilter
from lms.xapi.services.documents import documents_about, forget_documents_about
from lms.xapi.services.record import record
from lms.xapi.services.retention import erase_closed_account
from lms.xapi.services.store import agent_key
from lms.xapi.views import (
    admin,
    browser,
    learner_timeline,
    may_browse,
    my_timeline,
    profile_pages,
    run_link,
)


@hookimpl
def blueprints() -> list[Blueprint]:
    """The endpoint for other tools, its administration, and the browser of statements."""
    return [api, admin, browser, profile_pages]


@hookimpl
def subscriptions() -> list[Subscription]:
    """Every event that has a mapping becomes a statement."""
    return [Subscription(Event, record)]


@hookimpl
def jobs() -> list[Job]:
    """Forwarding."""
    return JOBS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """What administrators are told of forwarding."""
    return KINDS


@hookimpl
def commands() -> list[click.Command]:
    """Keys; statements out and in."""
    return [keys_group, statements_group]


@hookimpl
def permissions() -> list[Permission]:
    """Keys and forwarding are the administrators'; who teaches a run sees its statements."""
    return [
        Permission("xapi.administer", lazy_gettext("Manage keys and forwarding")),
        Permission("xapi.browse", lazy_gettext("Look at statements"), may_browse),
    ]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The administrators' entry."""
    return [
        NavigationEntry(
            "learning_records",
            lazy_gettext("Learning records"),
            "xapi_admin.show",
            "admin",
            80,
            shown=lambda: can("xapi.administer"),
            also=("xapi_admin.", "xapi_browser."),
        )
    ]


@hookimpl
def panels() -> list[Panel]:
    """Timelines: one's own, and a learner's for the instructors."""
    return [
        Panel("xapi.my_timeline", "courses.my_timeline", my_timeline),
        Panel("xapi.learner_timeline", "courses.learner", learner_timeline),
        Panel("xapi.run_link", "courses.run_links", run_link),
    ]


def _export(user_id: int) -> Any:
    user = db.session.get_one(User, user_id)
    key = agent_key(vocabulary.actor(user))
    rows = db.session.scalars(queries.list_statements(StatementFilter(agent=key, ascending=True)))
    return [orjson.loads(row.document) for row in rows]


def _export_documents(user_id: int) -> Any:
    user = db.session.get_one(User, user_id)
    return [
        {
            "kind": document.kind,
            "activity": document.activity,
            "registration": document.registration and str(document.registration),
            "name": document.name,
            "updated_at": document.updated_at.isoformat(),
            "content_type": document.content_type,
            "content": document.content.decode(errors="replace"),
        }
        for document in documents_about(agent_key(vocabulary.actor(user)) or "")
    ]


def _erase(user_id: int) -> None:
    """Make the person's records anonymous, or delete them: LMS_RECORDS_OF_CLOSED_ACCOUNTS."""
    erase_closed_account(db.session.get_one(User, user_id))


def _erase_documents(user_id: int) -> None:
    """What content kept about a person is nobody's business once the account is closed."""
    user = db.session.get_one(User, user_id)
    forget_documents_about(agent_key(vocabulary.actor(user)) or "")


@hookimpl
def personal_data() -> list[PersonalData]:
    """A person's statements, and what content kept about the person."""
    return [
        PersonalData("xapi", _export, _erase),
        PersonalData("xapi_documents", _export_documents, _erase_documents),
    ]
