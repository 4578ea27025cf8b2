"""The player on the study page tells what was watched."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from lms.accounts.permissions import present_user, require, signed_in
from lms.core.limits import limiter, visitor_address
from lms.courses.errors import SessionTaken
from lms.courses.forms.playback import read_report
from lms.courses.queries import courses, enrolments
from lms.courses.services.playback import note_playback as keep_playback
from lms.courses.views import bp


def _person() -> str:
    user = present_user()
    return f"playback:{user.id}" if user is not None else visitor_address()


@bp.post("/study/<int:run_id>/<slug>/playback")
@limiter.limit("60 per minute", key_func=_person)
def note_playback(run_id: int, slug: str) -> ResponseReturnValue:
    """Record what a learner's browser tells of a film; who and what it is about is known here."""
    run = courses.get_run_for_study(run_id)
    enrolment = enrolments.get_enrolment(run, signed_in())
    require("courses.study", enrolment)
    activity = courses.get_activity(run.course, slug)
    registration, report = read_report(request.form.get("report", ""))
    if registration != enrolment.registration:  # another person's, left behind on the same device
        raise SessionTaken
    keep_playback(enrolment, activity, report)
    return "", 204
