"""What the room accounts adds to the house."""

from __future__ import annotations

from typing import Any

import click
from flask import Blueprint
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lms.accounts import api
from lms.accounts import jobs as room_jobs
from lms.accounts.commands import user_group
from lms.accounts.models import User
from lms.accounts.permissions import Permission, present_user
from lms.accounts.services import closing
from lms.accounts.views import administration, bp
from lms.accounts.views.site_settings import show_notice
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.hookspecs import hookimpl


@hookimpl
def blueprints() -> list[Blueprint]:
    """Pages of the account and of the administration, and drafts."""
    return [bp, administration, api.bp]


@hookimpl
def jobs() -> list[Job]:
    """Letters, downloads and tidying up."""
    return room_jobs.JOBS


@hookimpl
def commands() -> list[click.Command]:
    """`lms user`."""
    return [user_group]


def _is_own(user: User, subject: Any) -> bool:
    return bool(user.id == subject.id)


def _everybody(user: User, subject: Any) -> bool:
    return True


@hookimpl
def permissions() -> list[Permission]:
    """What people may do with accounts."""
    return [
        Permission(
            "accounts.edit_profile",
            lazy_gettext("Change one's own account"),
            _is_own,
            administrators=False,
        ),
        Permission("accounts.keep_drafts", lazy_gettext("Keep one's own drafts"), _everybody),
        Permission("accounts.administer", lazy_gettext("Administer people")),
        Permission("accounts.read_audit", lazy_gettext("Read the audit log")),
        Permission("accounts.change_settings", lazy_gettext("Change the settings of the site")),
        Permission("accounts.run_jobs", lazy_gettext("See jobs and start them again")),
    ]


def _is_stranger() -> bool:
    return present_user() is None


def _is_administrator() -> bool:
    user = present_user()
    return user is not None and user.is_administrator


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The way in, the way out, and one's own account."""
    return [
        NavigationEntry(
            "sign_in", lazy_gettext("Sign in"), "accounts.sign_in", "account", 10, _is_stranger
        ),
        NavigationEntry(
            "register", lazy_gettext("Register"), "accounts.register", "account", 20, _is_stranger
        ),
        NavigationEntry(
            "profile",
            lazy_gettext("My account"),
            "accounts.profile",
            "account",
            30,
            also=("accounts.",),
        ),
        NavigationEntry(
            "sign_out",
            lazy_gettext("Sign out"),
            "accounts.sign_out",
            "account",
            100,
            method="post",
        ),
        NavigationEntry("terms", lazy_gettext("Terms of use"), "accounts.terms", "footer", 90),
        NavigationEntry(
            "administration",
            lazy_gettext("Administration"),
            "administration.home",
            "main",
            90,
            _is_administrator,
            also=("administration.",),
        ),
        _administrators("admin_home", lazy_gettext("Overview"), "administration.home", 0),
        _administrators("admin_people", lazy_gettext("People"), "administration.people", 10),
        _administrators("admin_settings", lazy_gettext("Settings"), "administration.settings", 70),
        _administrators("admin_audit", lazy_gettext("Audit log"), "administration.audit", 80),
        _administrators("admin_jobs", lazy_gettext("Jobs"), "administration.jobs", 90),
    ]


def _administrators(name: str, label: LazyString, endpoint: str, order: int) -> NavigationEntry:
    also = ("administration.person",) if endpoint == "administration.people" else ()
    return NavigationEntry(name, label, endpoint, "admin", order, _is_administrator, also)


@hookimpl
def panels() -> list[Panel]:
    """The notice to all visitors."""
    return [Panel("accounts.notice", "page.notice", show_notice)]


@hookimpl
def personal_data() -> list[PersonalData]:
    """The account itself, drafts and uploads."""
    return [PersonalData("accounts", closing.export, closing.erase)]
