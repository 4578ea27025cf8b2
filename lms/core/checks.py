"""`lms check`: what works and what to do about what does not."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from lms.config import ConfigurationError
from lms.core import clock
from lms.core.db import db
from lms.core.files import file_store
from lms.core.mail import connect
from lms.core.migrations import pending
from lms.core.models import JobState, OutboxRow
from lms.core.settings import settings


@dataclass(frozen=True)
class Finding:
    """One line of the check."""

    name: str
    is_ok: bool
    text: str


def _configuration() -> str:
    config = settings()
    if not config.base_url.startswith("https://") and "127.0.0.1" not in config.base_url:
        raise ConfigurationError("LMS_BASE_URL is not https: set up TLS in front of Puente")
    return config.base_url


def _privacy() -> str:
    folder = settings().data_path
    if folder.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"others on this machine can read the data folder: chmod 700 {folder}"
        )
    return "the data folder is for its owner only"


def _database() -> str:
    db.session.execute(text("SELECT 1"))
    if pending():
        raise ConfigurationError("the database is behind: run `lms init`")
    return f"{db.engine.dialect.name}, at the newest version"


def _storage() -> str:
    file_store().check()
    return settings().files_url or "folder in the data folder"


def _queue() -> str:
    failed = db.session.scalars(
        select(OutboxRow.id).where(OutboxRow.state == JobState.FAILED).limit(100)
    ).all()
    waiting = current_app.extensions["huey"].pending_count()
    if failed:
        raise ConfigurationError(
            f"{len(failed)} jobs were given up: see Administration, Jobs, and start them again"
        )
    return f"{type(current_app.extensions['huey']).__name__}, {waiting} waiting"


def _mail() -> str:
    server = connect(settings())
    if server is None:
        return "mails are written to the folder mails/ (set LMS_MAIL_URL to send them)"
    server.quit()
    return "the mail server answers"


def _payments() -> str:
    config = settings()
    if config.stripe_secret_key is None:
        return "Stripe is off (set LMS_STRIPE_SECRET_KEY and LMS_STRIPE_WEBHOOK_SECRET)"
    return "Stripe keys are set"


def _clock() -> str:
    if db.engine.dialect.name == "sqlite":
        return clock.now().isoformat(timespec="seconds")
    theirs = db.session.scalar(text("SELECT now()"))
    if isinstance(theirs, datetime):
        apart = abs((clock.now() - theirs.astimezone(UTC)).total_seconds())
        if apart > 5:
            raise ConfigurationError(f"{apart:.0f} s apart from the database: set up NTP")
    return "agrees with the database"


_CHECKS: dict[str, Callable[[], str]] = {
    "configuration": _configuration,
    "privacy": _privacy,
    "database": _database,
    "storage": _storage,
    "queue": _queue,
    "mail": _mail,
    "payments": _payments,
    "clock": _clock,
}


def run_checks() -> list[Finding]:
    """Run every check; none raises."""
    findings = []
    for name, check in _CHECKS.items():
        try:
            findings.append(Finding(name, True, check()))
        except (ConfigurationError, OSError, SQLAlchemyError, smtplib.SMTPException) as error:
            findings.append(Finding(name, False, str(error).splitlines()[0]))
        finally:
            db.session.rollback()
    return findings
