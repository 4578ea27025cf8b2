"""Accreditations and rules of an association."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import signed_in
from lms.core import clock
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.errors import NumberTaken, RuleGoesBack
from lms.recognition.forms.desk import AccreditationForm, EndForm, RuleForm, WithdrawalForm
from lms.recognition.models import RecognitionRule
from lms.recognition.services import rules as services
from lms.recognition.views import bp
from lms.recognition.views.shared import chosen, desk_of, desk_page, needed


@bp.get("/recognition/<slug>/accreditations")
def accreditations(slug: str) -> ResponseReturnValue:
    """What the association has accredited."""
    association = desk_of(slug)
    page = paginate(queries.list_accreditations(association), page_number())
    return desk_page("accreditations", association, page=page, today=clock.now().date())


@bp.route("/recognition/<slug>/accreditations/new", methods=["GET", "POST"])
def accredit(slug: str) -> ResponseReturnValue:
    """Accredit a provider or a course."""
    association = desk_of(slug, changes=True)
    form = AccreditationForm(
        list(queries.providers_to_choose()),
        list(queries.courses_to_choose()),
        starts_on=clock.now().date(),
    )
    if form.validate_on_submit():
        try:
            services.accredit(
                association,
                signed_in(),
                number=form.number.data or "",
                scope=form.scope.data or "",
                starts_on=needed(form.starts_on),
                ends_on=form.ends_on.data,
                provider=chosen(Organisation, form.provider.data),
                course=chosen(Course, form.course.data),
            )
        except NumberTaken as error:
            form.number.errors = [str(error.text)]
        else:
            flash(_("The accreditation is kept. New certificates state it."), "success")
            return redirect(url_for(".accreditations", slug=slug), 303)
    return desk_page("accredit", association, 422 if form.errors else 200, form=form)


@bp.route(
    "/recognition/<slug>/accreditations/<int:accreditation_id>/withdraw", methods=["GET", "POST"]
)
def withdraw_accreditation(slug: str, accreditation_id: int) -> ResponseReturnValue:
    """Say from when an accreditation does not hold."""
    association = desk_of(slug, changes=True)
    accreditation = queries.get_accreditation(association, accreditation_id)
    form = WithdrawalForm(accreditation)
    if form.validate_on_submit():
        services.withdraw_accreditation(
            accreditation, signed_in(), needed(form.first_day), form.reason.data or ""
        )
        flash(_("The accreditation is withdrawn. Earlier awards keep it."), "success")
        return redirect(url_for(".accreditations", slug=slug), 303)
    return desk_page(
        "withdraw",
        association,
        422 if form.errors else 200,
        form=form,
        accreditation=accreditation,
    )


@bp.get("/recognition/<slug>/rules")
def rules(slug: str) -> ResponseReturnValue:
    """What the association credits."""
    association = desk_of(slug)
    return desk_page("rules", association, rules=queries.list_rules(association))


def _rule_form(association: Organisation, rule: RecognitionRule | None) -> RuleForm:
    return RuleForm(
        rule,
        providers=list(queries.providers_to_choose()),
        courses=list(queries.courses_to_choose()),
        topics=list(queries.topics_to_choose()),
        codes=list(queries.list_framework_codes(association)),
    )


@bp.route("/recognition/<slug>/rules/new", methods=["GET", "POST"])
def make_rule(slug: str) -> ResponseReturnValue:
    """Say what is credited."""
    association = desk_of(slug, changes=True)
    form = _rule_form(association, None)
    if form.validate_on_submit():
        rule = services.make_rule(
            association, signed_in(), name=form.name.data or "", **form.terms()
        )
        flash(_("The rule holds. Members’ certificates are being judged by it."), "success")
        return redirect(url_for(".show_rule", slug=slug, rule_id=rule.id), 303)
    return desk_page("rule_form", association, 422 if form.errors else 200, form=form, rule=None)


@bp.get("/recognition/<slug>/rules/<int:rule_id>")
def show_rule(slug: str, rule_id: int) -> ResponseReturnValue:
    """A rule with all its versions."""
    association = desk_of(slug)
    rule = queries.get_rule(association, rule_id)
    return desk_page(
        "rule",
        association,
        rule=rule,
        counts=queries.count_entries_of_versions(rule),
        end_form=EndForm(formdata=None),
    )


@bp.route("/recognition/<slug>/rules/<int:rule_id>/change", methods=["GET", "POST"])
def change_rule(slug: str, rule_id: int) -> ResponseReturnValue:
    """A new version for awards from a day on."""
    association = desk_of(slug, changes=True)
    rule = queries.get_rule(association, rule_id)
    form = _rule_form(association, rule)
    if form.validate_on_submit():
        try:
            services.change_rule(rule, signed_in(), name=form.name.data or "", **form.terms())
        except RuleGoesBack as error:
            form.starts_on.errors = [str(error.text)]
        else:
            flash(_("The new version is kept. What was credited stays as it is."), "success")
            return redirect(url_for(".show_rule", slug=slug, rule_id=rule.id), 303)
    status = 422 if request.method == "POST" else 200
    return desk_page("rule_form", association, status, form=form, rule=rule)


@bp.post("/recognition/<slug>/rules/<int:rule_id>/end")
def end_rule(slug: str, rule_id: int) -> ResponseReturnValue:
    """Credit nothing that is earned after a day."""
    association = desk_of(slug, changes=True)
    rule = queries.get_rule(association, rule_id)
    form = EndForm()
    if not form.validate_on_submit():
        return desk_page(
            "rule",
            association,
            422,
            rule=rule,
            counts=queries.count_entries_of_versions(rule),
            end_form=form,
        )
    services.end_rule(rule, signed_in(), needed(form.last_day))
    flash(_("The rule ends. What it credited stays."), "success")
    return redirect(url_for(".show_rule", slug=slug, rule_id=rule.id), 303)
