"""Other stores that get copies."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.xapi.forms import TargetForm
from lms.xapi.models import ForwardingTarget, RefusedByTarget, StoredStatement
from lms.xapi.services import forwarding
from lms.xapi.views.shared import admin, overview


@admin.post("/forwarding")
def add_target() -> ResponseReturnValue:
    """Begin to forward to another store."""
    require("xapi.administer")
    form = TargetForm()
    if not form.validate_on_submit():
        return overview(422, target_form=form)
    target = forwarding.add_target(
        form.name.data or "",
        form.endpoint.data or "",
        form.username.data or "",
        form.password.data or "",
        from_now=form.from_now.data,
    )
    audit.record("xapi.add_forwarding", target, signed_in().id)
    flash(_("Statements are being forwarded. The table shows how far it has come."), "success")
    return redirect(url_for(".show"), 303)


def _target(target_id: int) -> ForwardingTarget:
    target = db.session.get(ForwardingTarget, target_id)
    if target is None:
        raise NotFound
    return target


@admin.post("/forwarding/<int:target_id>/pause")
def pause_target(target_id: int) -> ResponseReturnValue:
    """Stop or go on forwarding to a store; nothing is lost meanwhile."""
    require("xapi.administer")
    target = _target(target_id)
    target.is_active = not target.is_active
    if target.is_active:
        forwarding.wake(target)
    audit.record("xapi.pause_forwarding", target, signed_in().id, is_active=target.is_active)
    return redirect(url_for(".show"), 303)


@admin.post("/forwarding/<int:target_id>/now")
def forward_now(target_id: int) -> ResponseReturnValue:
    """Do not wait for the next try."""
    require("xapi.administer")
    target = _target(target_id)
    forwarding.wake(target)
    audit.record("xapi.forward_now", target, signed_in().id)
    flash(_("The next try has been started."), "success")
    return redirect(url_for(".show"), 303)


@admin.get("/forwarding/<int:target_id>/refused")
def list_refused(target_id: int) -> ResponseReturnValue:
    """What the other store does not take, with its reasons."""
    require("xapi.administer")
    target = _target(target_id)
    page = paginate(
        select(RefusedByTarget, StoredStatement)
        .join(StoredStatement, StoredStatement.id == RefusedByTarget.statement_pk)
        .where(RefusedByTarget.target_id == target_id)
        .order_by(RefusedByTarget.id.desc()),
        page_number(),
        scalars=False,
    )
    return render_template("xapi/refused.html", target=target, page=page)


@admin.post("/forwarding/<int:target_id>/refused/<int:refused_id>/retry")
def retry_refused(target_id: int, refused_id: int) -> ResponseReturnValue:
    """Send a refused statement once more."""
    require("xapi.administer")
    refused = db.session.get(RefusedByTarget, refused_id)
    if refused is None or refused.target_id != target_id:
        raise NotFound
    forwarding.retry_refused(refused)
    audit.record("xapi.retry_refused", refused, signed_in().id)
    flash(_("It is being sent again."), "success")
    return redirect(url_for(".list_refused", target_id=target_id), 303)
