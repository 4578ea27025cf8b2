"""Telling administrators of other stores that get no statements: once, and once when it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.notifications.services import tell
from lms.xapi.models import ForwardingTarget, RefusedByTarget

DOWN_AFTER = timedelta(hours=4)  # without one success; shorter breaks are nobody's business


def watch_targets() -> None:
    """By the clock: tell what has changed. Targets that are paused are left alone."""
    refused = _refused()
    found = select(ForwardingTarget).where(ForwardingTarget.is_active)
    for target in db.session.scalars(found.order_by(ForwardingTarget.id)):
        _watch(target, refused.get(target.id, 0))


def _refused() -> dict[int, int]:
    counted: dict[int, int] = dict(
        db.session.execute(
            select(RefusedByTarget.target_id, func.count()).group_by(RefusedByTarget.target_id)
        ).all()
    )
    return counted


def _watch(target: ForwardingTarget, refused: int) -> None:
    since = target.failing_since
    is_over = False
    if since is None:
        is_over |= _change(target, "told_down_at", is_told=False)
    elif since <= clock.now() - DOWN_AFTER and _change(target, "told_down_at", is_told=True):
        values = {"since": since.isoformat(), "error": target.last_error or ""}
        _tell(target, "xapi.forwarding_down", **values)
    if not refused:
        is_over |= _change(target, "told_refused_at", is_told=False)
    elif _change(target, "told_refused_at", is_told=True):
        _tell(target, "xapi.forwarding_refused", count=refused)
    if is_over and since is None and not refused:
        _tell(target, "xapi.forwarding_well")


def _change(target: ForwardingTarget, name: str, *, is_told: bool) -> bool:
    """Note whether administrators were told; returns whether this changed it.

    Of several workers that watch at the same time, one does.
    """
    column = getattr(ForwardingTarget, name)
    is_new = column.is_(None) if is_told else column.is_not(None)
    done = db.session.execute(
        update(ForwardingTarget)
        .where(ForwardingTarget.id == target.id, is_new)
        .values({name: clock.now() if is_told else None})
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def _tell(target: ForwardingTarget, kind: str, **values: Any) -> None:
    administrators = select(User).where(User.is_administrator, User.closed_at.is_(None))
    for user in db.session.scalars(administrators.order_by(User.id)).all():
        tell(user, kind, target=target.id, name=target.name, **values)
