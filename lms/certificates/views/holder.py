"""My certificates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.open_badge import page_address
from lms.certificates.services import holder as services
from lms.certificates.views import bp
from lms.certificates.views.shared import shown_facts, state_of


@bp.get("/my/certificates")
def my_certificates() -> ResponseReturnValue:
    """All certificates of the signed-in person, with what can be done with them."""
    user = signed_in()
    require("certificates.mine")
    items = [
        {
            "credential": credential,
            "facts": shown_facts(credential),
            "state": state_of(credential),
            "address": page_address(credential.code),
        }
        for credential in queries.list_of_holder(user)
    ]
    formats = [kind for kind in credential_formats.values() if kind.name != "pdf"]
    return render_template("certificates/my_certificates.html", items=items, formats=formats)


@bp.post("/my/certificates/<code>/name")
def choose_name(code: str) -> ResponseReturnValue:
    """Show strangers the full name or initials."""
    credential = queries.get_by_code(code)
    require("certificates.choose", credential)
    shows_name = request.form.get("shows_name") == "yes"
    services.show_name(credential, shows_name)
    if shows_name:
        flash(_("Who checks the certificate now sees your full name."), "success")
    else:
        flash(_("Who checks the certificate now sees only your initials."), "success")
    return redirect(url_for(".my_certificates") + f"#{credential.code}", 303)
