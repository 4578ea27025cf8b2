"""What instructors do: pin, lock, hide, move."""

from __future__ import annotations

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.core.choices import choices
from lms.core.text import in_language
from lms.forums import queries
from lms.forums.errors import WrongPlace
from lms.forums.forms import MoveForm, ReasonForm
from lms.forums.models import Discussion, Post
from lms.forums.services import moderation as services
from lms.forums.views import bp
from lms.forums.views.shared import discussion_url, enter, post_place

MODERATE = "forums.moderate"


@bp.post("/discussions/<int:discussion_id>/pinned")
def pin(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """Keep a discussion at the top, or no longer."""
    discussion = queries.get_discussion(run_id, discussion_id)
    visit = enter(discussion, MODERATE)
    is_on = request.form.get("on") == "1"
    services.set_pinned(discussion, is_on, visit.user)
    flash(
        _("The discussion is pinned: it stands at the top of its forum.")
        if is_on
        else _("The discussion is no longer pinned."),
        "success",
    )
    return redirect(discussion_url(discussion), 303)


@bp.post("/discussions/<int:discussion_id>/locked")
def lock(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """End a discussion for learners, or open it again."""
    discussion = queries.get_discussion(run_id, discussion_id)
    visit = enter(discussion, MODERATE)
    is_on = request.form.get("on") == "1"
    services.set_locked(discussion, is_on, visit.user)
    flash(
        _("The discussion is locked: learners can read it, and reply no more.")
        if is_on
        else _("The discussion is open again."),
        "success",
    )
    return redirect(discussion_url(discussion), 303)


@bp.route("/discussions/<int:discussion_id>/hidden", methods=["GET", "POST"])
def hide_discussion(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """Hide a whole discussion with a reason."""
    discussion = queries.get_discussion(run_id, discussion_id)
    return _hide(discussion, discussion, discussion_url(discussion))


@bp.route("/posts/<int:post_id>/hidden", methods=["GET", "POST"])
def hide_post(run_id: int, post_id: int) -> ResponseReturnValue:
    """Hide a post with a reason."""
    post = queries.get_post(run_id, post_id)
    return _hide(post, post.discussion, post_place(post))


def _hide(what: Discussion | Post, discussion: Discussion, back: str) -> ResponseReturnValue:
    visit = enter(what, MODERATE)
    form = ReasonForm()
    if form.validate_on_submit():
        services.hide(what, form.reason.data or "", visit.user)
        flash(_("It is hidden: only instructors and its author see it."), "success")
        return redirect(back, 303)
    page = render_template(
        "forums/hide.html",
        post=what if isinstance(what, Post) else None,
        discussion=discussion,
        forum=discussion.forum,
        form=form,
        back=back,
    )
    return page, 422 if form.errors else 200


@bp.post("/discussions/<int:discussion_id>/shown")
def show_discussion(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """Show a hidden discussion again."""
    discussion = queries.get_discussion(run_id, discussion_id)
    return _show(discussion, discussion_url(discussion))


@bp.post("/posts/<int:post_id>/shown")
def show_post(run_id: int, post_id: int) -> ResponseReturnValue:
    """Show a hidden post again."""
    post = queries.get_post(run_id, post_id)
    return _show(post, post_place(post))


def _show(what: Discussion | Post, back: str) -> ResponseReturnValue:
    visit = enter(what, MODERATE)
    services.show_again(what, visit.user)
    flash(_("Everybody in the course run sees it again."), "success")
    return redirect(back, 303)


@bp.route("/discussions/<int:discussion_id>/place", methods=["GET", "POST"])
def move_discussion(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """Move a discussion to another forum of the run."""
    discussion = queries.get_discussion(run_id, discussion_id)
    visit = enter(discussion, MODERATE)
    activities = {
        forum.activity.id: forum.activity
        for forum in queries.list_forums(discussion.run)
        if forum.activity.id != discussion.activity_id
    }
    form = MoveForm()
    form.target.choices = choices([(str(a.id), in_language(a.title)) for a in activities.values()])
    if form.validate_on_submit():
        services.move_discussion(discussion, activities[form.target.data], visit.user)
        flash(_("The discussion has moved."), "success")
        return redirect(discussion_url(discussion), 303)
    return _move_page(discussion, None, form, discussion_url(discussion))


@bp.route("/posts/<int:post_id>/place", methods=["GET", "POST"])
def move_post(run_id: int, post_id: int) -> ResponseReturnValue:
    """Move a post with its replies to another discussion of the run."""
    post = queries.get_post(run_id, post_id)
    visit = enter(post, MODERATE)
    targets = {target.id: target for target in queries.list_targets(post.discussion)}
    form = MoveForm()
    form.target.choices = choices(
        [
            (str(target.id), f"{in_language(target.activity.title)}: {target.title}")
            for target in targets.values()
        ]
    )
    if form.validate_on_submit():
        services.move_post(post, targets[form.target.data], visit.user)
        flash(_("The post has moved, with its replies."), "success")
        return redirect(post_place(post), 303)
    return _move_page(post.discussion, post, form, post_place(post))


def _move_page(
    discussion: Discussion, post: Post | None, form: MoveForm, back: str
) -> ResponseReturnValue:
    page = render_template(
        "forums/move.html",
        discussion=discussion,
        forum=discussion.forum,
        post=post,
        form=form,
        back=back,
    )
    return page, WrongPlace.status if form.errors else 200
