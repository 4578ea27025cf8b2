"""Many verifications at once, for officers of associations; keys for their programs."""

from __future__ import annotations

import json
import uuid

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries
from lms.certificates.errors import TableTooLong, TableUnreadable
from lms.certificates.forms import ManyForm, VerificationKeyForm
from lms.certificates.models import BatchState, KeyScope, VerificationBatch
from lms.certificates.report_paper import draw_report
from lms.certificates.services import batch as services
from lms.certificates.services import programs, report
from lms.certificates.services.batch_input import (
    LARGEST,
    is_zip_of_files,
    read_codes,
    read_table,
)
from lms.certificates.verifier.claims import instant_of
from lms.certificates.views import bp
from lms.certificates.views.limits import limit_batches, limit_papers
from lms.certificates.views.shared import NAME_MATCHES
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.once import leads_on
from lms.core.web import own_transaction


@bp.route("/verify/many", methods=["GET", "POST"])
@own_transaction
@limit_batches
def verify_many() -> ResponseReturnValue:
    """Ask for codes or a file, and verify them; the answer names nobody."""
    require("certificates.verify_many")
    form = ManyForm()
    if not form.validate_on_submit():
        return _many(form, 422 if request.method == "POST" else 200)
    try:
        made = _verify(form)
    except (TableUnreadable, TableTooLong) as error:
        field = form.file if form.file.data else form.codes
        field.errors = [str(error.text)]
        return _many(form, 422)
    return redirect(url_for(".batch", token=made), 303)


def _many(form: ManyForm, status: int) -> ResponseReturnValue:
    batches = queries.list_batches(signed_in())
    return render_template("certificates/many.html", form=form, batches=batches), status


def _verify(form: ManyForm) -> str:
    """The token of the batch; what is handed in is read before anything is locked."""
    user = signed_in()
    content = form.file.data.read(LARGEST + 1) if form.file.data else b""
    if content and len(content) <= LARGEST and is_zip_of_files(content):
        with transaction():
            return services.verify_files(user, content).token
    rows = read_table(content) if content else read_codes(form.codes.data or "")
    with transaction():
        return services.verify_table(user, rows).token


@bp.get("/verify/many/<token>")
def batch(token: str) -> ResponseReturnValue:
    """The verdict on each row, or how far it is."""
    require("certificates.verify_many")
    found = queries.get_batch(token, signed_in())
    return render_template(
        "certificates/batch.html",
        batch=found,
        summary=report.summary(found.rows),
        name_matches=NAME_MATCHES,
        is_done=found.state == BatchState.DONE,
    )


def _done(token: str) -> VerificationBatch:
    require("certificates.verify_many")
    found = queries.get_batch(token, signed_in())
    if found.report is None:
        raise NotFound
    return found


@bp.get("/verify/many/<token>/report.json")
def batch_report(token: str) -> ResponseReturnValue:
    """The signed report."""
    return attached(_done(token).report or "", "application/json", "verification.json")


@bp.get("/verify/many/<token>/report.pdf")
@limit_papers
def batch_paper(token: str) -> ResponseReturnValue:
    """The signed report on paper, sealed."""
    text = _done(token).report or ""
    at = instant_of(json.loads(text).get("checkedAt"))
    if at is None:
        raise NotFound
    content = draw_report(text, at, name_matches=NAME_MATCHES)
    return attached(content, "application/pdf", "verification.pdf")


@bp.get("/verify/many/<token>/report.csv")
def batch_table(token: str) -> ResponseReturnValue:
    """The rows as a table; its SHA-256 stands in the signed report."""
    return attached(report.as_csv(_done(token).rows), "text/csv; charset=utf-8", "verification.csv")


def attached(content: str | bytes, media_type: str, name: str) -> Response:
    """A file to download."""
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/verify/programs")
def verification_programs() -> ResponseReturnValue:
    """The keys of one's programs and the addresses that are told of revocations."""
    require("certificates.verify_many")
    return _programs(VerificationKeyForm())


def _programs(form: VerificationKeyForm, status: int = 200, made: str = "") -> ResponseReturnValue:
    user = signed_in()
    page = render_template(
        "certificates/programs.html",
        form=form,
        made=made,
        keys=queries.list_verification_keys(user),
        subscriptions=queries.list_subscriptions(user),
    )
    return page, status, {"Cache-Control": "private, no-store"}


@bp.post("/verify/programs")
def make_verification_key() -> ResponseReturnValue:
    """Make a key and show it this once."""
    require("certificates.verify_many")
    form = VerificationKeyForm()
    if not form.validate_on_submit():
        return _programs(form, 422)
    scopes = [KeyScope(scope) for scope in form.scopes.data or ()]
    _key, text = programs.make_key(signed_in(), form.name.data or "", scopes)
    leads_on(
        url_for(".verification_programs"),
        _("The form was sent twice, the key was made once. End it and make a new one."),
    )
    return _programs(VerificationKeyForm(formdata=None), made=text)


@bp.post("/verify/programs/<int:key_id>/revoke")
def revoke_verification_key(key_id: int) -> ResponseReturnValue:
    """End a key."""
    require("certificates.verify_many")
    programs.revoke_key(queries.get_verification_key(key_id, signed_in()))
    flash(_("The key is ended."), "success")
    return redirect(url_for(".verification_programs"), 303)


@bp.post("/verify/subscriptions/<uuid:identifier>/end")
def end_subscription(identifier: uuid.UUID) -> ResponseReturnValue:
    """Tell an address no more."""
    require("certificates.verify_many")
    programs.unsubscribe(queries.get_subscription(identifier, signed_in()))
    flash(_("This address is told no more."), "success")
    return redirect(url_for(".verification_programs"), 303)
