"""The blueprint of the administration, and its first page, which several views answer with."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lms.core import clock
from lms.core.db import db
from lms.core.settings import settings
from lms.xapi import queries
from lms.xapi.forms import SCOPES

admin = Blueprint(
    "xapi_admin", __name__, template_folder="../templates", url_prefix="/admin/learning-records"
)


def overview(status: int = 200, **values: object) -> ResponseReturnValue:
    """The page with the keys; values replace what it shows."""
    page = {
        "keys": db.session.scalars(queries.list_keys()).all(),
        "endpoint": f"{settings().base_url}/xapi/",
        "now": clock.now(),
        "scopes": SCOPES,
    }
    return render_template("xapi/admin.html", **(page | values)), status
