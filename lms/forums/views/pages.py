"""Reading: the forums of a run, a forum, a discussion, search, attachments."""

from __future__ import annotations

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.permissions import can, require, signed_in
from lms.core.errors import NotFound
from lms.core.files import send_stored
from lms.core.fragments import reader_key
from lms.core.layout import keep_form
from lms.core.pagination import Page, paginate
from lms.core.text import current_language
from lms.core.web import page_number
from lms.courses.models import CourseRun
from lms.courses.queries import courses
from lms.forums import queries
from lms.forums.forms import PostForm
from lms.forums.models import Discussion, Forum, Post
from lms.forums.services import following
from lms.forums.thread import make_thread, quotation, snippet
from lms.forums.views import bp
from lms.forums.views.shared import (
    Place,
    discussion_url,
    draw_posts,
    enter,
    forum_url,
    post_place,
)

SEARCH_RESULTS = 20  # on a page
LONGEST_QUERY = 200  # signs


def forums_link(run: CourseRun) -> Markup | None:
    """The link to the forums, among an instructor's links of a run."""
    if not can("forums.moderate", run) or not queries.list_forums(run):
        return None
    return Markup(render_template("forums/_run_link.html", run=run))  # noqa: S704


def _readable_forums(run: CourseRun) -> list[Forum]:
    """The forums of a run that the visitor may open."""
    is_moderator = can("forums.moderate", run)
    return [f for f in queries.list_forums(run) if is_moderator or queries.is_released(f)]


@bp.get("/forums")
def overview(run_id: int) -> ResponseReturnValue:
    """All forums of a run, with what is unread."""
    run = courses.get_run(run_id)
    require("forums.read", run)
    is_moderator = can("forums.moderate", run)
    return render_template(
        "forums/overview.html",
        run=run,
        forums=_readable_forums(run),
        counts=queries.count_by_forum(run, signed_in(), is_moderator=is_moderator),
    )


@bp.get("/forums/search")
def search(run_id: int) -> ResponseReturnValue:
    """Posts that hold all words, in all forums of the run or in one of them."""
    run = courses.get_run(run_id)
    require("forums.read", run)
    query = " ".join(request.args.get("q", "").replace("\0", "").split())[:LONGEST_QUERY]
    forums = _readable_forums(run)
    wanted = request.args.get("forum")
    chosen = [forum for forum in forums if forum.activity.slug == wanted]
    statement = queries.search(chosen or forums, query)
    page: Page[Post] | None = None
    if statement is not None:
        page = paginate(statement, page_number(), SEARCH_RESULTS)
    return render_template(
        "forums/search.html",
        run=run,
        query=query,
        page=page,
        hits=[(post, snippet(post.text, query)) for post in page.items] if page else [],
        forums={forum.activity.id: forum for forum in forums},
        chosen=chosen[0] if chosen else None,
    )


@bp.get("/forums/<slug>")
def forum(run_id: int, slug: str) -> ResponseReturnValue:
    """The discussions of a forum."""
    place = queries.get_forum(run_id, slug)
    visit = enter(place)
    unread_only = request.args.get("show") == "unread"
    page: Page[Discussion] = paginate(
        queries.list_discussions(
            place, visit.user, is_moderator=visit.is_moderator, unread_only=unread_only
        ),
        page_number(),
        queries.DISCUSSIONS,
    )
    return render_template(
        "forums/forum.html",
        forum=place,
        page=page,
        unread=queries.unread_by_discussion(visit.user, [d.id for d in page.items]),
        unread_only=unread_only,
        is_moderator=visit.is_moderator,
        is_open=visit.may_write(place),
        is_following=queries.is_following(visit.user, place),
    )


@bp.post("/forums/<slug>/following")
def follow_forum(run_id: int, slug: str) -> ResponseReturnValue:
    """Hear of new discussions in a forum, or no longer."""
    place = queries.get_forum(run_id, slug)
    visit = enter(place)
    is_on = request.form.get("on") == "1"
    following.follow(visit.user, place, is_on=is_on)
    flash(
        _("You follow this forum: we tell you of new discussions.")
        if is_on
        else _("You do not follow this forum any more."),
        "success",
    )
    return redirect(forum_url(place), 303)


