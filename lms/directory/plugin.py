"""What the room directory adds to the house."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template
from flask_babel import lazy_gettext
from markupsafe import Markup
from sqlalchemy import delete

from lms.accounts.models import User
from lms.accounts.permissions import Permission, present_user
from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.directory import queries
from lms.directory.forms import ROLE_LABELS
from lms.directory.models import AssociationMembership, OrganisationRole
from lms.directory.views import bp
from lms.hookspecs import hookimpl


@hookimpl
def blueprints() -> list[Blueprint]:
    """Organisations and memberships."""
    return [bp]


def _manages_any(user: User, subject: Any) -> bool:
    return queries.is_manager_of_any(user)


def _is_own(user: User, subject: Any) -> bool:
    return bool(user.id == subject.id)


@hookimpl
def permissions() -> list[Permission]:
    """Managers change their organisations, administrators all."""
    return [
        Permission("directory.create", lazy_gettext("Add organisations")),
        Permission("directory.manage", lazy_gettext("Manage an organisation"), queries.is_manager),
        Permission("directory.manage_any", lazy_gettext("Manage organisations"), _manages_any),
        Permission(
            "directory.keep_memberships",
            lazy_gettext("Keep one's own memberships"),
            _is_own,
            administrators=False,
        ),
    ]


def _is_administrator() -> bool:
    """Managers find their organisations in their profile: no query for each page's menu."""
    user = present_user()
    return user is not None and user.is_administrator


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The list for everybody, and the way to administration."""
    return [
        NavigationEntry(
            "organisations",
            lazy_gettext("Organisations"),
            "directory.organisations",
            "main",
            60,
            also=("directory.organisation",),
        ),
        NavigationEntry(
            "admin_organisations",
            lazy_gettext("Organisations"),
            "directory.manage_organisations",
            "admin",
            20,
            _is_administrator,
            also=(
                "directory.create_organisation",
                "directory.edit_organisation",
                "directory.manage_people",
            ),
        ),
    ]


def _roles_panel(user: User, **values: Any) -> Markup | None:
    roles, memberships = queries.roles_of(user.id), queries.memberships_of(user.id)
    if not roles and not memberships:
        return None
    page = render_template(
        "directory/_person.html", roles=roles, memberships=memberships, labels=ROLE_LABELS
    )
    return Markup(page)  # noqa: S704


def _own_panel(user: User, **values: Any) -> Markup:
    page = render_template(
        "directory/_own.html",
        roles=queries.roles_of(user.id),
        memberships=queries.memberships_of(user.id),
        labels=ROLE_LABELS,
    )
    return Markup(page)  # noqa: S704


@hookimpl
def panels() -> list[Panel]:
    """Roles and memberships of a person, on the pages about the person."""
    return [
        Panel("directory.roles", "accounts.person", _roles_panel, 20),
        Panel("directory.memberships", "accounts.profile", _own_panel, 20),
    ]


def _export(user_id: int) -> Any:
    return {
        "roles": [
            {"organisation": role.organisation.slug, "role": role.role}
            for role in queries.roles_of(user_id)
        ],
        "memberships": [
            {"association": one.organisation.slug, "number": one.number}
            for one in queries.memberships_of(user_id)
        ],
    }


def _erase(user_id: int) -> None:
    db.session.execute(delete(OrganisationRole).where(OrganisationRole.user_id == user_id))
    db.session.execute(
        delete(AssociationMembership).where(AssociationMembership.user_id == user_id)
    )


@hookimpl
def personal_data() -> list[PersonalData]:
    """Roles in organisations, and memberships."""
    return [PersonalData("directory", _export, _erase)]
