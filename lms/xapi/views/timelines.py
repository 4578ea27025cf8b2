"""Timelines: parts of other pages."""

from __future__ import annotations

from flask import render_template
from markupsafe import Markup

from lms.accounts.models import User
from lms.core.db import db
from lms.xapi import queries, vocabulary
from lms.xapi.queries import StatementFilter
from lms.xapi.sentences import sentences
from lms.xapi.services.store import agent_key

# What a learner wants to see of their own way: steps reached, not every click and answer.
_STEPS = ("registered", "launched", "completed", "passed", "failed", "commented", "earned")


def my_timeline(user: User) -> Markup:
    """What the person reached, newest first: a part of their own course page."""
    key = agent_key(vocabulary.actor(user))
    steps = tuple(vocabulary.VERBS[name][0] for name in _STEPS)
    found = queries.list_statements(StatementFilter(agent=key, verbs=steps))
    rows = db.session.scalars(found.limit(12)).all()
    return Markup(render_template("xapi/_timeline.html", lines=sentences(rows), is_own=True))  # noqa: S704


def learner_timeline(enrolment: object) -> Markup:
    """What a learner did in one course run, for its instructors."""
    registration = enrolment.registration  # type: ignore[attr-defined]
    rows = queries.statements_of_registration(registration)
    return Markup(render_template("xapi/_timeline.html", lines=sentences(rows), is_own=False))  # noqa: S704
