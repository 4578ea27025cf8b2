"""Each hook, answered by a package that Puente does not know."""

from __future__ import annotations

import importlib.metadata
import types
from collections.abc import Iterator
from dataclasses import dataclass

import click
import pytest
from flask import Blueprint, Flask
from markupsafe import Markup

from lms.accounts.permissions import Permission, may
from lms.app import create_app
from lms.assessments.question_types.base import QuestionType, question_types
from lms.certificates.credential_formats.base import CredentialFormat, credential_formats
from lms.certificates.register_entries import RegisterEntry, register_entries
from lms.config import Settings
from lms.core.db import Model, db
from lms.core.events import Event, Subscription, emit
from lms.core.outbox import Job, enqueue, run_due
from lms.core.personal_data import PersonalData, personal_data
from lms.core.web import NavigationEntry, Panel, public, show_panels
from lms.courses.activity_types.base import ActivityType, activity_types
from lms.courses.enrolment_methods.base import EnrolmentMethod, enrolment_methods
from lms.courses.packages.base import Exporter, Importer, exporters, importers
from lms.hookspecs import hookimpl
from lms.ledger.checks import LedgerCheck, LedgerDocument, Unexplained, ledger_documents
from lms.ledger.kinds import Difference
from lms.ledger.services.check import unexplained
from lms.notifications.channels.base import NotificationChannel, notification_channels
from lms.notifications.kinds import NotificationKind, notification_kinds
from lms.payments.gateways.base import PaymentGateway, payment_gateways
from lms.payments.products import Product, products
from lms.pricing.queries import facts_of
from lms.pricing.residence import Fact, FactKind, ResidenceSource, residence_sources
from lms.reports.base import Report, reports
from lms.xapi.collections import StatementCollection
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.vocabulary import activity
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment


@dataclass(frozen=True)
class BridgeCrossed(Event):
    """Something that only the package knows."""

    user: object


def make(kind: type, name: str = "bridge"):
    """An object of an extension base class that does nothing of its own."""
    concrete = type(f"Bridge{kind.__name__}", (kind,), {"name": name, "label": "Bridge"})
    concrete.__abstractmethods__ = frozenset()
    return concrete()


def make_plugin(log: list) -> types.ModuleType:
    plugin = types.ModuleType("bridge_plugin")
    pages = Blueprint("bridge", "bridge", url_prefix="/bridge")

    @pages.get("/")
    @public
    def show() -> str:
        return "the bridge"

    def statement(event: BridgeCrossed):
        yield StatementDraft(event.user, "experienced", activity("urn:bridge", "lesson", {}))

    answers = {
        "blueprints": [pages],
        "commands": [click.Command("cross", callback=lambda: click.echo("crossed"))],
        "navigation": [NavigationEntry("bridge", "The bridge", "bridge.show")],
        "panels": [Panel("bridge", "bridge.place", lambda **v: Markup("<p>{}</p>").format(v["x"]))],
        "subscriptions": [Subscription(BridgeCrossed, log.append)],
        "jobs": [Job("bridge.paint", lambda colour: log.append(colour))],
        "personal_data": [PersonalData("bridge", lambda user_id: [user_id], log.append)],
        "permissions": [Permission("bridge.cross", "Cross", lambda user, x: x == "day")],
        "activity_types": [make(ActivityType)],
        "enrolment_methods": [make(EnrolmentMethod)],
        "importers": [make(Importer)],
        "exporters": [make(Exporter)],
        "question_types": [make(QuestionType)],
        "payment_gateways": [make(PaymentGateway)],
        "products": [make(Product)],
        "residence_sources": [
            ResidenceSource("bridge", lambda user_id: [Fact(FactKind.PROOF, "BO")])
        ],
        "credential_formats": [make(CredentialFormat)],
        "register_entries": [RegisterEntry("bridge", lambda enrolment: enrolment.method)],
        "xapi_statements": [StatementMapping("bridge", BridgeCrossed, statement)],
        "statement_collections": [
            StatementCollection("bridge", "Bridge", lambda v: [], lambda v: None, lambda u: [])
        ],
        "notification_kinds": [NotificationKind("bridge.open", "Open", lambda v: "Open", "x.md")],
        "notification_channels": [make(NotificationChannel)],
        "reports": [make(Report)],
        "ledger_checks": [LedgerCheck("bridge", lambda: [Unexplained(Difference.SUM, "toll")])],
        "ledger_documents": [LedgerDocument("toll", lambda keys: {"1": "First"}, lambda key: "/t")],
    }
    for hook, objects in answers.items():
        setattr(plugin, hook, hookimpl(lambda objects=objects: objects))
    return plugin


