"""Certificates for administrators, for the staff of a run and for officers of associations."""

from __future__ import annotations

import csv
import io
from datetime import date

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries
from lms.certificates.forms import ManyForm, NameForm, RevocationForm
from lms.certificates.models import Credential, RevocationReason
from lms.certificates.services import issue, revoke
from lms.certificates.services import verify as verification
from lms.certificates.services.verify import Verdict
from lms.certificates.views import bp
from lms.certificates.views.shared import shown_facts, state_of
from lms.core import audit
from lms.core.outbox import enqueue
from lms.core.pagination import paginate
from lms.core.text import in_language
from lms.core.web import page_number
from lms.courses.queries.courses import get_run

STATES = ("valid", "revoked", "expired")


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


@bp.get("/admin/certificates")
def administer() -> ResponseReturnValue:
    """All certificates, to search and filter."""
    require("certificates.administer")
    course = request.args.get("course", "")
    state = request.args.get("state", "")
    found = queries.list_credentials(
        words=request.args.get("q", "")[:200],
        state=state if state in STATES else "",
        course_id=int(course) if course.isdecimal() and len(course) < 10 else None,
        first=_day("first"),
        last=_day("last"),
    )
    return render_template(
        "certificates/administration/list.html",
        page=paginate(found, page_number()),
        state_of=state_of,
        courses=queries.courses_with_certificates(),
        first=_day("first"),
        last=_day("last"),
    )


def _manage(
    credential: Credential, revocation: RevocationForm, name: NameForm, status: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "certificates/administration/certificate.html",
        credential=credential,
        facts=shown_facts(credential),
        verdict=verification.verify_credential(credential),
        revocation_form=revocation,
        name_form=name,
    )
    return page, status


@bp.get("/admin/certificates/<int:credential_id>")
def manage(credential_id: int) -> ResponseReturnValue:
    """One certificate with what can be done to it."""
    credential = queries.get_credential(credential_id)
    require("certificates.administer", credential)
    name = NameForm(name=credential.user.name, prefix="correct")
    return _manage(credential, RevocationForm(prefix="revoke"), name)


@bp.post("/admin/certificates/<int:credential_id>/revoke")
def revoke_certificate(credential_id: int) -> ResponseReturnValue:
    """Take a certificate back."""
    credential = queries.get_credential(credential_id)
    require("certificates.revoke", credential)
    form = RevocationForm(prefix="revoke")
    if not form.validate_on_submit():
        name = NameForm(formdata=None, name=credential.user.name, prefix="correct")
        return _manage(credential, form, name, 422)
    reason = RevocationReason(form.reason.data)
    revoke.revoke(credential, reason, form.note.data, signed_in().id)
    flash(_("The certificate is revoked, and the holder is told."), "success")
    return redirect(url_for(".manage", credential_id=credential.id), 303)


@bp.post("/admin/certificates/<int:credential_id>/reissue")
def reissue_certificate(credential_id: int) -> ResponseReturnValue:
    """Issue it anew with a corrected name."""
    credential = queries.get_credential(credential_id)
    require("certificates.revoke", credential)
    form = NameForm(prefix="correct")
    if not form.validate_on_submit():
        return _manage(credential, RevocationForm(formdata=None, prefix="revoke"), form, 422)
    made = issue.reissue(credential, form.name.data or "", signed_in().id)
    flash(_("A corrected certificate is issued, and the former one is revoked."), "success")
    return redirect(url_for(".manage", credential_id=made.id), 303)


@bp.post("/admin/certificates/<int:credential_id>/draw")
def draw_again(credential_id: int) -> ResponseReturnValue:
    """Try again to make the PDF."""
    credential = queries.get_credential(credential_id)
    require("certificates.administer", credential)
    audit.record("certificates.draw_again", credential, signed_in().id, code=credential.code)
    enqueue("certificates.draw_pdf", credential_id=credential.id)
    flash(_("The PDF is being made."), "info")
    return redirect(url_for(".manage", credential_id=credential.id), 303)


@bp.get("/runs/<int:run_id>/certificates")
def of_run(run_id: int) -> ResponseReturnValue:
    """The certificates of a run, for its staff."""
    run = get_run(run_id)
    require("certificates.see_run", run)
    page = paginate(queries.list_of_run(run), page_number(), 50)
    return render_template("certificates/run.html", run=run, page=page, state_of=state_of)


@bp.route("/verify/many", methods=["GET", "POST"])
def verify_many() -> ResponseReturnValue:
    """The verdict on many codes at once, without names."""
    require("certificates.verify_many")
    form = ManyForm()
    if not form.validate_on_submit():
        status = 422 if request.method == "POST" else 200
        return render_template("certificates/many.html", form=form, rows=None), status
    verdicts = verification.verify_many(form.wanted())
    verification.note([verdict.credential for _code, verdict in verdicts], "many")
    if request.form.get("answer") == "csv":
        return _as_csv(verdicts)
    rows = [
        (code, verdict, shown_facts(verdict.credential) if verdict.credential else None)
        for code, verdict in verdicts
    ]
    return render_template("certificates/many.html", form=form, rows=rows)


def _as_csv(verdicts: list[tuple[str, Verdict]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ["code", "verdict", "course", "hours", "starts_on", "ends_on", "issued_on", "revoked_on"]
    )
    for code, verdict in verdicts:
        credential = verdict.credential
        if credential is None:
            writer.writerow([_plain(code), verdict.state, "", "", "", "", "", ""])
            continue
        facts = credential.facts
        writer.writerow(
            [
                code,
                verdict.state,
                _plain(in_language(facts["course"]["title"])),
                facts["course"]["hours"],
                facts["run"]["starts_on"],
                facts["run"]["ends_on"],
                credential.issued_at.date(),
                credential.revoked_at.date() if credential.revoked_at else "",
            ]
        )
    response = Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="verification.csv"'
    return response


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in "=+-@\t\r" else text
