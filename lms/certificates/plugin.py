"""What the room certificates adds to the house."""

from __future__ import annotations

import click
from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can
from lms.certificates import jobs as room_jobs
from lms.certificates import notices, statements
from lms.certificates import panels as fragments
from lms.certificates import permissions as rules
from lms.certificates.badge_api import connections, foreign, offers
from lms.certificates.commands import keys_group, verify_command
from lms.certificates.credential_formats.baked import BakedPng, BakedSvg
from lms.certificates.credential_formats.base import CredentialFormat
from lms.certificates.credential_formats.open_badge import OpenBadge, WebToken
from lms.certificates.credential_formats.pdf import Pdf
from lms.certificates.events import CredentialRevoked
from lms.certificates.reports import REPORTS
from lms.certificates.services import batch, holder, programs
from lms.certificates.services.issue import issue_when_cleared, issue_when_completed
from lms.certificates.views import administration as _administration  # noqa: F401
from lms.certificates.views import badges, bp
from lms.certificates.views import connections as connecting
from lms.certificates.views import documents as _documents  # noqa: F401
from lms.certificates.views import holder as _holder  # noqa: F401
from lms.certificates.views import layouts as _layouts  # noqa: F401
from lms.certificates.views import many as _many  # noqa: F401
from lms.certificates.views import offline as _offline  # noqa: F401
from lms.certificates.views import programs as _programs  # noqa: F401
from lms.certificates.views import public as _public  # noqa: F401
from lms.certificates.views import wallets as _wallets  # noqa: F401
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel
from lms.courses.events import CourseCompleted, EnrolmentCleared
from lms.hookspecs import hookimpl
from lms.notifications.kinds import NotificationKind
from lms.reports.base import Report
from lms.xapi.mapping import StatementMapping


@hookimpl
def blueprints() -> list[Blueprint]:
    """Verification, my certificates, administration, documents for programs, Open Badges API."""
    return [bp, badges.bp, connecting.bp]


@hookimpl
def commands() -> list[click.Command]:
    """`lms keys`, `lms verify`."""
    return [keys_group, verify_command]


@hookimpl
def subscriptions() -> list[Subscription]:
    """A completed course is certified; who subscribed is told of revocations."""
    return [
        Subscription(CourseCompleted, issue_when_completed),
        Subscription(EnrolmentCleared, issue_when_cleared),
        Subscription(CredentialRevoked, programs.tell_subscribers),
    ]


@hookimpl
def jobs() -> list[Job]:
    """Drawing PDFs, signing status lists again."""
    return room_jobs.JOBS


@hookimpl
def credential_formats() -> list[CredentialFormat]:
    """PDF, and Open Badges as JSON, token and pictures."""
    return [Pdf(), OpenBadge(), WebToken(), BakedPng(), BakedSvg()]


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """Issued, corrected, revoked; and what keeps a PDF from being made."""
    return notices.KINDS


@hookimpl
def xapi_statements() -> list[StatementMapping]:
    """Who earned a certificate."""
    return statements.MAPPINGS


@hookimpl
def reports() -> list[Report]:
    """Certificates issued and verified."""
    return REPORTS


@hookimpl
def permissions() -> list[Permission]:
    """Who may see, share, revoke and verify in numbers."""
    return rules.all_permissions()


@hookimpl
def panels() -> list[Panel]:
    """The certificate beside its course."""
    return [
        Panel("certificates.mine", "courses.my_course", fragments.my_course),
        Panel("certificates.of_run", "courses.run_links", fragments.run_links),
        Panel("certificates.layout", "courses.course_links", fragments.course_links),
        Panel("certificates.layouts", "directory.organisation", fragments.organisation_links),
    ]


@hookimpl
def navigation() -> list[NavigationEntry]:
    """Verify for everybody, my certificates, administration."""
    return [
        NavigationEntry(
            "verify",
            lazy_gettext("Verify"),
            "certificates.verify",
            order=70,
            also=("certificates.verify", "certificates.batch"),
        ),
        NavigationEntry(
            "my_certificates",
            lazy_gettext("My certificates"),
            "certificates.my_certificates",
            "account",
            15,
            also=("certificates.my_", "badge_connections.connected"),
        ),
        NavigationEntry(
            "certificates",
            lazy_gettext("Certificates"),
            "certificates.administer",
            "admin",
            50,
            shown=lambda: can("certificates.administer"),
            also=("certificates.administer", "certificates.manage", "certificates.re"),
        ),
    ]


@hookimpl
def personal_data() -> list[PersonalData]:
    """Certificates stay verifiable without saying who held them."""
    return [
        PersonalData("certificates", holder.export, holder.erase),
        PersonalData("certificate_batches", batch.export, batch.erase),
        PersonalData("certificate_programs", programs.export, programs.erase),
        PersonalData("connected_apps", connections.export, connections.erase),
        PersonalData("wallets", offers.export, offers.erase),
        PersonalData("certificates_from_elsewhere", foreign.export, foreign.erase),
    ]
