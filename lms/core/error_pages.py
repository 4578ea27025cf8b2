"""Errors become pages (or JSON for programs) with a status and what to do next."""

from __future__ import annotations

import logging

from flask import Flask, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, TooManyRequests

from lms.core import once
from lms.core.errors import ChangedMeanwhile, DomainError, InvalidInput, NotFound
from lms.core.limits import seconds_to_wait, waiting_time

LARGEST_ID = 2**63 - 1  # that either database counts

log = logging.getLogger("lms")


def wants_json() -> bool:
    """Whether the caller is a program rather than a person with a browser."""
    if request.headers.get("HX-Request"):
        return False
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return True
    # fetch() accepts anything; no form puts, and a browser that goes to a page asks for HTML
    by_script = request.is_json or request.method not in ("GET", "HEAD", "POST")
    return by_script and "text/html" not in request.accept_mimetypes.values()


def error_answer(status: int, message: str) -> ResponseReturnValue:
    """The error page, or its JSON form."""
    if wants_json():
        return jsonify(error={"status": status, "message": message}), status
    return render_template("core/error.html", status=status, message=message), status


def init_error_pages(app: Flask) -> None:
    """Register the handlers of all errors that are not bugs, and one for those that are."""

    @app.errorhandler(DomainError)
    def _refused(error: DomainError) -> ResponseReturnValue:
        if error.status == 401:
            if wants_json() or request.headers.get("HX-Request"):
                return error_answer(401, _("Sign in first."))
            flash(_("Sign in to go on."), "info")
            target = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("accounts.sign_in", next=target))
        return error_answer(error.status, str(error.text))

    @app.errorhandler(StaleDataError)
    def _stale(error: StaleDataError) -> ResponseReturnValue:
        return error_answer(409, str(ChangedMeanwhile.message))

    @app.errorhandler(DataError)
    @app.errorhandler(OverflowError)
    def _unstorable(error: Exception) -> ResponseReturnValue:
        """Numbers beyond what the database counts, and signs it cannot keep."""
        ids = [value for value in (request.view_args or {}).values() if isinstance(value, int)]
        if any(abs(value) > LARGEST_ID for value in ids):
            return error_answer(NotFound.status, str(NotFound.message))
        return error_answer(InvalidInput.status, str(InvalidInput.message))

    @app.errorhandler(CSRFError)
    def _csrf(error: CSRFError) -> ResponseReturnValue:
        return error_answer(
            400,
            _(
                "This form was open for too long or came from another page. Go back, reload the"
                " page and send it again: what you typed is kept on this device."
            ),
        )

    @app.errorhandler(TooManyRequests)
    def _too_many(error: TooManyRequests) -> ResponseReturnValue:
        """Say how long to wait, and keep what was typed, to be sent again then.

        Only forms with a valid CSRF token come as far as this, so theirs may be renewed.
        """
        seconds = seconds_to_wait()
        message = _("Too many tries. Wait %(time)s, then try again.", time=waiting_time(seconds))
        headers = {"Retry-After": str(seconds)}
        if wants_json():
            return jsonify(error={"status": 429, "message": message}), 429, headers
        typed = [
            (name, value)
            for name, value in request.form.items(multi=True)
            if name not in ("csrf_token", once.FIELD) and "password" not in name
        ]
        page = render_template("core/error.html", status=429, message=message, typed=typed)
        return page, 429, headers

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        messages = {
            400: _("The request was not complete or not readable."),
            404: _("This page does not exist, or it moved."),
            405: _("This address cannot be used in this way."),
            413: _("What you sent is too large."),
            415: _("What you sent has a type that cannot be read here."),
        }
        if status < 400:
            return error
        answer = error_answer(status, messages.get(status, _("Something went wrong.")))
        if status == 405 and isinstance(answer, tuple):
            return answer[0], status, {"Allow": error.get_response().headers.get("Allow", "")}
        return answer

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> ResponseReturnValue:
        if app.testing or app.debug:
            raise error
        log.exception("unexpected error", extra={"endpoint": request.endpoint})
        return error_answer(
            500,
            _("Something went wrong on our side. It has been noted; please try again."),
        )
