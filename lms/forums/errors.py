"""How the forums say no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import ChangedMeanwhile, DomainError, InvalidInput


class ForumClosed(DomainError):
    """The run is over: learners read, and write no more."""

    message = lazy_gettext(
        "This course run has ended. Its forums can still be read, but nobody can write in them"
        " any more."
    )


class DiscussionLocked(DomainError):
    """An instructor ended the discussion."""

    message = lazy_gettext(
        "This discussion is closed: an instructor ended it. You can still read it, and start"
        " another one."
    )


class PostGone(DomainError):
    """The post was deleted or hidden, so nobody can reply to it or change it."""

    message = lazy_gettext("This post was deleted or hidden in the meantime.")


class PostChanged(ChangedMeanwhile):
    """The post was changed in another window since the form was opened."""

    message = lazy_gettext(
        "This post was changed in another window since you opened it. Below is your text; the"
        " present text of the post stands above it. Bring them together, then keep it again."
    )


class TooManyFiles(InvalidInput):
    """More attachments than a post may have."""

    message = lazy_gettext("A post can have three attachments at most.")


class WrongPlace(InvalidInput):
    """A move to a place that does not take it: another run, or into itself."""

    message = lazy_gettext("It cannot be moved there. Choose a place in the same course run.")
