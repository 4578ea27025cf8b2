"""The page on which administrators try their own endpoint."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import transaction
from lms.core.settings import settings
from lms.core.web import own_transaction
from lms.xapi.forms import EndpointTestForm
from lms.xapi.services import endpoint_check
from lms.xapi.services.access import find_access
from lms.xapi.views.shared import admin


def _page(form: EndpointTestForm, status: int = 200, **values: object) -> ResponseReturnValue:
    page = {
        "form": form,
        "findings": None,
        "endpoint": f"{settings().base_url}/xapi/",
        "origins": settings().xapi_origins,
    }
    return render_template("xapi/endpoint_test.html", **(page | values)), status


@admin.get("/test")
def endpoint_test() -> ResponseReturnValue:
    """What the test does, and the form for a key."""
    require("xapi.administer")
    return _page(EndpointTestForm())


@admin.post("/test")
@own_transaction
def test_endpoint() -> ResponseReturnValue:
    """Try the endpoint over HTTP. No transaction is open meanwhile: the test writes itself."""
    form = EndpointTestForm()
    with transaction():
        require("xapi.administer")
        user = signed_in()
        if not form.validate_on_submit():
            return _page(form, 422)
        key, secret = form.key.data, form.secret.data
        if not key:
            key, secret = endpoint_check.trial_key(user.id)
        access = find_access(key, secret or "")
        audit.record("xapi.test_endpoint", user, user.id)
    findings = endpoint_check.check_endpoint(
        key, secret or "", access, endpoint_check.ask_over_http
    )
    return _page(form, findings=findings)
