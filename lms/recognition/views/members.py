"""Members of an association: the list, who consented, their certificates and hours."""

from __future__ import annotations

from collections.abc import Iterator

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import signed_in
from lms.certificates import queries as certificates
from lms.certificates.models import Credential
from lms.certificates.services.verify import State, verify_credential
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.files import send_stored
from lms.core.pagination import paginate
from lms.core.text import in_language
from lms.core.web import page_number
from lms.recognition import queries
from lms.recognition.errors import UnreadableList
from lms.recognition.forms.desk import DecisionForm, MembersForm
from lms.recognition.hours import cycles_of
from lms.recognition.models import MatchState
from lms.recognition.services import ledger
from lms.recognition.services import members as services
from lms.recognition.sheets import MOST_BYTES, read_members
from lms.recognition.tables import Row, answer_table
from lms.recognition.views import bp
from lms.recognition.views.shared import desk_of, desk_page


@bp.get("/recognition/<slug>/members")
def members(slug: str) -> ResponseReturnValue:
    """How long the list is, and who lets the association see certificates."""
    association = desk_of(slug)
    page = paginate(queries.list_consents(association), page_number(), 50)
    return desk_page("members", association, page=page, count=queries.count_members(association))


@bp.route("/recognition/<slug>/members/import", methods=["GET", "POST"])
def import_members(slug: str) -> ResponseReturnValue:
    """Take over a list of members; only keyed hashes are kept."""
    association = desk_of(slug, changes=True)
    form = MembersForm()
    result = None
    if form.validate_on_submit():
        upload = form.file.data
        try:
            rows = read_members(upload.read(MOST_BYTES + 1), upload.filename or "")
            result = services.import_members(
                association, signed_in(), rows, is_complete=form.is_complete.data
            )
        except UnreadableList as error:
            form.file.errors = [str(error.text)]
    status = 422 if form.errors else 200
    return desk_page("import", association, status, form=form, result=result)


@bp.get("/recognition/<slug>/members/<int:consent_id>")
def show_member(slug: str, consent_id: int) -> ResponseReturnValue:
    """The hours of a member who consented."""
    association = desk_of(slug)
    consent = queries.get_consent(association, consent_id)
    if consent.match != MatchState.MATCH:
        raise NotFound
    entries = queries.entries_of(consent.user_id, association.id)
    return desk_page(
        "member",
        association,
        consent=consent,
        cycles=cycles_of(queries.body_settings(association), entries, clock.now().date()),
    )


@bp.get("/recognition/<slug>/requests")
def requests(slug: str) -> ResponseReturnValue:
    """What waits for an officer: unclear memberships, hours asked for."""
    association = desk_of(slug)
    return desk_page(
        "requests",
        association,
        unclear=db.session.scalars(
            queries.list_consents(association, MatchState.NOT_ENOUGH).limit(100)
        ).all(),
        claims=paginate(queries.list_claims(association), page_number()),
    )


@bp.post("/recognition/<slug>/requests/<int:consent_id>/membership")
def decide_match(slug: str, consent_id: int) -> ResponseReturnValue:
    """Say whether a person is a member."""
    association = desk_of(slug, changes=True)
    consent = queries.get_consent(association, consent_id)
    is_member = request.form.get("answer") == "yes"
    services.decide_match(consent, signed_in(), is_member=is_member)
    flash(_("Your answer is kept."), "success")
    return redirect(url_for(".requests", slug=slug), 303)


@bp.route("/recognition/<slug>/claims/<int:entry_id>", methods=["GET", "POST"])
def claim(slug: str, entry_id: int) -> ResponseReturnValue:
    """Decide on hours that a member asks for."""
    association = desk_of(slug)
    entry = queries.get_entry(association, entry_id)
    if not entry.is_claim:
        raise NotFound
    form = DecisionForm(hours=entry.hours, category=entry.category)
    if form.validate_on_submit():
        desk_of(slug, changes=True)
        ledger.decide_claim(
            entry,
            signed_in(),
            is_granted=form.decision.data == "grant",
            hours=form.hours.data or 0.0,
            category=form.category.data or "",
            reason=form.reason.data or "",
        )
        flash(_("Your decision is kept, and the member is told."), "success")
        return redirect(url_for(".requests", slug=slug), 303)
    status = 422 if form.errors else 200
    return desk_page("claim", association, status, entry=entry, form=form)


@bp.get("/recognition/<slug>/claims/<int:entry_id>/file")
def claim_file(slug: str, entry_id: int) -> ResponseReturnValue:
    """The evidence that came with a claim."""
    entry = queries.get_entry(desk_of(slug), entry_id)
    if entry.file is None:
        raise NotFound
    return send_stored(entry.file, download=True)


@bp.get("/recognition/<slug>/certificates")
def member_certificates(slug: str) -> ResponseReturnValue:
    """All certificates of members who consented, each with its verdict."""
    association = desk_of(slug)
    found = queries.list_member_certificates(association)
    kind = request.args.get("format", "")
    if kind in ("csv", "xlsx"):
        rows = _certificate_rows(list(db.session.scalars(found)))
        return answer_table(
            kind,
            "certificates",
            [
                _("Holder"), _("Course"), _("Certificate"), _("Issued on"), _("Hours"),
                _("State"), _("Checked at"),
            ],
            rows,
        )  # fmt: skip
    page = paginate(found, page_number(), 50)
    return desk_page("certificates", association, page=page, verdicts=_verdicts(list(page.items)))


def _verdicts(found: list[Credential]) -> dict[str, State]:
    """The verdict on each certificate, by code."""
    whole = certificates.find_by_codes([one.code for one in found])
    return {code: verify_credential(credential).state for code, credential in whole.items()}


def _certificate_rows(found: list[Credential]) -> Iterator[Row]:
    checked = clock.now().isoformat(timespec="seconds")
    for start in range(0, len(found), 500):
        part = found[start : start + 500]
        verdicts = _verdicts(part)
        for credential in part:
            yield (
                credential.holder_name,
                in_language(credential.facts["course"]["title"]),
                credential.code,
                credential.issued_at.date(),
                credential.facts["course"]["hours"],
                verdicts[credential.code].value,
                checked,
            )


@bp.get("/recognition/<slug>/hours")
def member_hours(slug: str) -> ResponseReturnValue:
    """Everything that was credited to members who consented."""
    association = desk_of(slug)
    found = queries.list_member_entries(association)
    kind = request.args.get("format", "")
    if kind in ("csv", "xlsx"):
        return answer_table(
            kind,
            "hours",
            [
                _("Member"), _("What was learned"), _("Provider"), _("Completed on"), _("Hours"),
                _("Category"), _("Framework codes"), _("Accreditation number"), _("State"),
                _("Certificate"),
            ],
            (
                (
                    entry.user.name,
                    in_language(entry.title),
                    in_language(entry.provider),
                    entry.awarded_on,
                    entry.hours,
                    entry.category,
                    ", ".join(entry.framework_codes),
                    entry.accreditation,
                    entry.state,
                    entry.credential.code if entry.credential else None,
                )
                for entry in db.session.scalars(found)
            ),
        )  # fmt: skip
    return desk_page("hours", association, page=paginate(found, page_number(), 50))
