"""Settings that administrators change in the browser: one row and one typed shape a group."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Literal, TypeVar

from flask import current_app, g
from pydantic import BaseModel, ConfigDict, Field

from lms.core.audit import record
from lms.core.db import ByLanguage, db
from lms.core.models import SiteSetting

NOTICE_KEPT_FOR = 15.0  # seconds in which a server process does not look for a new notice
_NOTICE = "site_notice"


class SettingsGroup(BaseModel):
    """Settings that are changed together; kept as JSON under `name`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: ClassVar[str]


class Notice(SettingsGroup):
    """What all visitors are told at the top of every page; empty: nothing."""

    name = "notice"

    text: ByLanguage = Field(default_factory=dict)  # Markdown
    kind: Literal["info", "warning"] = "info"


Group = TypeVar("Group", bound=SettingsGroup)


def read(group: type[Group]) -> Group:
    """The settings of a group; its defaults while nothing was set. Asked once a request."""
    known: dict[str, Any] = g.setdefault("site_settings", {})
    if group.name not in known:
        row = db.session.get(SiteSetting, group.name)
        known[group.name] = group.model_validate(row.value) if row is not None else group()
    found: Group = known[group.name]
    return found


def write(settings: SettingsGroup, actor_id: int | None) -> bool:
    """Keep the settings of a group and note it in the audit log; False when nothing changed."""
    if read(type(settings)) == settings:
        return False
    row = db.session.merge(SiteSetting(name=settings.name, value=settings.model_dump(mode="json")))
    record("core.change_settings", row, actor_id, setting=settings.name)
    g.site_settings[settings.name] = settings
    current_app.extensions.pop(_NOTICE, None)
    return True


def present_notice() -> Notice:
    """The notice, looked up every few seconds only: every page shows it."""
    now = time.monotonic()
    until, notice = current_app.extensions.get(_NOTICE, (0.0, None))
    if notice is None or until < now:
        notice = read(Notice)
        current_app.extensions[_NOTICE] = (now + NOTICE_KEPT_FOR, notice)
    found: Notice = notice
    return found
