"""Notices on the page, and how one wants to receive them."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.accounts.permissions import present_user, require, signed_in
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.pagination import paginate
from lms.core.web import csrf, page_number, public
from lms.notifications import messages, queries, services
from lms.notifications.kinds import notification_kinds
from lms.notifications.models import MailChoice, Notice

bp = Blueprint("notifications", __name__, template_folder="templates", url_prefix="/notices")


@bp.app_context_processor
def _unread() -> dict[str, object]:
    user = present_user()
    if user is None:
        return {}
    if "unread_count" not in g:  # each fragment of a page asks; the database is asked once
        g.unread_count = queries.count_unread(user.id)
    if not g.unread_count:
        return {"unread_count": 0}
    return {"unread_count": g.unread_count, "unread_url": url_for("notifications.list_notices")}


def _shown(notice: Notice) -> dict[str, object]:
    kind = notification_kinds[notice.kind]
    return {"notice": notice, "title": kind.subject(notice.values)}


@bp.get("/")
def list_notices() -> ResponseReturnValue:
    """The person's notices, newest first."""
    user = signed_in()
    require("notifications.read", user)
    page = paginate(queries.list_notices(user.id), page_number(), 30)
    return render_template(
        "notifications/list.html", page=page, shown=[_shown(n) for n in page.items]
    )


@bp.post("/<int:notice_id>")
def open_notice(notice_id: int) -> ResponseReturnValue:
    """Mark a notice as read and go where it leads."""
    user = signed_in()
    notice = queries.get_notice(notice_id, user.id)
    require("notifications.read", user)
    services.mark_read(user.id, notice)
    link = notification_kinds[notice.kind].link(notice.values)
    return redirect(link or url_for(".list_notices"), 303)


@bp.post("/read")
def read_all() -> ResponseReturnValue:
    """Mark all as read."""
    user = signed_in()
    require("notifications.read", user)
    services.mark_read(user.id)
    return redirect(url_for(".list_notices"), 303)


@bp.route("/preferences", methods=["GET", "POST"])
def preferences() -> ResponseReturnValue:
    """Choose what comes by mail, and when."""
    user = signed_in()
    require("notifications.read", user)
    if request.method == "POST":
        choices = {
            name: MailChoice(request.form[name])
            for name in notification_kinds
            if request.form.get(name) in set(MailChoice)
        }
        services.choose(user.id, choices)
        flash(_("Your choices are kept."), "success")
        return redirect(url_for(".preferences"), 303)
    return render_template(
        "notifications/preferences.html",
        choices=queries.mail_choices(user.id),
        kinds=notification_kinds,
    )


@bp.route("/stop/<token>", methods=["GET", "POST"])
@public
@csrf.exempt  # type: ignore[untyped-decorator]
def unsubscribe(token: str) -> ResponseReturnValue:
    """Turn one kind of mail off, from the mail itself (RFC 8058), without signing in."""
    found = messages.read_unsubscribe(token)
    user = db.session.get(User, found[0]) if found else None
    kind = notification_kinds.get(found[1]) if found else None
    if user is None or kind is None:
        raise NotFound(_("This link is not complete. Choose your mails in your account instead."))
    if request.method == "POST":
        services.choose(user.id, {kind.name: MailChoice.OFF})
    return render_template(
        "notifications/unsubscribe.html", kind=kind, is_done=request.method == "POST"
    )
