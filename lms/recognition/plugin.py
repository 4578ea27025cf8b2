"""What the room recognition adds to the house."""

from __future__ import annotations

from flask import Blueprint
from flask_babel import lazy_gettext

from lms.accounts.permissions import Permission, can, present_user
from lms.certificates.events import CredentialIssued, CredentialRevoked
from lms.certificates.register_entries import RegisterEntry
from lms.core.events import Subscription
from lms.core.outbox import Job
from lms.core.personal_data import PersonalData
from lms.core.web import NavigationEntry, Panel, seldom_asked
from lms.courses.events import Enrolled
from lms.directory.events import MembershipEnded, MembershipKept
from lms.hookspecs import hookimpl
from lms.ledger.checks import LedgerCheck, LedgerDocument
from lms.notifications.kinds import NotificationKind
from lms.payments.products import Product
from lms.recognition import fee_product, notices
from lms.recognition import jobs as room_jobs
from lms.recognition import panels as fragments
from lms.recognition import permissions as rules
from lms.recognition.services import awards, ledger, members
from lms.recognition.services import personal_data as data
from lms.recognition.services.prior_learning import awards as prior_learning_awards
from lms.recognition.views import bp


@hookimpl
def blueprints() -> list[Blueprint]:
    """The association's desk, one's own hours."""
    return [bp]


@hookimpl
def permissions() -> list[Permission]:
    """Officers decide for their association, and nobody else."""
    return rules.all_permissions()


@hookimpl
def subscriptions() -> list[Subscription]:
    """Certificates become hours; what was granted before is waived in a new run."""
    return [
        Subscription(CredentialIssued, ledger.credit_issued),
        Subscription(CredentialRevoked, ledger.withdraw_revoked),
        Subscription(MembershipKept, ledger.credit_membership),
        Subscription(MembershipEnded, members.end_consent),
        Subscription(Enrolled, prior_learning_awards.waive_when_enrolled),
    ]


@hookimpl
def register_entries() -> list[RegisterEntry]:
    """Accreditations and endorsements that held on the day of the award."""
    return [
        RegisterEntry("accreditations", awards.accreditations),
        RegisterEntry("endorsements", awards.endorsements),
    ]


@hookimpl
def products() -> list[Product]:
    """The fee of a request for prior learning."""
    return [fee_product.PriorLearningFeePaid()]


@hookimpl
def ledger_checks() -> list[LedgerCheck]:
    """Fees that were paid, and portfolios that went on for them."""
    return fee_product.CHECKS


@hookimpl
def ledger_documents() -> list[LedgerDocument]:
    """Requests whose fee stands in entries."""
    return fee_product.DOCUMENTS


@hookimpl
def jobs() -> list[Job]:
    """Judging certificates by new rules; what the calendar changes."""
    return room_jobs.JOBS


@hookimpl
def notification_kinds() -> list[NotificationKind]:
    """Hours credited, decisions, audits; what waits for officers."""
    return notices.KINDS


def _has_desk() -> bool:
    user = present_user()
    if user is None or user.is_administrator:
        return False
    return seldom_asked("desk", lambda: can("recognition.any_desk"))


@hookimpl
def navigation() -> list[NavigationEntry]:
    """One's hours; the desk for officers."""
    return [
        NavigationEntry(
            "my_hours", lazy_gettext("My hours"), "recognition.my_hours", "account", 17
        ),
        NavigationEntry(
            "prior_learning",
            lazy_gettext("Prior learning"),
            "recognition.my_prior_learning",
            "account",
            17,
        ),
        NavigationEntry(
            "desk",
            lazy_gettext("Association’s desk"),
            "recognition.desks",
            "account",
            18,
            shown=_has_desk,
            also=("recognition.desk",),
        ),
    ]


@hookimpl
def panels() -> list[Panel]:
    """What an association recognises, on its public page; accreditations and endorsements of a
    certificate and of a course."""
    return [
        Panel("recognition.endorsed", "certificates.verdict", fragments.endorsed, order=60),
        Panel("recognition.prior_learning_link", "courses.course_links", fragments.course_link),
        Panel("recognition.course", "courses.course_page", fragments.course),
        Panel("recognition.verdict", "certificates.verdict", fragments.verdict),
        Panel("recognition.evidence", "certificates.my_certificate", fragments.evidence),
        Panel("recognition.association", "directory.organisation", fragments.association),
    ]


@hookimpl
def personal_data() -> list[PersonalData]:
    """Consents, hours, prior learning."""
    return [PersonalData("recognition", data.export, data.erase)]
