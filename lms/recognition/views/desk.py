"""The desk of an association: overview, what it says of itself, issuers, audits."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates.open_badge import issuer_did
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.recognition import queries
from lms.recognition.errors import CodeTaken, IssuerKnown, NoPopulation, WrongIdentifier
from lms.recognition.forms.desk import (
    AUDIT_LABELS,
    AuditForm,
    AuditItemForm,
    FrameworkCodeForm,
    IssuerForm,
    SettingsForm,
)
from lms.recognition.models import AuditState, MatchState
from lms.recognition.services import audits, bodies
from lms.recognition.views import bp
from lms.recognition.views.shared import desk_of, desk_page, needed


@bp.get("/recognition")
def desks() -> ResponseReturnValue:
    """The associations that the person acts for; straight on when it is one."""
    require("recognition.any_desk")
    found = queries.associations_of_officer(signed_in())
    if len(found) == 1:
        return redirect(url_for(".desk", slug=found[0].slug))
    return render_template("recognition/desks.html", associations=found)


@bp.get("/recognition/<slug>")
def desk(slug: str) -> ResponseReturnValue:
    """What waits, what is there, and the first steps."""
    association = desk_of(slug)
    pending = queries.list_consents(association, MatchState.NOT_ENOUGH)
    return desk_page(
        "home",
        association,
        rules=queries.list_rules(association),
        accreditations=paginate(queries.list_accreditations(association), 1, 1).total,
        members=queries.count_members(association),
        consents=paginate(queries.list_consents(association, MatchState.MATCH), 1, 1).total,
        waiting=paginate(pending, 1, 1).total
        + paginate(queries.list_claims(association), 1, 1).total,
    )


@bp.route("/recognition/<slug>/settings", methods=["GET", "POST"])
def settings(slug: str) -> ResponseReturnValue:
    """The renewal cycle, and the codes of the framework."""
    association = desk_of(slug)
    form = SettingsForm(queries.body_settings(association), prefix="cycle")
    if form.validate_on_submit():
        desk_of(slug, changes=True)
        bodies.keep_settings(
            association,
            signed_in(),
            cycle_starts_on=needed(form.cycle_starts_on),
            cycle_years=needed(form.cycle_years),
            hours_needed=form.hours_needed.data,
        )
        flash(_("The renewal cycle is kept."), "success")
        return redirect(url_for(".settings", slug=slug), 303)
    return desk_page(
        "settings",
        association,
        422 if form.errors else 200,
        form=form,
        code_form=FrameworkCodeForm(formdata=None, prefix="code"),
        codes=queries.list_framework_codes(association),
    )


@bp.post("/recognition/<slug>/codes")
def add_code(slug: str) -> ResponseReturnValue:
    """A code that rules can name."""
    association = desk_of(slug)
    form = FrameworkCodeForm(prefix="code")
    if form.validate_on_submit():
        desk_of(slug, changes=True)
        try:
            bodies.add_framework_code(
                association, signed_in(), form.code.data or "", form.title.data or ""
            )
        except CodeTaken as error:
            form.code.errors = [str(error.text)]
        else:
            flash(_("The code is added."), "success")
            return redirect(url_for(".settings", slug=slug), 303)
    return desk_page(
        "settings",
        association,
        422,
        form=SettingsForm(queries.body_settings(association), formdata=None, prefix="cycle"),
        code_form=form,
        codes=queries.list_framework_codes(association),
    )


@bp.post("/recognition/<slug>/codes/<int:code_id>/remove")
def remove_code(slug: str, code_id: int) -> ResponseReturnValue:
    """No longer offer a code."""
    association = desk_of(slug, changes=True)
    code = queries.get_framework_code(association, code_id)
    bodies.remove_framework_code(code, association, signed_in())
    flash(_("The code is removed. What names it keeps it."), "success")
    return redirect(url_for(".settings", slug=slug), 303)


@bp.route("/recognition/<slug>/issuers", methods=["GET", "POST"])
def issuers(slug: str) -> ResponseReturnValue:
    """Whose credentials the association takes."""
    association = desk_of(slug)
    form = IssuerForm()
    if form.validate_on_submit():
        desk_of(slug, changes=True)
        try:
            bodies.trust_issuer(
                association,
                signed_in(),
                did=form.did.data or "",
                name=form.name.data or "",
                starts_on=needed(form.starts_on),
                ends_on=form.ends_on.data,
            )
        except (IssuerKnown, WrongIdentifier) as error:
            form.did.errors = [str(error.text)]
        else:
            flash(_("The issuer is in your list."), "success")
            return redirect(url_for(".issuers", slug=slug), 303)
    return desk_page(
        "issuers",
        association,
        422 if form.errors else 200,
        form=form,
        issuers=queries.list_issuers(association),
        own_did=issuer_did(),
        today=clock.now().date(),
    )


@bp.post("/recognition/<slug>/issuers/<int:issuer_id>/end")
def end_trust(slug: str, issuer_id: int) -> ResponseReturnValue:
    """Trust an issuer up to today only."""
    association = desk_of(slug, changes=True)
    issuer = queries.get_issuer(association, issuer_id)
    bodies.end_trust(issuer, signed_in(), clock.now().date())
    flash(_("From tomorrow on the issuer is not trusted any more."), "success")
    return redirect(url_for(".issuers", slug=slug), 303)


@bp.route("/recognition/<slug>/audits", methods=["GET", "POST"])
def list_audits(slug: str) -> ResponseReturnValue:
    """The samples drawn so far; draw another."""
    association = desk_of(slug)
    form = AuditForm()
    if form.validate_on_submit():
        desk_of(slug, changes=True)
        try:
            sample = audits.make_audit(
                association, signed_in(), year=needed(form.year), size=needed(form.size)
            )
        except NoPopulation as error:
            form.year.errors = [str(error.text)]
        else:
            flash(_("The sample is drawn."), "success")
            return redirect(url_for(".show_audit", slug=slug, audit_id=sample.id), 303)
    return desk_page(
        "audits",
        association,
        422 if form.errors else 200,
        form=form,
        samples=queries.list_audits(association),
    )


@bp.get("/recognition/<slug>/audits/<int:audit_id>")
def show_audit(slug: str, audit_id: int) -> ResponseReturnValue:
    """One sample: how it was drawn, and where each entry stands."""
    association = desk_of(slug)
    sample = queries.get_audit(association, audit_id)
    return desk_page(
        "audit",
        association,
        sample=sample,
        digest=audits.digest(sample.population),
        is_repeatable=audits.is_repeatable(sample),
        labels=AUDIT_LABELS,
        forms={
            item.id: AuditItemForm(formdata=None, obj=item, prefix=f"item-{item.id}")
            for item in sample.items
        },
    )


@bp.post("/recognition/<slug>/audits/<int:audit_id>/<int:item_id>")
def change_audit(slug: str, audit_id: int, item_id: int) -> ResponseReturnValue:
    """Note how far the audit of an entry is."""
    association = desk_of(slug, changes=True)
    sample = queries.get_audit(association, audit_id)
    item = next((one for one in sample.items if one.id == item_id), None)
    if item is None:
        raise NotFound
    form = AuditItemForm(prefix=f"item-{item.id}")
    if form.validate_on_submit():
        state = AuditState(form.state.data)
        audits.change_item(item, signed_in(), state, form.note.data or "")
        flash(_("The state is kept."), "success")
    else:
        flash(_("Choose a state, and write at most 300 characters."), "error")
    return redirect(url_for(".show_audit", slug=slug, audit_id=audit_id), 303)
