"""The learner's due dates as a calendar feed."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.language import speaking
from lms.core.web import absolute_url, public
from lms.courses.calendar_feed import make_calendar
from lms.courses.queries import enrolments
from lms.courses.services import calendar as services
from lms.courses.views import bp


@bp.get("/my/calendar")
def calendar() -> ResponseReturnValue:
    """The secret address of the person's feed, and how to use it."""
    require("courses.my_courses")
    token = services.feed_token(signed_in())
    address = absolute_url("courses.calendar_feed", token=token)
    return render_template(
        "courses/calendar.html",
        address=address,
        subscribe="webcal://" + address.split("://", 1)[1],
    )


@bp.post("/my/calendar/renew")
def renew_calendar() -> ResponseReturnValue:
    """Give the feed a new address; the old one stops working."""
    require("courses.my_courses")
    services.renew_feed(signed_in())
    flash(_("The calendar has a new address. The old one no longer works."), "success")
    return redirect(url_for(".calendar"), 303)


@bp.get("/calendar/<token>.ics")
@public
def calendar_feed(token: str) -> ResponseReturnValue:
    """The feed itself: whoever has the address may read it."""
    user = services.find_feed_owner(token)
    if user is None:
        abort(404)
    with speaking(user.language):
        content = make_calendar(enrolments.list_enrolments(user))
    response = Response(content, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="puente.ics"'
    response.headers["Cache-Control"] = "private, max-age=900"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
