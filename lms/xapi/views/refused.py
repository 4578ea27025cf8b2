"""Requests that the endpoint refused, with the reasons."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.accounts.permissions import require
from lms.core.db import db
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.web import page_number
from lms.xapi import queries
from lms.xapi.models import RefusedRequest
from lms.xapi.views.shared import admin


@admin.get("/refused-requests")
def list_refused_requests() -> ResponseReturnValue:
    """What tools sent that was not taken, newest first."""
    require("xapi.administer")
    wanted = request.args.get("key", "")
    found = select(RefusedRequest).options(joinedload(RefusedRequest.key))
    if wanted.isdecimal() and len(wanted) < 19:
        found = found.where(RefusedRequest.key_id == int(wanted))
    elif wanted == "none":
        found = found.where(RefusedRequest.key_id.is_(None))
    else:
        wanted = ""
    return render_template(
        "xapi/refused_requests.html",
        page=paginate(found.order_by(RefusedRequest.id.desc()), page_number()),
        keys=db.session.scalars(queries.list_keys()).all(),
        wanted=wanted,
        days=settings().refused_requests_days,
    )
