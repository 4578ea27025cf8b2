"""The question bank of a quiz: list, write, reorder, retire, try."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require
from lms.assessments import queries
from lms.assessments.forms import question_data, question_form
from lms.assessments.models import QuizRules
from lms.assessments.question_types.base import Shown, question_types
from lms.assessments.services import questions as services
from lms.assessments.views import bp
from lms.assessments.views.shared import control_name, draw
from lms.core.errors import InvalidInput, NotFound
from lms.core.text import current_language
from lms.core.web import read_only_post
from lms.courses.activity_types.base import activity_types


@bp.get("/assessments/quizzes/<int:activity_id>/questions")
def list_questions(activity_id: int) -> ResponseReturnValue:
    """All questions of a quiz, in order, and those that are asked no more."""
    activity = queries.get_quiz(activity_id)
    require("courses.edit", activity.course)
    return render_template(
        "assessments/questions.html",
        activity=activity,
        course=activity.course,
        rules=QuizRules.of(activity.settings),
        questions=queries.list_questions(activity),
        retired=queries.list_questions(activity, is_retired=True),
        kinds=list(question_types.values()),
        problems=activity_types[queries.QUIZ].problems(activity),
    )


@bp.route("/assessments/quizzes/<int:activity_id>/questions/new", methods=["GET", "POST"])
def add_question(activity_id: int) -> ResponseReturnValue:
    """Write a new question of the kind in `?kind=`."""
    activity = queries.get_quiz(activity_id)
    require("courses.edit", activity.course)
    kind = question_types.get(request.args.get("kind", ""))
    if kind is None:
        raise NotFound
    form = question_form(kind, activity.course.languages)(data={"special": kind.form_data({})})
    if form.validate_on_submit():
        content = form.content(kind)
        if content is not None:
            services.add_question(activity, content)
            flash(_("The question is saved."), "success")
            return redirect(url_for(".list_questions", activity_id=activity.id), 303)
    page = render_template(
        "assessments/question.html", activity=activity, kind=kind, form=form, question=None
    )
    return page, 422 if request.method == "POST" else 200


@bp.route("/assessments/questions/<int:question_id>", methods=["GET", "POST"])
def edit_question(question_id: int) -> ResponseReturnValue:
    """Change a question."""
    question = queries.get_question(question_id)
    activity = question.activity
    require("courses.edit", activity.course)
    kind = question_types[question.kind]
    form = question_form(kind, activity.course.languages)(data=question_data(question, kind))
    if form.validate_on_submit():
        content = form.content(kind)
        if content is not None:
            kept = services.edit_question(question, content)
            if kept is not question:
                flash(
                    _(
                        "The question is saved. People had answered it: their results keep the"
                        " old one, which is now retired."
                    ),
                    "success",
                )
            else:
                flash(_("The question is saved."), "success")
            if "more" in request.form:
                return redirect(url_for(".edit_question", question_id=kept.id), 303)
            return redirect(url_for(".list_questions", activity_id=activity.id), 303)
    page = render_template(
        "assessments/question.html",
        activity=activity,
        kind=kind,
        form=form,
        question=question,
        is_answered=queries.has_responses(question),
    )
    return page, 422 if request.method == "POST" else 200


@bp.post("/assessments/quizzes/<int:activity_id>/questions/order")
def reorder_questions(activity_id: int) -> ResponseReturnValue:
    """The new order as `order=3,1,2`, or one step of `item` in a `direction`."""
    activity = queries.get_quiz(activity_id)
    require("courses.edit", activity.course)
    order, item = request.form.get("order"), request.form.get("item", "")
    if order is not None:
        ids = order.split(",")
        if not all(id_.isdecimal() and len(id_) < 19 for id_ in ids):
            raise InvalidInput
        services.reorder_questions(activity, [int(id_) for id_ in ids])
    else:
        if not item.isdecimal() or len(item) > 18:
            raise InvalidInput
        question = queries.get_question(int(item))
        if question.activity_id != activity.id:
            raise NotFound
        services.move_question(question, -1 if request.form.get("direction") == "up" else 1)
    return redirect(url_for(".list_questions", activity_id=activity.id), 303)


@bp.post("/assessments/questions/<int:question_id>/copy")
def duplicate_question(question_id: int) -> ResponseReturnValue:
    """Make a copy and open it."""
    question = queries.get_question(question_id)
    require("courses.edit", question.activity.course)
    copy = services.duplicate_question(question)
    flash(_("This is the copy. Change what differs."), "success")
    return redirect(url_for(".edit_question", question_id=copy.id), 303)


@bp.post("/assessments/questions/<int:question_id>/retire")
def retire_question(question_id: int) -> ResponseReturnValue:
    """Ask it no more."""
    question = queries.get_question(question_id)
    require("courses.edit", question.activity.course)
    services.retire_question(question)
    flash(_("The question is retired. New attempts do not ask it any more."), "success")
    return redirect(url_for(".list_questions", activity_id=question.activity_id), 303)


@bp.post("/assessments/questions/<int:question_id>/restore")
def restore_question(question_id: int) -> ResponseReturnValue:
    """Ask it again."""
    question = queries.get_question(question_id)
    require("courses.edit", question.activity.course)
    services.restore_question(question)
    flash(_("The question is asked again."), "success")
    return redirect(url_for(".list_questions", activity_id=question.activity_id), 303)


@bp.route("/assessments/questions/<int:question_id>/preview", methods=["GET", "POST"])
@read_only_post
def preview_question(question_id: int) -> ResponseReturnValue:
    """Try a question as a learner would; nothing is kept."""
    question = queries.get_question(question_id)
    activity = question.activity
    require("courses.edit", activity.course)
    kind, name = question_types[question.kind], control_name(question)
    response, score = None, None
    is_result = request.method == "POST"
    if is_result:
        response = kind.read(question.settings, request.form, name, current_language())
        score = kind.grade(question.settings, response) if response is not None else 0.0
    shown = Shown(name, is_result=is_result, with_key=is_result, score=score)
    return render_template(
        "assessments/preview.html",
        activity=activity,
        question=question,
        is_result=is_result,
        html=[draw(question, response, shown, question.position, activity.course)],
    )


@bp.get("/assessments/quizzes/<int:activity_id>/preview")
def preview_quiz(activity_id: int) -> ResponseReturnValue:
    """All questions of the bank as learners see them, with the right answers."""
    activity = queries.get_quiz(activity_id)
    require("courses.edit", activity.course)
    html = [
        draw(question, None, Shown(control_name(question)), number, activity.course)
        for number, question in enumerate(queries.list_questions(activity), start=1)
    ]
    return render_template(
        "assessments/preview.html", activity=activity, question=None, is_result=False, html=html
    )
