"""Keys of other tools."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.xapi.forms import KeyForm
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services import keys
from lms.xapi.views.shared import admin, overview


@admin.get("/")
def show() -> ResponseReturnValue:
    """Keys, forwarding and the newest statements."""
    require("xapi.administer")
    return overview()


@admin.post("/keys")
def add_key() -> ResponseReturnValue:
    """Make a key; its secret is shown on this one page only."""
    require("xapi.administer")
    form = KeyForm()
    if not form.validate_on_submit():
        return overview(422, key_form=form)
    user = signed_in()
    made = keys.make_key(form.name.data or "", KeyScope(form.scope.data), user.id)
    row = db.session.scalars(select(XapiKey).where(XapiKey.key == made[0])).one()
    audit.record("xapi.make_key", row, user.id, scope=row.scope)
    return overview(made=made)


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
