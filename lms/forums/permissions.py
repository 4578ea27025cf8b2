"""Who may read, write and moderate in forums."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.accounts.models import User
from lms.accounts.permissions import Permission, may
from lms.courses.models import CourseRun
from lms.courses.queries import enrolments
from lms.forums import queries
from lms.forums.models import Discussion, Forum, Post

Subject = CourseRun | Forum | Discussion | Post


def _run_of(subject: Subject) -> CourseRun:
    if isinstance(subject, CourseRun):
        return subject
    return subject.discussion.run if isinstance(subject, Post) else subject.run


def _forum_of(subject: Subject) -> Forum | None:
    if isinstance(subject, CourseRun):
        return None
    if isinstance(subject, Forum):
        return subject
    return subject.discussion.forum if isinstance(subject, Post) else subject.forum


def _is_hidden_from(user: User, subject: Subject) -> bool:
    """Hidden things are the instructors' and their author's."""
    if isinstance(subject, Post):
        hidden = subject.is_hidden and subject.author_id != user.id
        return hidden or _is_hidden_from(user, subject.discussion)
    if isinstance(subject, Discussion):
        return subject.is_hidden and subject.author_id != user.id
    return False


def may_moderate(user: User, subject: Subject) -> bool:
    """Those who write and teach the course."""
    return may(user, "courses.edit", _run_of(subject))


def may_read(user: User, subject: Subject) -> bool:
    """Learners of the run once the forum's module is open, and those who teach."""
    enrolment = enrolments.find_enrolment(_run_of(subject), user)
    if enrolment is not None and enrolment.may_study and not _is_hidden_from(user, subject):
        forum = _forum_of(subject)
        if forum is None or queries.is_released(forum):
            return True
    return may_moderate(user, subject)


def _is_own(user: User, post: Post) -> bool:
    return post.author_id == user.id and may_read(user, post)


def _may_see_history(user: User, post: Post) -> bool:
    return _is_own(user, post) or may_moderate(user, post)


def all_permissions() -> list[Permission]:
    """The permissions of the room, each with its rule."""
    return [
        Permission("forums.read", lazy_gettext("Read the forums of a course run"), may_read),
        Permission("forums.post", lazy_gettext("Write in the forums of a course run"), may_read),
        Permission(
            "forums.edit_post",
            lazy_gettext("Change and delete one's own post"),
            _is_own,
            administrators=False,
        ),
        Permission(
            "forums.see_history",
            lazy_gettext("See the earlier texts of a post"),
            _may_see_history,
        ),
        Permission(
            "forums.moderate",
            lazy_gettext("Pin, lock, move and hide what stands in a forum"),
            may_moderate,
        ),
    ]
