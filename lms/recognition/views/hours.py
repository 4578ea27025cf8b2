"""One's own hours: the ledger of each association, consent, claims."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.accounts.permissions import require, signed_in
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.files import UploadRefused, send_stored
from lms.core.pdf import html_to_pdf
from lms.core.settings import settings
from lms.core.text import current_language, in_language
from lms.directory import queries as directory
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.forms.desk import ClaimForm, ConsentForm
from lms.recognition.hours import Cycle, cycles_of
from lms.recognition.services import ledger, members
from lms.recognition.tables import answer_table
from lms.recognition.views import bp
from lms.recognition.views.shared import needed

MOST_EVIDENCE = 10 * 1024 * 1024


def _own() -> User:
    user = signed_in()
    require("recognition.my_hours", user)
    return user


def _associations(user: User) -> list[Organisation]:
    """Those the person names, and those that have credited something."""
    found = {one.organisation_id: one.organisation for one in directory.memberships_of(user.id)}
    for entry in queries.entries_of(user.id):
        found.setdefault(entry.association_id, entry.association)
    return sorted(found.values(), key=lambda one: one.slug)


def _ledgers(user: User) -> list[tuple[Organisation, list[Cycle]]]:
    entries = queries.entries_of(user.id)
    today = clock.now().date()
    return [
        (
            association,
            cycles_of(
                queries.body_settings(association),
                [one for one in entries if one.association_id == association.id],
                today,
            ),
        )
        for association in _associations(user)
    ]


@bp.get("/my/hours")
def my_hours() -> ResponseReturnValue:
    """Hours that associations credit, by renewal cycle."""
    user = _own()
    return render_template(
        "recognition/my_hours.html",
        ledgers=_ledgers(user),
        consents=queries.consents_of(user),
        memberships={one.organisation_id for one in directory.memberships_of(user.id)},
        consent_form=ConsentForm(formdata=None),
    )


@bp.get("/my/hours/<slug>.csv")
def my_hours_csv(slug: str) -> ResponseReturnValue:
    """The ledger of one association as a table."""
    user = _own()
    _association, cycles = _ledger(user, slug)
    return answer_table(
        "csv",
        f"hours-{slug}",
        [
            _("Cycle begins"), _("Cycle ends"), _("What was learned"), _("Provider"),
            _("Completed on"), _("Hours credited"), _("Hours that count"), _("Category"),
            _("Framework codes"), _("Accreditation number"), _("State"), _("Certificate"),
        ],
        [
            (
                cycle.first,
                cycle.last,
                in_language(line.entry.title),
                in_language(line.entry.provider),
                line.entry.awarded_on,
                line.entry.hours,
                line.counted,
                line.entry.category,
                ", ".join(line.entry.framework_codes),
                line.entry.accreditation,
                line.entry.state,
                line.entry.credential.code if line.entry.credential else None,
            )
            for cycle in cycles
            for line in cycle.lines
        ],
    )  # fmt: skip


def _ledger(user: User, slug: str) -> tuple[Organisation, list[Cycle]]:
    for association, cycles in _ledgers(user):
        if association.slug == slug:
            return association, cycles
    raise NotFound


@bp.get("/my/hours/<slug>.pdf")
def my_hours_pdf(slug: str) -> ResponseReturnValue:
    """The ledger of one association on paper, tagged for screen readers."""
    user = _own()
    association, cycles = _ledger(user, slug)
    html = render_template(
        "recognition/hours_pdf.html",
        association=association,
        cycles=cycles,
        user=user,
        language=current_language(),
        made_at=clock.now(),
        verify_address=f"{settings().base_url}/verify",
    )
    response = Response(html_to_pdf(html), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="hours-{slug}.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/my/hours/<slug>/consent")
def give_consent(slug: str) -> ResponseReturnValue:
    """Let the association see certificates and hours."""
    user = _own()
    association = queries.get_association(slug)
    form = ConsentForm()
    if form.validate_on_submit():
        members.give_consent(association, user, form.licence.data or "")
        flash(
            _("The association can see your certificates once it knows you as a member."), "success"
        )
    else:
        flash(_("A licence number has at most 60 characters."), "error")
    return redirect(url_for(".my_hours") + f"#{slug}", 303)


@bp.post("/my/hours/<slug>/consent/withdraw")
def withdraw_consent(slug: str) -> ResponseReturnValue:
    """Let the association see nothing any more."""
    user = _own()
    association = queries.get_association(slug)
    consent = queries.find_consent(association.id, user)
    if consent is not None and consent.is_given:
        members.withdraw_consent(consent)
    flash(_("The association sees nothing of you any more."), "success")
    return redirect(url_for(".my_hours") + f"#{slug}", 303)


@bp.route("/my/hours/claim", methods=["GET", "POST"])
def claim_hours() -> ResponseReturnValue:
    """Ask an association to credit learning from elsewhere."""
    user = _own()
    associations = [one.organisation for one in directory.memberships_of(user.id)]
    form = ClaimForm(associations, association=request.args.get("for"))
    if form.validate_on_submit():
        upload = form.file.data if form.file.data and form.file.data.filename else None
        try:
            ledger.claim_hours(
                queries.get_association(form.association.data),
                user,
                title=form.title.data or "",
                provider=form.provider.data or "",
                awarded_on=needed(form.awarded_on),
                hours=form.hours.data or 0.0,
                link=form.link.data or None,
                file=(upload.read(MOST_EVIDENCE + 1), upload.filename) if upload else None,
            )
        except UploadRefused as error:
            form.file.errors = [str(error.text)]
        else:
            flash(
                _("Your request is with the association. A mail tells you its decision."), "success"
            )
            return redirect(url_for(".my_hours"), 303)
    page = render_template("recognition/claim.html", form=form, associations=associations)
    return page, 422 if form.errors else 200


@bp.get("/my/hours/claims/<uuid:entry_uuid>/file")
def own_claim_file(entry_uuid: Any) -> ResponseReturnValue:
    """The evidence that one sent."""
    user = _own()
    for entry in queries.entries_of(user.id):
        if entry.uuid == entry_uuid and entry.file is not None:
            return send_stored(entry.file, download=True)
    raise NotFound
