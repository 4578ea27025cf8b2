"""Keys of other tools."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.once import leads_on
from lms.core.settings import settings
from lms.xapi.collections import REGISTRATION, statement_collections
from lms.xapi.forms import SCOPES, ExpiryForm, KeyForm, RotateForm
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services import keys
from lms.xapi.views.shared import admin, overview


@admin.get("/")
def show() -> ResponseReturnValue:
    """Keys and forwarding."""
    require("xapi.administer")
    return overview()


@admin.get("/keys/new")
def new_key() -> ResponseReturnValue:
    """The form for a new key."""
    require("xapi.administer")
    form = KeyForm().offer(signed_in())
    return render_template("xapi/new_key.html", form=form)


@admin.post("/keys")
def add_key() -> ResponseReturnValue:
    """Make a key; its secret is shown on this one page only."""
    require("xapi.administer")
    user = signed_in()
    form = KeyForm().offer(user)
    if not form.validate_on_submit():
        return render_template("xapi/new_key.html", form=form), 422
    made, secret = keys.make_key(
        form.name.data or "",
        [KeyScope(scope) for scope in form.scopes.data or ()],
        user.id,
        limit=form.chosen_limit(),
        expires_at=form.chosen_expiry(),
    )
    row = db.session.scalars(select(XapiKey).where(XapiKey.key == made)).one()
    audit.record(
        "xapi.make_key",
        row,
        user.id,
        scopes=row.scopes,
        limit=row.limit_kind,
        limited_to=str(row.limit_value) if row.limit_value else None,
        expires_at=row.expires_at.isoformat() if row.expires_at else None,
    )
    leads_on(
        url_for(".show_key", key_id=row.id),
        _("The form was sent twice, the key was made once. Make a new secret if you saw none."),
    )
    return _secret_page(row, secret)


def _secret_page(key: XapiKey, secret: str) -> str:
    endpoint = f"{settings().base_url}/xapi/"
    return render_template("xapi/secret.html", key=key, secret=secret, endpoint=endpoint)


def _key(key_id: int) -> XapiKey:
    key = db.session.get(XapiKey, key_id)
    if key is None:
        raise NotFound
    return key


def _limit_text(key: XapiKey) -> str:
    """What a key is limited to, by the names of things."""
    if key.limit_kind is None:
        return str(_("The whole store"))
    if key.limit_kind == REGISTRATION:
        return str(key.limit_value)
    collection = statement_collections.get(key.limit_kind)
    members = collection.members(signed_in()) if collection else ()
    names = [member.text for member in members if member.value == key.limit_value]
    label = str(collection.label) if collection else key.limit_kind
    return f"{label}: {names[0] if names else key.limit_value}"


def _key_page(key: XapiKey, status: int = 200, **forms: object) -> ResponseReturnValue:
    page = {
        "key": key,
        "scopes": [text for scope, text in SCOPES if scope in key.scopes],
        "limit": _limit_text(key),
        "rotate_form": RotateForm(formdata=None),
        "expiry_form": ExpiryForm(formdata=None),
    }
    return render_template("xapi/key.html", **(page | forms)), status


@admin.get("/keys/<int:key_id>")
def show_key(key_id: int) -> ResponseReturnValue:
    """One key: what it may do, a new secret, its end."""
    require("xapi.administer")
    return _key_page(_key(key_id))


@admin.post("/keys/<int:key_id>/rotate")
def rotate_key(key_id: int) -> ResponseReturnValue:
    """Make a new secret, shown on this one page only."""
    require("xapi.administer")
    key = _key(key_id)
    form = RotateForm()
    if not form.validate_on_submit():
        return _key_page(key, 422, rotate_form=form)
    hours = int(form.overlap.data)
    secret = keys.rotate_key(key, timedelta(hours=hours))
    audit.record("xapi.rotate_key", key, signed_in().id, overlap_hours=hours)
    return _secret_page(key, secret)


@admin.post("/keys/<int:key_id>/expiry")
def set_expiry(key_id: int) -> ResponseReturnValue:
    """Let a key end by itself, or not."""
    require("xapi.administer")
    key = _key(key_id)
    form = ExpiryForm()
    if not form.validate_on_submit():
        return _key_page(key, 422, expiry_form=form)
    expires_at = form.chosen_expiry()
    keys.set_expiry(key, expires_at)
    audit.record(
        "xapi.set_expiry",
        key,
        signed_in().id,
        expires_at=expires_at.isoformat() if expires_at else None,
    )
    flash(_("The last day of the key is changed."), "success")
    return redirect(url_for(".show_key", key_id=key.id), 303)


@admin.post("/keys/<int:key_id>/revoke")
def revoke_key(key_id: int) -> ResponseReturnValue:
    """End a key."""
    require("xapi.administer")
    key = _key(key_id)
    keys.revoke_key(key)
    audit.record("xapi.revoke_key", key, signed_in().id)
    flash(_("The key does not work any more."), "success")
    return redirect(url_for(".show"), 303)
