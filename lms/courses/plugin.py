"""What the room courses adds to the house."""

from __future__ import annotations

import click
from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, present_user
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.courses import authoring_notices, authoring_permissions, notices
from lms.courses import commands as room_commands
from lms.courses import jobs as room_jobs
from lms.courses import permissions as rules
from lms.courses.activity_types.base import ActivityType
from lms.courses.activity_types.file import FileActivity
from lms.courses.activity_types.page import PageActivity
from lms.courses.activity_types.video import VideoActivity
from lms.courses.collections import COLLECTIONS
from lms.courses.enrolment_methods.base import EnrolmentMethod
from lms.courses.enrolment_methods.free import FreeEnrolment
from lms.courses.packages.base import Exporter, Importer
from lms.courses.packages.folder_export import FolderExporter
from lms.courses.packages.folder_import import FolderImporter
from lms.courses.reports import PERMISSION as READ_REPORTS
from lms.courses.reports import REPORTS
from lms.courses.services.personal_data import erase_person, export_person
from lms.courses.statements import all_statements
from lms.courses.views import bp, calendar, catalogue, enrolment, media, playback, study
from lms.courses.views.authoring import contents, learners, packages, people, runs
from lms.courses.views.authoring import courses as authoring
from lms.courses.views.authoring import media as authoring_media
from lms.courses.views.authoring.common import is_author
from lms.hookspecs import hookimpl
from lms.notifications.kinds import NotificationKind
from lms.reports.base import Report
from lms.xapi.collections import StatementCollection
from lms.xapi.mapping import StatementMapping

__all__ = [
    "authoring",
    "authoring_media",
    "calendar",
    "catalogue",
    "contents",
    "enrolment",
    "learners",
    "media",
    "packages",
    "people",
    "playback",
    "runs",
    "study",
]


@hookimpl
def blueprints() -> list[Blueprint]:
    """The pages of the room."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Who may see, enter, study and edit courses."""
    return [*rules.all_permissions(), *authoring_permissions.PERMISSIONS, READ_REPORTS]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """The catalogue, and one's own courses."""
    return [
        NavigationEntry(
            "my-courses",
            lazy_gettext("My courses"),
            "courses.my_courses",
            order=10,
            shown=lambda: present_user() is not None,
            also=("courses.study", "courses.calendar", "courses.leave"),
        ),
        NavigationEntry(
            "courses",
            lazy_gettext("Courses"),
            "courses.course_list",
            order=20,
            also=("courses.home", "courses.course_page", "courses.enrol", "courses.waiting_list"),
        ),
        NavigationEntry(
            "teaching",
            lazy_gettext("Teaching"),
            "courses.teach",
            order=15,
            shown=is_author,
            also=("courses.teach_",),
        ),
    ]


@hookimpl
def panels() -> list[Panel]:
    """What an organisation teaches."""
    return [
        Panel("courses.of_organisation", "directory.organisation", catalogue.organisation_courses)
    ]


@hookimpl
def reports() -> list[Report]:
    """Enrolments and completions, and the learners behind them."""
    return REPORTS


@hookimpl
def activity_types() -> list[ActivityType]:
    """Texts to read, films to watch, files to work with."""
    return [PageActivity(), VideoActivity(), FileActivity()]


@hookimpl
def enrolment_methods() -> list[EnrolmentMethod]:
    """Runs that cost nothing."""
    return [FreeEnrolment()]


@hookimpl
def importers() -> list[Importer]:
    """Puente's own package format."""
    return [FolderImporter()]


@hookimpl
def exporters() -> list[Exporter]:
    """Puente's own package format."""
    return [FolderExporter()]


@hookimpl
def commands() -> list[click.Command]:
    """Packages in and out."""
    return [room_commands.import_course, room_commands.export_course]


@hookimpl
def subscriptions() -> list[Subscription]:
    """What learners are told when something happens to their places."""
    return notices.SUBSCRIPTIONS


@hookimpl
def jobs() -> list[Job]:
    """Expired places and reminders; messages to a cohort, completions to be looked at again."""
    return [*room_jobs.JOBS, *authoring_notices.JOBS]


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """What learners are told, and what instructors write to them."""
    return [*notices.KINDS, *authoring_notices.NOTIFICATION_KINDS]


@hookimpl
def xapi_statements() -> list[StatementMapping]:
    """Enrolled, launched, started, completed, left."""
    return all_statements()


@hookimpl
def statement_collections() -> list[StatementCollection]:
    """An organisation's courses, a course, a course run."""
    return COLLECTIONS


@hookimpl
def personal_data() -> list[PersonalData]:
    """Enrolments, progress, teaching."""
    return [PersonalData("courses", export_person, erase_person)]
