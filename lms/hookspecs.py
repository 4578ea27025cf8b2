"""Every way to extend Puente, on one page.

A plugin (a room of this house, or another package with an entry point in the group `puente`)
answers some of these hooks with lists of declared objects. Each hook is asked once, at start-up;
none is called during a request. `docs/hooks.md` shows an example of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click
    from flask import Blueprint

    from lms.accounts.permissions import Permission
    from lms.assessments.question_types.base import QuestionType
    from lms.certificates.credential_formats.base import CredentialFormat
    from lms.certificates.register_entries import RegisterEntry
    from lms.core.events import Subscription
    from lms.core.outbox import Job
    from lms.core.personal_data import PersonalData
    from lms.core.web import NavigationEntry, Panel
    from lms.courses.activity_types.base import ActivityType
    from lms.courses.enrolment_methods.base import EnrolmentMethod
    from lms.courses.packages.base import Exporter, Importer
    from lms.ledger.checks import LedgerCheck, LedgerDocument
    from lms.notifications.channels.base import NotificationChannel
    from lms.notifications.kinds import NotificationKind
    from lms.payments.gateways.base import PaymentGateway
    from lms.payments.products import Product
    from lms.pricing.residence import ResidenceSource
    from lms.reports.base import Report
    from lms.xapi.collections import StatementCollection
    from lms.xapi.mapping import StatementMapping

PROJECT = "puente"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def blueprints() -> list[Blueprint]:
    """Routes: Flask blueprints, each with its own URL prefix."""
    return []


@hookspec
def commands() -> list[click.Command]:
    """Commands and groups added to the `lms` command line."""
    return []


@hookspec
def navigation() -> list[NavigationEntry]:
    """Entries of the masthead, the account menu and the administrators' menu."""
    return []


@hookspec
def panels() -> list[Panel]:
    """Fragments shown at named places of other rooms' pages."""
    return []


@hookspec
def subscriptions() -> list[Subscription]:
    """Handlers of domain events, run in the transaction of the event."""
    return []


@hookspec
def jobs() -> list[Job]:
    """Work done after commit, or by the clock."""
    return []


@hookspec
def personal_data() -> list[PersonalData]:
    """What is kept about a person: how to export it and how to erase it."""
    return []


@hookspec
def permissions() -> list[Permission]:
    """Names of what can be allowed, each with its rule."""
    return []


@hookspec
def activity_types() -> list[ActivityType]:
    """Kinds of activity that a module can hold."""
    return []


@hookspec
def enrolment_methods() -> list[EnrolmentMethod]:
    """Ways into a course run."""
    return []


@hookspec
def importers() -> list[Importer]:
    """Readers of course package formats."""
    return []


@hookspec
def exporters() -> list[Exporter]:
    """Writers of course package formats."""
    return []


@hookspec
def question_types() -> list[QuestionType]:
    """Kinds of question a quiz can hold, each with its form and its grading rule."""
    return []


@hookspec
def payment_gateways() -> list[PaymentGateway]:
    """Ways to pay an order."""
    return []


@hookspec
def products() -> list[Product]:
    """What can be bought."""
    return []


@hookspec
def residence_sources() -> list[ResidenceSource]:
    """What rooms above the prices know of where people live."""
    return []


@hookspec
def credential_formats() -> list[CredentialFormat]:
    """Documents made of an issued credential."""
    return []


@hookspec
def register_entries() -> list[RegisterEntry]:
    """What other rooms know of an award, to stand in the register and on its certificate."""
    return []


@hookspec
def xapi_statements() -> list[StatementMapping]:
    """How a domain event becomes an xAPI statement."""
    return []


@hookspec
def statement_collections() -> list[StatementCollection]:
    """Kinds of thing that statements are about, to which a key can be limited."""
    return []


@hookspec
def notification_kinds() -> list[NotificationKind]:
    """Messages that people can receive."""
    return []


@hookspec
def notification_channels() -> list[NotificationChannel]:
    """Ways to send a message."""
    return []


@hookspec
def reports() -> list[Report]:
    """Tables that administrators and instructors can read and download."""
    return []


@hookspec
def ledger_checks() -> list[LedgerCheck]:
    """Comparisons of the ledger with what a room knows, for `lms ledger check`."""
    return []


@hookspec
def ledger_documents() -> list[LedgerDocument]:
    """What entries of the ledger are about, in words and with a page."""
    return []