@pytest.fixture
def log() -> list:
    return []


@pytest.fixture
def house(tmp_path, monkeypatch, log) -> Iterator[Flask]:
    """The app with the package installed beside it."""
    plugin = make_plugin(log)

    class Point:
        name = "bridge"

        def load(self):
            return plugin

    monkeypatch.setattr("lms.plugins.entry_points", lambda group: [Point()])
    assert importlib.metadata.entry_points  # the real finder is tested with the example package
    app = create_app(Settings(data_dir=tmp_path, secret_key="k"), testing=True)
    with app.app_context():
        Model.metadata.create_all(db.engine)
        yield app
        db.session.close()
        db.engine.dispose()


def test_blueprints_give_pages_and_navigation_gives_their_entry(house):
    answer = house.test_client().get("/bridge/")

    assert answer.text == "the bridge"
    assert "The bridge" in house.test_client().get("/empty").text


def test_commands_join_the_command_line(house):
    assert house.test_cli_runner().invoke(args=["cross"]).output == "crossed\n"


def test_panels_show_fragments_with_escaped_values(house):
    with house.test_request_context():
        assert show_panels("bridge.place", x="<b>") == "<p>&lt;b&gt;</p>"
        assert show_panels("another.place") == ""


def test_subscriptions_hear_events_and_xapi_statements_record_them(house, log):
    from lms.xapi.models import StoredStatement

    event = BridgeCrossed(make_user())
    emit(event)

    assert log == [event]
    assert db.session.query(StoredStatement).one().object_key == "urn:bridge"


def test_jobs_are_done_after_commit(house, log):
    enqueue("bridge.paint", colour="red")
    db.session.commit()

    run_due()

    assert log == ["red"]


def test_permissions_follow_their_rule(house):
    user = make_user()

    assert may(user, "bridge.cross", "day")
    assert not may(user, "bridge.cross", "night")
    assert not may(None, "bridge.cross", "day")
    assert may(make_user(is_administrator=True), "bridge.cross", "night")


def test_personal_data_is_exported_and_erased(house, log):
    assert personal_data["bridge"].export(7) == [7]
    personal_data["bridge"].erase(7)
    assert log == [7]


@pytest.mark.parametrize(
    ("registered", "kind"),
    [
        (activity_types, ActivityType),
        (enrolment_methods, EnrolmentMethod),
        (importers, Importer),
        (exporters, Exporter),
        (question_types, QuestionType),
        (payment_gateways, PaymentGateway),
        (products, Product),
        (credential_formats, CredentialFormat),
        (notification_channels, NotificationChannel),
        (reports, Report),
    ],
    ids=lambda value: value.hook if hasattr(value, "hook") else "",
)
def test_extension_points_hold_the_packages_object_beside_our_own(house, registered, kind):
    assert isinstance(registered["bridge"], kind)
    assert len(registered) > 1


def test_notification_kinds_can_be_told(house):
    assert notification_kinds["bridge.open"].subject({}) == "Open"


def test_ledger_checks_are_part_of_the_check(house):
    assert [found.where for found in unexplained()] == ["toll"]


def test_ledger_documents_name_what_entries_are_about(house):
    toll = ledger_documents["toll"]

    assert (toll.labels(["1"]), toll.url("1")) == ({"1": "First"}, "/t")


def test_register_entries_stand_in_what_is_certified(house):
    from lms.certificates.facts import collect

    enrolment = make_enrolment(method="voucher")

    assert register_entries["bridge"].collect(enrolment) == "voucher"
    assert collect(enrolment, "Ana")["bridge"] == "voucher"


def test_residence_sources_say_where_people_live(house):
    assert residence_sources["bridge"].facts(1) == [Fact(FactKind.PROOF, "BO")]
    assert facts_of(make_user()) == (Fact(FactKind.PROOF, "BO"),)
