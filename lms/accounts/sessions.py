"""Sign-in state: who the browser's session belongs to."""

from __future__ import annotations

from flask import Flask, session
from flask_login import LoginManager, login_user, logout_user

from lms.accounts.models import User
from lms.core.db import db

login_manager = LoginManager()


def init_sessions(app: Flask) -> None:
    """Let Flask-Login load people from signed cookies."""
    login_manager.init_app(app)


@login_manager.user_loader  # type: ignore[untyped-decorator]
def _load(session_id: str) -> User | None:
    user_id, _, epoch = session_id.partition(":")
    if not user_id.isdecimal() or not epoch.isdecimal():
        return None
    user = db.session.get(User, int(user_id))
    if user is None or not user.is_active or user.session_epoch != int(epoch):
        return None
    return user


def start_session(user: User, remember: bool = False) -> None:
    """Sign the person in with a fresh session, so that none prepared by others lives on."""
    language = session.get("language")
    session.clear()
    if language:
        session["language"] = language
    session.permanent = remember
    login_user(user)


def end_session() -> None:
    """Sign out on this device."""
    logout_user()
    session.clear()
