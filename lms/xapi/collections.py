"""Statements that belong together, such as those of one course run: what keys are limited to."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_babel.speaklater import LazyString
from sqlalchemy import Select

from lms.accounts.models import User
from lms.core.registry import Registered

REGISTRATION = "registration"  # the limit that needs no collection


@dataclass(frozen=True)
class Member:
    """One course run, course or organisation, as a person chooses it."""

    value: uuid.UUID
    text: str


@dataclass(frozen=True)
class StatementCollection:
    """A kind of thing that statements are about: a course run, a course, an organisation.

    activities: the IRIs of a member; a statement belongs to it that names one of them as its
    object or in its context. registrations: a select of the registrations whose statements belong
    to it as well. members: those whose statements the person may read, newest first.
    can_browse: whether the browser of statements offers its members as a filter.
    """

    name: str
    label: str | LazyString
    activities: Callable[[uuid.UUID], Sequence[str]]
    registrations: Callable[[uuid.UUID], Select[uuid.UUID]]
    members: Callable[[User], Sequence[Member]]
    can_browse: bool = False


statement_collections: Registered[StatementCollection] = Registered(
    "statement_collections", StatementCollection
)