@bp.get("/discussions/<int:discussion_id>")
def discussion(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """A discussion with its posts. `?reply=` and `?quote=` name the post to reply to."""
    found = queries.get_discussion(run_id, discussion_id)
    visit = enter(found)
    pages = max(1, -(-found.post_count // queries.PAGE_SIZE))
    number = min(page_number(), pages)
    standing = queries.standing(visit.user, found)
    thread = make_thread(
        queries.list_heads(found, number),
        visit.user,
        is_moderator=visit.is_moderator,
        last_read_id=standing.last_read_id,
    )
    may_write = visit.may_write(found)
    language = current_language()
    place = Place(run_id, found.id, number, may_write, visit.is_moderator, language)
    draw_posts(thread.nodes, place)
    return render_template(
        "forums/discussion.html",
        discussion=found,
        forum=found.forum,
        thread=thread.roots,
        number=number,
        pages=pages,
        newest=standing.newest_id,
        unread=standing.unread,
        is_moderator=visit.is_moderator,
        is_over=queries.is_over(found.run),
        is_following=standing.is_following,
        may_write=may_write,
        reply_form=_reply_form(found, number) if may_write else None,
    )


def _reply_form(discussion: Discussion, page: int) -> Markup:
    """The form to reply with: to the post that was chosen, else to the whole discussion."""
    wanted = request.args.get("quote", request.args.get("reply", ""))
    parent: Post | None = None
    if wanted.isdecimal() and len(wanted) < 18:
        parent = queries.find_post(discussion, int(wanted))
    if parent is None or not parent.is_shown:
        key = ("reply", reader_key(), discussion.id)
        return keep_form(key, lambda: _draw_reply(discussion, page, None))
    return Markup(_draw_reply(discussion, page, parent))  # noqa: S704 - a template's


def _draw_reply(discussion: Discussion, page: int, parent: Post | None) -> str:
    form = PostForm(formdata=None)
    if parent is not None:
        form.parent.data = str(parent.id)
        if "quote" in request.args:
            form.text.data = quotation(parent.text)
    return render_template(
        "forums/_reply.html", discussion=discussion, number=page, form=form, parent=parent
    )


@bp.post("/discussions/<int:discussion_id>/read")
def note_read(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """The page tells that it was read to its end; without script, a button does.

    `page` and `to` (the newest post at that time) stand in the address; with `all` in the form the
    whole discussion counts as read.
    """
    found = queries.get_discussion(run_id, discussion_id)
    visit = enter(found)
    up_to = request.args.get("to", "")
    reached = int(up_to) if up_to.isdecimal() and len(up_to) < 18 else 0
    if "all" in request.form:
        following.mark_read(visit.user, found, reached)
        return redirect(forum_url(found.forum), 303)
    seen = queries.page_ids(found, page_number())
    following.mark_read(visit.user, found, reached, seen)
    return "", 204


@bp.post("/discussions/<int:discussion_id>/following")
def follow_discussion(run_id: int, discussion_id: int) -> ResponseReturnValue:
    """Hear of new posts in a discussion, or no longer."""
    found = queries.get_discussion(run_id, discussion_id)
    visit = enter(found)
    is_on = request.form.get("on") == "1"
    following.follow(visit.user, found, is_on=is_on)
    flash(
        _("You follow this discussion: we tell you of new replies.")
        if is_on
        else _("You do not follow this discussion any more."),
        "success",
    )
    return redirect(discussion_url(found), 303)


@bp.get("/posts/<int:post_id>")
def post(run_id: int, post_id: int) -> ResponseReturnValue:
    """Go to where a post stands now."""
    found = queries.get_post(run_id, post_id)
    enter(found.discussion)
    return redirect(post_place(found))


@bp.get("/posts/<int:post_id>/history")
def history(run_id: int, post_id: int) -> ResponseReturnValue:
    """The earlier texts of a post, for its author and the instructors."""
    found = queries.get_post(run_id, post_id)
    enter(found, "forums.see_history")
    return render_template(
        "forums/history.html",
        post=found,
        discussion=found.discussion,
        forum=found.discussion.forum,
        revisions=list(reversed(found.revisions)),
        back=url_for(".post", run_id=run_id, post_id=post_id),
    )


@bp.get("/attachments/<int:attachment_id>/<name>")
def attachment(run_id: int, attachment_id: int, name: str) -> Response:
    """A file of a post."""
    found = queries.get_attachment(run_id, attachment_id)
    enter(found.post)
    if found.file.name != name:
        raise NotFound
    return send_stored(found.file)
