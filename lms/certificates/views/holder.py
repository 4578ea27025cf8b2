"""My certificates."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries
from lms.certificates.badge_api import queries as badge_queries
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.errors import NothingChosen, TooManyChosen
from lms.certificates.forms import LanguagesForm, RecordForm
from lms.certificates.models import Credential
from lms.certificates.open_badge import page_address
from lms.certificates.services import holder as services
from lms.certificates.services import record
from lms.certificates.views import bp
from lms.certificates.views.limits import limit_records
from lms.certificates.views.many import attached
from lms.certificates.views.shared import state_of, whole_facts
from lms.core.errors import InvalidInput
from lms.core.text import in_language


@bp.get("/my/certificates")
def my_certificates() -> ResponseReturnValue:
    """All certificates of the signed-in person, with what can be done with them."""
    require("certificates.mine")
    return _mine(_record_form())


def _record_form() -> RecordForm:
    form = RecordForm(prefix="record")
    valid = queries.list_valid_of_holder(signed_in())
    form.offer((one.code, f"{_title(one)} · {one.code}") for one in valid)
    return form


def _title(credential: Credential) -> str:
    return in_language(credential.facts["course"]["title"])


def _mine(record_form: RecordForm, status: int = 200) -> ResponseReturnValue:
    items = [
        {
            "credential": credential,
            "facts": whole_facts(credential),
            "state": state_of(credential),
            "address": page_address(credential.code),
            "languages": LanguagesForm(
                prefix=f"languages-{credential.id}",
                formdata=None,
                first=credential.language,
                second=credential.second_language or "",
            ),
        }
        for credential in queries.list_of_holder(signed_in())
    ]
    formats = [kind for kind in credential_formats.values() if kind.name != "pdf"]
    page = render_template(
        "certificates/my_certificates.html",
        items=items,
        formats=formats,
        record_form=record_form,
        foreign=badge_queries.list_foreign(signed_in()),
    )
    return page, status


@bp.post("/my/certificates/record")
@limit_records
def learner_record() -> ResponseReturnValue:
    """The chosen certificates in one signed file (CLR 2.0); nothing of it is kept."""
    require("certificates.mine")
    form = _record_form()
    if not form.validate_on_submit():
        return _mine(form, 422)
    as_token = form.kind.data == "jwt"
    try:
        content = record.make(
            signed_in(), form.codes.data or (), as_token=as_token, as_shown=form.as_shown.data
        )
    except (NothingChosen, TooManyChosen) as error:
        form.codes.errors = [str(error.text)]
        return _mine(form, 422)
    kind = "text/plain; charset=utf-8" if as_token else "application/vc+ld+json"
    return attached(content, kind, f"certificates.{form.kind.data}")


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
