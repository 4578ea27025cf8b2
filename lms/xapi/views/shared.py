"""The blueprint of the administration, and its first page, which several views answer with."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.core.settings import settings
from lms.xapi import queries
from lms.xapi.forms import TargetForm
from lms.xapi.models import ForwardingTarget, RefusedByTarget
from lms.xapi.services import forwarding

admin = Blueprint(
    "xapi_admin", __name__, template_folder="../templates", url_prefix="/admin/learning-records"
)


def overview(status: int = 200, **values: object) -> ResponseReturnValue:
    """The page with keys and forwarding; values replace what it shows."""
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
        "now": clock.now(),
        "target_form": TargetForm(formdata=None),
    }
    return render_template("xapi/admin.html", **(page | values)), status
