"""My certificates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.forms import LanguagesForm
from lms.certificates.open_badge import page_address
from lms.certificates.services import holder as services
from lms.certificates.views import bp
from lms.certificates.views.shared import state_of, whole_facts
from lms.core.errors import InvalidInput


@bp.get("/my/certificates")
def my_certificates() -> ResponseReturnValue:
    """All certificates of the signed-in person, with what can be done with them."""
    user = signed_in()
    require("certificates.mine")
    items = [
        {
            "credential": credential,
            "facts": whole_facts(credential),
            "state": state_of(credential),
            "address": page_address(credential.code),
            "languages": LanguagesForm(
                prefix=f"languages-{credential.id}",
                first=credential.language,
                second=credential.second_language or "",
            ),
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
    services.choose_shown(credential, shows_name=shows_name, shows_grade=credential.shows_grade)
    if shows_name:
        flash(_("Who checks the certificate now sees your full name."), "success")
    else:
        flash(_("Who checks the certificate now sees only your initials."), "success")
    return redirect(url_for(".my_certificates") + f"#{credential.code}", 303)


@bp.post("/my/certificates/<code>/grade")
def choose_grade(code: str) -> ResponseReturnValue:
    """Show strangers the grade or none."""
    credential = queries.get_by_code(code)
    require("certificates.choose", credential)
    shows_grade = request.form.get("shows_grade") == "yes"
    services.choose_shown(credential, shows_name=credential.shows_name, shows_grade=shows_grade)
    if shows_grade:
        flash(_("Who checks the certificate now sees your grade."), "success")
    else:
        flash(_("Who checks the certificate no longer sees your grade."), "success")
    return redirect(url_for(".my_certificates") + f"#{credential.code}", 303)


@bp.post("/my/certificates/<code>/languages")
def choose_languages(code: str) -> ResponseReturnValue:
    """Have the certificate in another language, or in two."""
    credential = queries.get_by_code(code)
    require("certificates.choose", credential)
    form = LanguagesForm(prefix=f"languages-{credential.id}")
    if not form.validate_on_submit():
        raise InvalidInput
    services.choose_languages(credential, form.first.data, form.second.data or None)
    flash(_("The certificate is being drawn in the language you have chosen."), "success")
    return redirect(url_for(".my_certificates") + f"#{credential.code}", 303)
