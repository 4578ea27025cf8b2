"""Finds the plugins and asks each hook once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import pluggy
from flask import Flask

from lms import hookspecs
from lms.config import Settings
from lms.core.events import Event, Subscription
from lms.core.registry import EXTENSION, PluginError, keep

ROOMS = (
    "accounts",
    "notifications",
    "xapi",
    "reports",
    "ledger",
    "invoicing",
    "directory",
    "courses",
    "pricing",
    "scholarships",
    "assessments",
    "payments",
    "forums",
    "certificates",
    "partners",
    "recognition",
    "recovery",
)
# Rooms that others import: the house does not stand without them.
NEEDED = {"accounts", "notifications", "xapi", "reports", "directory", "courses"}
# Rooms that need one which could else be switched off.
STANDS_ON: dict[str, frozenset[str]] = {
    "scholarships": frozenset({"ledger", "pricing"}),
    "payments": frozenset({"ledger", "invoicing", "pricing", "scholarships"}),
    "partners": frozenset({"payments", "ledger", "invoicing", "pricing", "scholarships"}),
    "recognition": frozenset({"certificates"}),
    "recovery": frozenset(
        {"certificates", "payments", "ledger", "invoicing", "pricing", "scholarships"}
    ),
}

# hook -> module and class of the objects it returns; loaded when the first plugin answers
_KINDS = {
    "blueprints": ("flask", "Blueprint"),
    "commands": ("click", "Command"),
    "navigation": ("lms.core.web", "NavigationEntry"),
    "panels": ("lms.core.web", "Panel"),
    "subscriptions": ("lms.core.events", "Subscription"),
    "jobs": ("lms.core.outbox", "Job"),
    "personal_data": ("lms.core.personal_data", "PersonalData"),
    "permissions": ("lms.accounts.permissions", "Permission"),
    "activity_types": ("lms.courses.activity_types.base", "ActivityType"),
    "enrolment_methods": ("lms.courses.enrolment_methods.base", "EnrolmentMethod"),
    "importers": ("lms.courses.packages.base", "Importer"),
    "exporters": ("lms.courses.packages.base", "Exporter"),
    "question_types": ("lms.assessments.question_types.base", "QuestionType"),
    "payment_gateways": ("lms.payments.gateways.base", "PaymentGateway"),
    "products": ("lms.payments.products", "Product"),
    "credential_formats": ("lms.certificates.credential_formats.base", "CredentialFormat"),
    "register_entries": ("lms.certificates.register_entries", "RegisterEntry"),
    "residence_sources": ("lms.pricing.residence", "ResidenceSource"),
    "xapi_statements": ("lms.xapi.mapping", "StatementMapping"),
    "statement_collections": ("lms.xapi.collections", "StatementCollection"),
    "notification_kinds": ("lms.notifications.kinds", "NotificationKind"),
    "notification_channels": ("lms.notifications.channels.base", "NotificationChannel"),
    "reports": ("lms.reports.base", "Report"),
    "ledger_checks": ("lms.ledger.checks", "LedgerCheck"),
    "ledger_documents": ("lms.ledger.checks", "LedgerDocument"),
}


class Plugins:
    """All that the plugins gave: `declared[hook][name]`, and the handlers of each event."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.declared: dict[str, dict[str, Any]] = {hook: {} for hook in _KINDS}
        self.handlers: dict[type[Event], list[Callable[[Any], object]]] = defaultdict(list)


def load_plugins(app: Flask, settings: Settings) -> Plugins:
    """Find the rooms and other packages, ask every hook once and keep the answers.

    Raises PluginError when a plugin cannot be loaded or declares something wrong.
    """
    off = set(settings.plugins_off)
    needed = sorted(off & NEEDED)
    if needed:
        raise PluginError(f"LMS_PLUGINS_OFF: the house needs {', '.join(needed)}")
    for room, under in STANDS_ON.items():
        if room not in off and off & under:
            missing = ", ".join(sorted(off & under))
            raise PluginError(f"LMS_PLUGINS_OFF: {room} needs {missing}: switch it off as well")
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins = Plugins()
    for name, module in _find(off):
        manager.register(module, name)
        plugins.names.append(name)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(str(error)) from None
    for name in plugins.names:
        _ask(name, manager.get_plugin(name), plugins)
    app.extensions[EXTENSION] = plugins
    return plugins


def _find(off: set[str]) -> list[tuple[str, ModuleType]]:
    found = [(room, import_module(f"lms.{room}.plugin")) for room in ROOMS if room not in off]
    for point in sorted(entry_points(group=hookspecs.PROJECT), key=lambda p: p.name):
        if point.name not in off:
            found.append((point.name, point.load()))
    return found


def _ask(name: str, module: Any, plugins: Plugins) -> None:
    for hook, (where, kind_name) in _KINDS.items():
        answer = getattr(module, hook, None)
        if answer is None or not hasattr(answer, f"{hookspecs.PROJECT}_impl"):
            continue
        kind = getattr(import_module(where), kind_name)
        for item in answer():
            keep(hook, kind, name, item, plugins.declared[hook])
            if isinstance(item, Subscription):
                plugins.handlers[item.event].append(item.handler)
