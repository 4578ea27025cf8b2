"""Pages: keys and forwarding for administrators; timelines as parts of other pages."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import func, select

from lms.accounts.models import User
from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.web import page_number
from lms.xapi import queries, vocabulary
from lms.xapi.forms import KeyForm, TargetForm
from lms.xapi.models import (
    ForwardingTarget,
    KeyScope,
    RefusedByTarget,
    StoredStatement,
    XapiKey,
)
from lms.xapi.queries import StatementFilter
from lms.xapi.sentences import sentences
from lms.xapi.services import forwarding, keys
from lms.xapi.services.store import agent_key

admin = Blueprint(
    "xapi_admin", __name__, template_folder="templates", url_prefix="/admin/learning-records"
)


def _page(status: int = 200, **values: object) -> ResponseReturnValue:
    targets = db.session.scalars(select(ForwardingTarget).order_by(ForwardingTarget.id)).all()
    refused: dict[int, int] = dict(
        db.session.execute(
            select(RefusedByTarget.target_id, func.count()).group_by(RefusedByTarget.target_id)
        ).all()
    )
    page = {
        "keys": db.session.scalars(queries.list_keys()).all(),
        "targets": targets,
        "waiting": {target.id: forwarding.waiting(target) for target in targets},
        "refused": refused,
        "endpoint": f"{settings().base_url}/xapi/",
        "count": db.session.scalar(select(func.count()).select_from(StoredStatement)),
        "key_form": KeyForm(formdata=None),
        "target_form": TargetForm(formdata=None),
        "made": None,
    }
    return render_template("xapi/admin.html", **(page | values)), status


@admin.get("/")
def show() -> ResponseReturnValue:
    """Keys, forwarding and the newest statements."""
    require("xapi.administer")
    return _page()


@admin.post("/keys")
def add_key() -> ResponseReturnValue:
    """Make a key; its secret is shown on this one page only."""
    require("xapi.administer")
    form = KeyForm()
    if not form.validate_on_submit():
        return _page(422, key_form=form)
    user = signed_in()
    made = keys.make_key(form.name.data or "", KeyScope(form.scope.data), user.id)
    row = db.session.scalars(select(XapiKey).where(XapiKey.key == made[0])).one()
    audit.record("xapi.make_key", row, user.id, scope=row.scope)
    return _page(made=made)


@admin.post("/keys/<int:key_id>/revoke")
def revoke_key(key_id: int) -> ResponseReturnValue:
    """End a key."""
    require("xapi.administer")
    key = db.session.get(XapiKey, key_id)
    if key is None:
        raise NotFound
    keys.revoke_key(key)
    audit.record("xapi.revoke_key", key, signed_in().id)
    flash(_("The key does not work any more."), "success")
    return redirect(url_for(".show"), 303)


@admin.post("/forwarding")
def add_target() -> ResponseReturnValue:
    """Begin to forward to another store."""
    require("xapi.administer")
    form = TargetForm()
    if not form.validate_on_submit():
        return _page(422, target_form=form)
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


# What a learner wants to see of their own way: steps reached, not every click and answer.
_STEPS = ("registered", "launched", "completed", "passed", "failed", "commented", "earned")


def my_timeline(user: User) -> Markup:
    """What the person reached, newest first: a part of their own course page."""
    key = agent_key(vocabulary.actor(user))
    steps = tuple(vocabulary.VERBS[name][0] for name in _STEPS)
    found = queries.list_statements(StatementFilter(agent=key, verbs=steps))
    rows = db.session.scalars(found.limit(12)).all()
    return Markup(render_template("xapi/_timeline.html", lines=sentences(rows), is_own=True))  # noqa: S704


def learner_timeline(enrolment: object) -> Markup:
    """What a learner did in one course run, for its instructors."""
    registration = enrolment.registration  # type: ignore[attr-defined]
    rows = queries.statements_of_registration(registration)
    return Markup(render_template("xapi/_timeline.html", lines=sentences(rows), is_own=False))  # noqa: S704
