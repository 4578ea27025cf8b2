"""Certificates for administrators and for the staff of a run."""

from __future__ import annotations

from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries
from lms.certificates.forms import NameForm, RevocationForm
from lms.certificates.models import Credential, RevocationReason
from lms.certificates.services import issue, revoke
from lms.certificates.services import verify as verification
from lms.certificates.views import bp
from lms.certificates.views.shared import state_of, whole_facts
from lms.core import audit
from lms.core.outbox import enqueue
from lms.core.pagination import paginate
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
        facts=whole_facts(credential),
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
    made = issue.reissue(
        credential,
        form.name.data or "",
        signed_in().id,
        keeps_layout=bool(form.keeps_layout.data),
    )
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
