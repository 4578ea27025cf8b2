"""How long statements are kept, one person's records, and the log of what was erased."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.outbox import enqueue
from lms.core.pagination import paginate
from lms.core.settings import settings
from lms.core.web import page_number, read_only_post
from lms.xapi.forms import EraseForm, PersonForm, RuleForm
from lms.xapi.models import Erasure, ErasureWay, RetentionRule
from lms.xapi.services import erasure, retention
from lms.xapi.views.shared import admin


def _page(form: RuleForm, person_form: PersonForm, status: int = 200) -> ResponseReturnValue:
    page = {
        "rules": db.session.scalars(select(RetentionRule).order_by(RetentionRule.id)).all(),
        "log": paginate(select(Erasure).order_by(Erasure.id.desc()), page_number()),
        "form": form,
        "person_form": person_form,
        "closing": settings().records_of_closed_accounts,
    }
    return render_template("xapi/retention.html", **page), status


@admin.get("/retention")
def show_retention() -> ResponseReturnValue:
    """Rules, the form for one person's records, and the log."""
    require("xapi.administer")
    return _page(RuleForm(formdata=None).offer(signed_in()), PersonForm(formdata=None))


@admin.post("/retention/rules")
def add_rule() -> ResponseReturnValue:
    """Write down a rule; its page shows what it would delete before it deletes anything."""
    require("xapi.administer")
    form = RuleForm().offer(signed_in())
    if not form.validate_on_submit():
        return _page(form, PersonForm(formdata=None), 422)
    rule = retention.add_rule(form.name.data or "", form.days.data or 1, form.selection())
    audit.record("xapi.add_retention_rule", rule, signed_in().id, days=rule.days)
    return redirect(url_for(".show_rule", rule_id=rule.id), 303)


def _rule(rule_id: int) -> RetentionRule:
    rule = db.session.get(RetentionRule, rule_id)
    if rule is None:
        raise NotFound
    return rule


@admin.get("/retention/rules/<int:rule_id>")
def show_rule(rule_id: int) -> ResponseReturnValue:
    """One rule with what it would delete now: counted, not deleted."""
    require("xapi.administer")
    rule = _rule(rule_id)
    return render_template("xapi/rule.html", rule=rule, preview=retention.preview(rule))


@admin.post("/retention/rules/<int:rule_id>/activate")
def activate_rule(rule_id: int) -> ResponseReturnValue:
    """Let a rule delete, now and every night. Safe to repeat."""
    require("xapi.administer")
    rule = _rule(rule_id)
    rule.is_active = True
    enqueue("xapi.run_rule", rule_id=rule.id, ordered_by_id=signed_in().id)
    audit.record("xapi.activate_retention_rule", rule, signed_in().id, days=rule.days)
    flash(_("The rule is active. The log shows what it deletes."), "success")
    return redirect(url_for(".show_retention"), 303)


@admin.post("/retention/rules/<int:rule_id>/stop")
def stop_rule(rule_id: int) -> ResponseReturnValue:
    """Let a rule delete nothing more. Safe to repeat."""
    require("xapi.administer")
    rule = _rule(rule_id)
    rule.is_active = False
    audit.record("xapi.stop_retention_rule", rule, signed_in().id)
    return redirect(url_for(".show_rule", rule_id=rule.id), 303)


@admin.post("/retention/rules/<int:rule_id>/delete")
def delete_rule(rule_id: int) -> ResponseReturnValue:
    """Forget a rule; the log of what it deleted stays."""
    require("xapi.administer")
    rule = _rule(rule_id)
    audit.record("xapi.delete_retention_rule", rule, signed_in().id, days=rule.days)
    db.session.delete(rule)
    flash(_("The rule is deleted."), "success")
    return redirect(url_for(".show_retention"), 303)


def _person_page(form: EraseForm, status: int = 200) -> ResponseReturnValue:
    found = erasure.find(retention.identifiers_of(form.who.data or ""))
    return render_template("xapi/person.html", form=form, found=found), status


@admin.post("/retention/person")
@read_only_post
def show_person() -> ResponseReturnValue:
    """What the store holds about one person: counted before anything is erased."""
    require("xapi.administer")
    form = PersonForm()
    if not form.validate_on_submit():
        return _page(RuleForm(formdata=None).offer(signed_in()), form, 422)
    return _person_page(EraseForm(formdata=None, who=(form.who.data or "").strip()))


@admin.post("/retention/person/erase")
def erase_person() -> ResponseReturnValue:
    """Order one person's records to be deleted or made anonymous."""
    require("xapi.administer")
    form = EraseForm()
    if not form.validate_on_submit():
        return _person_page(form, 422)
    identifiers = retention.identifiers_of(form.who.data or "")
    order = retention.order_erasure(identifiers, ErasureWay(form.way.data), signed_in().id)
    audit.record("xapi.erase_person", order, signed_in().id, way=order.way)
    flash(_("It is being done. The log shows when it is finished."), "success")
    return redirect(url_for(".show_retention"), 303)
