"""Other stores that get copies: list, one of them, what it refused."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import func, select

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.xapi.forms import ChangedTargetForm, TargetForm
from lms.xapi.models import ForwardingTarget, RefusedByTarget, StoredStatement
from lms.xapi.services import forwarding
from lms.xapi.views.shared import admin


def _refused(target_ids: list[int]) -> dict[int, int]:
    """How many statements each target refused."""
    counted: dict[int, int] = dict(
        db.session.execute(
            select(RefusedByTarget.target_id, func.count())
            .where(RefusedByTarget.target_id.in_(target_ids))
            .group_by(RefusedByTarget.target_id)
        ).all()
    )
    return counted


def _list_page(form: TargetForm, status: int = 200) -> ResponseReturnValue:
    targets = db.session.scalars(select(ForwardingTarget).order_by(ForwardingTarget.id)).all()
    page = {
        "targets": targets,
        "lags": {target.id: forwarding.lag(target) for target in targets},
        "refused": _refused([target.id for target in targets]),
        "form": form,
    }
    return render_template("xapi/forwarding.html", **page), status


@admin.get("/forwarding")
def list_targets() -> ResponseReturnValue:
    """All other stores, with how far each has come, and the form for a new one."""
    require("xapi.administer")
    return _list_page(TargetForm().offer(signed_in()))


@admin.post("/forwarding")
def add_target() -> ResponseReturnValue:
    """Begin to forward to another store."""
    require("xapi.administer")
    form = TargetForm().offer(signed_in())
    if not form.validate_on_submit():
        return _list_page(form, 422)
    target = forwarding.add_target(
        form.name.data or "",
        form.endpoint.data or "",
        form.username.data or "",
        form.password.data or "",
        from_now=form.from_now.data,
        wanted=form.selection(),
    )
    audit.record("xapi.add_forwarding", target, signed_in().id, endpoint=target.endpoint)
    flash(_("Statements are being forwarded. The table shows how far it has come."), "success")
    return redirect(url_for(".list_targets"), 303)


def _target(target_id: int) -> ForwardingTarget:
    target = db.session.get(ForwardingTarget, target_id)
    if target is None:
        raise NotFound
    return target


def _target_page(
    target: ForwardingTarget, form: ChangedTargetForm, status: int = 200
) -> ResponseReturnValue:
    page = {
        "target": target,
        "lag": forwarding.lag(target),
        "refused": _refused([target.id]).get(target.id, 0),
        "form": form,
    }
    return render_template("xapi/target.html", **page), status


@admin.get("/forwarding/<int:target_id>")
def show_target(target_id: int) -> ResponseReturnValue:
    """One other store: how far it has come, and what can be changed."""
    require("xapi.administer")
    target = _target(target_id)
    limit = f"{target.limit_kind}:{target.limit_value}" if target.limit_kind else ""
    form = ChangedTargetForm(
        formdata=None,
        name=target.name,
        endpoint=target.endpoint,
        username=target.username,
        verbs="\n".join(target.verbs),
        is_own_only=target.is_own_only,
        limit=limit,
    )
    return _target_page(target, form.offer(signed_in()))


@admin.post("/forwarding/<int:target_id>")
def change_target(target_id: int) -> ResponseReturnValue:
    """Change name, address, secret or filter; what waits is tried at once."""
    require("xapi.administer")
    target = _target(target_id)
    form = ChangedTargetForm().offer(signed_in())
    if not form.validate_on_submit():
        return _target_page(target, form, 422)
    forwarding.change_target(
        target,
        form.name.data or "",
        form.endpoint.data or "",
        form.username.data or "",
        form.password.data or None,
        form.selection(),
    )
    forwarding.wake(target)
    audit.record(
        "xapi.change_forwarding",
        target,
        signed_in().id,
        endpoint=target.endpoint,
        has_new_secret=bool(form.password.data),
    )
    flash(_("The changes are saved."), "success")
    return redirect(url_for(".show_target", target_id=target.id), 303)


@admin.post("/forwarding/<int:target_id>/pause")
def pause_target(target_id: int) -> ResponseReturnValue:
    """Stop forwarding to a store; nothing is lost meanwhile. Safe to repeat."""
    return _set_active(target_id, is_active=False)


@admin.post("/forwarding/<int:target_id>/resume")
def resume_target(target_id: int) -> ResponseReturnValue:
    """Go on forwarding to a store. Safe to repeat."""
    return _set_active(target_id, is_active=True)


def _set_active(target_id: int, *, is_active: bool) -> ResponseReturnValue:
    require("xapi.administer")
    target = _target(target_id)
    if target.is_active != is_active:
        forwarding.set_active(target, is_active)
        act = "xapi.resume_forwarding" if is_active else "xapi.pause_forwarding"
        audit.record(act, target, signed_in().id)
    return redirect(url_for(".show_target", target_id=target.id), 303)


@admin.post("/forwarding/<int:target_id>/now")
def forward_now(target_id: int) -> ResponseReturnValue:
    """Do not wait for the next try."""
    require("xapi.administer")
    target = _target(target_id)
    forwarding.wake(target)
    audit.record("xapi.forward_now", target, signed_in().id)
    flash(_("The next try has been started."), "success")
    return redirect(url_for(".show_target", target_id=target.id), 303)


@admin.get("/forwarding/<int:target_id>/delete")
def ask_to_delete_target(target_id: int) -> ResponseReturnValue:
    """Ask whether to forget a store."""
    require("xapi.administer")
    return render_template("xapi/delete_target.html", target=_target(target_id))


@admin.post("/forwarding/<int:target_id>/delete")
def delete_target(target_id: int) -> ResponseReturnValue:
    """Forget a store."""
    require("xapi.administer")
    target = _target(target_id)
    audit.record("xapi.delete_forwarding", target, signed_in().id, endpoint=target.endpoint)
    forwarding.delete_target(target)
    flash(_("Nothing more is forwarded there."), "success")
    return redirect(url_for(".list_targets"), 303)


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
        counted=select(RefusedByTarget.id).where(RefusedByTarget.target_id == target_id),
    )
    return render_template("xapi/refused.html", target=target, page=page)


@admin.post("/forwarding/<int:target_id>/refused/<int:refused_id>/retry")
def retry_refused(target_id: int, refused_id: int) -> ResponseReturnValue:
    """Send a refused statement once more."""
    require("xapi.administer")
    target = _target(target_id)
    refused = db.session.get(RefusedByTarget, refused_id)
    if refused is None or refused.target_id != target_id:
        raise NotFound
    forwarding.retry_refused(target, refused_id)
    audit.record("xapi.retry_refused", refused, signed_in().id)
    flash(_("It is being sent again."), "success")
    return redirect(url_for(".list_refused", target_id=target_id), 303)


@admin.post("/forwarding/<int:target_id>/refused/retry")
def retry_all_refused(target_id: int) -> ResponseReturnValue:
    """Send all refused statements once more."""
    require("xapi.administer")
    target = _target(target_id)
    count = forwarding.retry_refused(target)
    audit.record("xapi.retry_refused", target, signed_in().id, count=count)
    flash(_("All of them are being sent again."), "success")
    return redirect(url_for(".list_refused", target_id=target_id), 303)
