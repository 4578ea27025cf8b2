"""/healthz: the process answers. /readyz: database and file store answer too."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lms.core.db import db
from lms.core.files import file_store
from lms.core.web import own_transaction, public

health = Blueprint("health", __name__)


@health.get("/healthz")
@public
@own_transaction
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@health.get("/readyz")
@public
@own_transaction
def ready() -> ResponseReturnValue:
    """Ready to take requests: 200, else 503 with the part that is not."""
    parts = {"database": "ok", "files": "ok"}
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        parts["database"] = "cannot be reached"
    try:
        file_store().file_system.exists(file_store().root)
    except OSError:
        parts["files"] = "cannot be reached"
    is_ready = set(parts.values()) == {"ok"}
    return jsonify(status="ok" if is_ready else "not ready", **parts), 200 if is_ready else 503
