"""How the assessments say no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError


class AttemptClosed(DomainError):
    """The attempt was handed in, or its time was over, before."""

    message = lazy_gettext("This attempt is closed. Its answers cannot be changed any more.")


class TimeOver(AttemptClosed):
    """The attempt's deadline is past: later answers are not taken."""

    message = lazy_gettext(
        "The time of this attempt is over. What was saved until then counts; later answers were"
        " not taken."
    )


class NoAttemptsLeft(DomainError):
    """All attempts that the quiz allows are used."""

    message = lazy_gettext("You have used all attempts that this quiz allows.")


class QuizNotReady(DomainError):
    """The quiz is not published or has no questions."""

    message = lazy_gettext("This quiz is not ready yet. Please tell your instructor.")
