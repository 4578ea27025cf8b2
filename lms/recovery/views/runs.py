"""The break-even board, the costs of a run, and the decision."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.pagination import paginate
from lms.core.web import page_number
from lms.courses.models import CourseRun
from lms.recovery import forms
from lms.recovery.models import CostBasis, CostKind, Decision, MoveAnswer
from lms.recovery.permissions import READ
from lms.recovery.queries import break_even
from lms.recovery.services import costs, decisions
from lms.recovery.views import bp

ADMINISTER = "recovery.administer"


@bp.get("/admin/recovery/runs")
def runs() -> ResponseReturnValue:
    """The board: learners needed, had and still possible, run by run."""
    require(READ)
    shows_all = request.args.get("all") == "1"
    page = paginate(break_even.list_runs(is_open=not shows_all), page_number(), 25)
    return render_template(
        "recovery/runs.html",
        page=page,
        positions=break_even.positions(page.items),
        shows_all=shows_all,
        today=break_even.today(),
    )


def _page(
    run: CourseRun,
    cost: forms.CostForm | None = None,
    budget: forms.BudgetForm | None = None,
    decision: forms.DecisionForm | None = None,
) -> ResponseReturnValue:
    [position] = break_even.positions([run])
    asked = [form for form in (cost, budget, decision) if form is not None]
    decided = break_even.decisions_of(run)
    page = render_template(
        "recovery/run.html",
        position=position,
        run=run,
        costs=break_even.costs_of(run),
        decisions=[(one, break_even.answers_of(one)) for one in decided],
        cost_form=cost or forms.CostForm(run, formdata=None),
        budget_form=budget or forms.BudgetForm(position.budget, formdata=None),
        decision_form=decision or forms.DecisionForm(formdata=None),
        bases=forms.BASES,
        kinds=forms.KINDS,
        decision_words=forms.DECISIONS,
        today=break_even.today(),
    )
    return page, 422 if asked else 200


@bp.get("/admin/recovery/runs/<int:run_id>")
def show_run(run_id: int) -> ResponseReturnValue:
    """One run: its break-even sum, its costs, its decision."""
    require(READ)
    return _page(break_even.get_run(run_id))


@bp.post("/admin/recovery/runs/<int:run_id>/costs")
def add_cost(run_id: int) -> ResponseReturnValue:
    """Write down a cost."""
    run = break_even.get_run(run_id)
    require(ADMINISTER, run)
    form = forms.CostForm(run)
    if not form.validate_on_submit() or form.spent_on.data is None:
        return _page(run, cost=form)
    costs.add_cost(
        run,
        CostBasis(form.basis.data),
        CostKind(form.kind.data),
        form.money(),
        form.spent_on.data,
        (form.note.data or "").strip(),
        signed_in().id,
    )
    flash(_("The cost is written down."), "success")
    return redirect(url_for(".show_run", run_id=run.id), 303)


@bp.post("/admin/recovery/runs/<int:run_id>/costs/<int:cost_id>/remove")
def remove_cost(run_id: int, cost_id: int) -> ResponseReturnValue:
    """Take a cost back."""
    cost = break_even.get_cost(run_id, cost_id)
    require(ADMINISTER, cost.run)
    costs.remove_cost(cost, signed_in().id)
    flash(_("The cost is removed."), "success")
    return redirect(url_for(".show_run", run_id=run_id), 303)


@bp.post("/admin/recovery/runs/<int:run_id>/budget")
def set_budget(run_id: int) -> ResponseReturnValue:
    """Set the decision date and what is reckoned with."""
    run = break_even.get_run(run_id)
    require(ADMINISTER, run)
    form = forms.BudgetForm(None)
    if not form.validate_on_submit():
        return _page(run, budget=form)
    fee, share = form.hundredths()
    costs.set_budget(run, form.decide_on.data, fee, share, signed_in().id)
    flash(_("Saved. Administrators are told when the decision date has come."), "success")
    return redirect(url_for(".show_run", run_id=run.id), 303)


@bp.post("/admin/recovery/runs/<int:run_id>/decision")
def decide(run_id: int) -> ResponseReturnValue:
    """Confirm, move or cancel the run."""
    run = break_even.get_run(run_id)
    require(ADMINISTER, run)
    form = forms.DecisionForm()
    if not form.validate_on_submit():
        return _page(run, decision=form)
    made = Decision(form.decision.data)
    decisions.decide(
        run,
        made,
        signed_in().id,
        starts_on=form.starts_on.data,
        decide_on=form.decide_on.data,
        note=(form.note.data or "").strip(),
    )
    words = {
        Decision.CONFIRM: _("The run takes place."),
        Decision.DEFER: _("The run is moved. Each learner is told and may leave with a refund."),
        Decision.CANCEL: _("The run is cancelled. Everybody is told and gets the money back."),
    }
    flash(words[made], "success")
    return redirect(url_for(".show_run", run_id=run.id), 303)


@bp.route("/my/courses/moved/<int:offer_id>", methods=["GET", "POST"])
def show_offer(offer_id: int) -> ResponseReturnValue:
    """A learner of a moved run stays or leaves."""
    offer = break_even.get_offer(offer_id)
    require("recovery.answer", offer.enrolment)
    form = forms.AnswerForm()
    if form.validate_on_submit():
        answer = MoveAnswer(form.answer.data)
        decisions.answer_move(offer, answer)
        if answer == MoveAnswer.LEAVE:
            flash(_("You leave the course, and your money comes back the way you paid."), "success")
        else:
            flash(_("You keep your place on the new dates."), "success")
        return redirect(url_for(".show_offer", offer_id=offer.id), 303)
    return render_template("recovery/offer.html", offer=offer, form=form), (
        422 if form.errors else 200
    )
