"""Drafts as JSON: what the page's script keeps while somebody types."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import queries
from lms.accounts.models import User
from lms.accounts.permissions import require, signed_in
from lms.accounts.services import drafts
from lms.core import once
from lms.core.errors import InvalidInput, NotFound

bp = Blueprint("drafts", __name__, url_prefix="/drafts")


def _owner(key: str) -> User:
    user = signed_in()
    require("accounts.keep_drafts", user)
    if len(key) > drafts.LONGEST_KEY:
        raise InvalidInput(_("The name of this draft is too long."))
    return user


def _content() -> dict[str, Any]:
    """The JSON object that was sent, or the fields of a form with all their values."""
    if request.is_json:
        content = request.get_json()
        if not isinstance(content, dict):
            raise InvalidInput(_("A draft is a JSON object."))
        return content
    return {
        name: values[0] if len(values) == 1 else values
        for name, values in request.form.lists()
        if name not in ("csrf_token", once.FIELD)
    }


@bp.get("/<path:key>")
def show_draft(key: str) -> ResponseReturnValue:
    """The draft, with the time it was kept."""
    draft = queries.find_draft(_owner(key).id, key)
    if draft is None:
        raise NotFound
    return jsonify(key=key, content=draft.content, updated_at=draft.updated_at.isoformat())


@bp.route("/<path:key>", methods=["PUT", "POST"])
def keep_draft(key: str) -> ResponseReturnValue:
    """Keep a draft in place of the earlier one."""
    draft = drafts.keep_draft(_owner(key), key, _content())
    return jsonify(key=key, updated_at=draft.updated_at.isoformat())


@bp.delete("/<path:key>")
def discard_draft(key: str) -> ResponseReturnValue:
    """Forget a draft."""
    drafts.discard_draft(_owner(key), key)
    return "", 204
