"""Writing: start a discussion, reply, edit and delete one's own posts."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require
from lms.core.choices import choices
from lms.core.errors import DomainError
from lms.core.files import UploadRefused
from lms.core.markdown import render_markdown
from lms.core.web import read_only_post
from lms.courses.queries import courses
from lms.forums import queries
from lms.forums.errors import PostChanged, PostGone, TooManyFiles
from lms.forums.forms import DiscussionForm, EditForm, EditOpeningForm, PostForm
from lms.forums.models import HEADING_SHIFT, MAX_TEXT, Discussion, Post
from lms.forums.services import posts as services
from lms.forums.views import bp
from lms.forums.views.shared import (
    discussion_url,
    enter,
    forum_url,
    post_place,
    undone_when_refused,
)


def _refuse(form: PostForm, error: DomainError) -> int:
    """Put a refusal into the form, so that what was typed stays; returns the status."""
    if isinstance(error, UploadRefused | TooManyFiles):
        form.files.errors = [str(error.text)]
    else:
        form.form_errors.append(str(error.text))
    return error.status


@bp.route("/forums/<slug>/new", methods=["GET", "POST"])
def start(run_id: int, slug: str) -> ResponseReturnValue:
    """Start a discussion."""
    forum = queries.get_forum(run_id, slug)
    visit = enter(forum, "forums.post")
    form = DiscussionForm()
    status = 200
    if request.method == "GET":
        services.check_open(forum, is_moderator=visit.is_moderator)
    elif not form.validate():
        status = 422
    else:
        try:
            with undone_when_refused():
                discussion = services.start_discussion(
                    visit.user,
                    forum,
                    visit.enrolment(forum),
                    title=form.title.data or "",
                    text=form.text.data or "",
                    language=form.language.data,
                    uploads=form.uploads,
                    is_moderator=visit.is_moderator,
                )
            return redirect(discussion_url(discussion), 303)
        except DomainError as error:
            status = _refuse(form, error)
    return render_template("forums/new.html", forum=forum, form=form), status


@bp.post("/discussions/<int:discussion_id>")
def reply(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """Reply to a post of a discussion; without a named one, to the first."""
    discussion = queries.get_discussion(run_id, discussion_id)
    visit = enter(discussion, "forums.post")
    form = PostForm()
    parent = _parent(discussion, form)
    status = 422
    if form.validate():
        try:
            if parent is None:
                raise PostGone
            with undone_when_refused():
                post = services.reply(
                    visit.user,
                    parent,
                    visit.enrolment(discussion.forum),
                    text=form.text.data or "",
                    language=form.language.data,
                    uploads=form.uploads,
                    is_moderator=visit.is_moderator,
                )
            return redirect(post_place(post), 303)
        except DomainError as error:
            status = _refuse(form, error)
    page = render_template(
        "forums/reply.html",
        discussion=discussion,
        forum=discussion.forum,
        form=form,
        parent=parent if parent and not parent.is_opening else None,
    )
    return page, status


def _parent(discussion: Discussion, form: PostForm) -> Post | None:
    if form.parent_id is None:
        return queries.get_opening(discussion)
    return queries.find_post(discussion, form.parent_id)


@bp.post("/forums/preview")
@read_only_post
def preview(run_id: int) -> ResponseReturnValue:
    """How a text will look."""
    require("forums.read", courses.get_run(run_id))
    text = request.form.get("text", "")[:MAX_TEXT]
    return str(render_markdown(text, heading_shift=HEADING_SHIFT))


@bp.route("/posts/<int:post_id>/edit", methods=["GET", "POST"])
def edit(run_id: int, post_id: int) -> ResponseReturnValue:
    """Give one's own post another text; 409 when another window was faster."""
    post = queries.get_post(run_id, post_id)
    visit = enter(post, "forums.edit_post")
    discussion = post.discussion
    form = EditOpeningForm() if post.is_opening else EditForm()
    form.remove.choices = choices([(str(one.id), one.file.name) for one in post.attachments])
    status, is_changed = 200, False
    if request.method == "GET":
        services.check_open(discussion, is_moderator=visit.is_moderator)
        if not post.is_shown:
            raise PostGone
        form.text.data, form.language.data = post.text, post.language
        form.version.data = str(post.version)
        if isinstance(form, EditOpeningForm):
            form.title.data = discussion.title
    elif not form.validate():
        status = 422
    else:
        try:
            with undone_when_refused():
                services.edit_post(
                    post,
                    text=form.text.data or "",
                    language=form.language.data,
                    version=form.version_number,
                    title=form.title.data if isinstance(form, EditOpeningForm) else None,
                    uploads=form.uploads,
                    removed=form.remove.data or (),
                    is_moderator=visit.is_moderator,
                )
            return redirect(post_place(post), 303)
        except DomainError as error:
            status = _refuse(form, error)
            is_changed = isinstance(error, PostChanged)
            form.version.data = str(post.version)  # kept again, it replaces what is there now
    page = render_template(
        "forums/edit.html",
        post=post,
        discussion=discussion,
        forum=discussion.forum,
        form=form,
        is_changed=is_changed,
        back=post_place(post),
    )
    return page, status


@bp.route("/posts/<int:post_id>/delete", methods=["GET", "POST"])
def delete(run_id: int, post_id: int) -> ResponseReturnValue:
    """Delete one's own post, after asking."""
    post = queries.get_post(run_id, post_id)
    visit = enter(post, "forums.edit_post")
    discussion = post.discussion
    if request.method == "GET":
        services.check_open(discussion, is_moderator=visit.is_moderator)
        return render_template(
            "forums/delete.html",
            post=post,
            discussion=discussion,
            forum=discussion.forum,
            back=post_place(post),
        )
    target = url_for(".discussion", run_id=run_id, discussion_id=discussion.id)
    forum = discussion.forum
    if not services.delete_post(post, is_moderator=visit.is_moderator):
        target = forum_url(forum)
    flash(_("Your post is deleted."), "success")
    return redirect(target, 303)
