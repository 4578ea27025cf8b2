"""Sign-in state: who the browser's session belongs to.

The signed cookie holds the key of a `SignIn`; without its row the cookie is worthless.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from flask import Flask, Response, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, login_user, logout_user
from itsdangerous import URLSafeTimedSerializer

from lms.accounts import queries
from lms.accounts.models import SignIn, User
from lms.accounts.services import sign_ins
from lms.core import clock

login_manager = LoginManager()
# Flask-Login would sign the cookie anew for each page of a phone that changes its network; a
# stolen cookie is ended by its row
login_manager.session_protection = None
KEY: Final = "_user_id"  # where Flask-Login looks for what it gives to the loader


class SignedCookies(SecureCookieSessionInterface):
    """Flask's signed cookies, with one signer for all requests in place of one for each."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of the app's key, which does not change while it runs."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer


def init_sessions(app: Flask) -> None:
    """Let Flask-Login load people from signed cookies, and renew those once a day."""
    app.session_interface = SignedCookies()
    login_manager.init_app(app)
    app.after_request(_renew)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(key: str) -> User | None:
    parsed = _read_key(key)
    user = queries.find_signed_in(parsed, clock.now()) if parsed else None
    return user if user is not None and user.is_active else None


def _read_key(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=str(text))
    except ValueError:
        return None


def _renew(response: Response) -> Response:
    """Sign the cookie of a signed-in person anew when it is of another day.

    It lives for 30 days from then on; sending it with each answer would only cost time.
    """
    if request.endpoint != "static" and KEY in session:
        today = clock.now().date().isoformat()
        if session.get("signed_on") != today:
            session["signed_on"] = today
    return response


def start_session(
    user: User, remember: bool = False, second_factor_at: datetime | None = None
) -> None:
    """Sign the person in with a fresh session, so that none prepared by others lives on.

    second_factor_at: when the person has proven the second factor, if they just have.
    """
    language = session.get("language")
    _end_sign_in()
    session.clear()
    if language:
        session["language"] = language
    session.permanent = remember
    login_user(user)
    session[KEY] = sign_ins.open_sign_in(user, second_factor_at)


def present_sign_in() -> SignIn | None:
    """The sign-in of this browser."""
    key = _read_key(session.get(KEY))
    return queries.find_sign_in(key) if key else None


def end_session() -> None:
    """Sign out on this device; copies of the cookie are worthless too."""
    _end_sign_in()
    logout_user()
    session.clear()


def _end_sign_in() -> None:
    key = _read_key(session.get(KEY))
    if key:
        sign_ins.end_sign_in(key)
