from __future__ import annotations

from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.courses.models import Activity, CourseRun
from lms.forums.models import Discussion, Forum, Post
from lms.forums.services import posts
from tests.factories.accounts import make_user
from tests.factories.courses import make_activity, make_enrolment, make_module, make_run


def make_forum(run: CourseRun | None = None, **values: Any) -> Forum:
    """A forum in a run that is going on, completed by one post."""
    run = run or make_run()
    values.setdefault("completion", "posted")
    values.setdefault("is_required", False)  # so that it alone does not complete the course
    values.setdefault("settings", {"minimum_posts": 1})
    activity: Activity = make_activity(make_module(run.course), kind="forum", **values)
    return Forum(run, activity)


def make_learner(forum: Forum, **values: Any) -> User:
    """A person who studies in the forum's run."""
    user = make_user(**values)
    make_enrolment(forum.run, user)
    return user


def make_discussion(
    forum: Forum | None = None, author: User | None = None, **values: Any
) -> Discussion:
    """A discussion with its first post; `text`, `title` and `language` can be given."""
    forum = forum or make_forum()
    author = author or make_learner(forum)
    values.setdefault("title", "How do you meet?")
    values.setdefault("text", "Our council meets in the *morning*.")
    values.setdefault("language", "en")
    discussion = posts.start_discussion(author, forum, None, **values)
    db.session.commit()
    return discussion


def make_reply(parent: Post | Discussion, author: User | None = None, **values: Any) -> Post:
    """A reply to a post, or to the first post of a discussion."""
    post = first_post(parent) if isinstance(parent, Discussion) else parent
    author = author or make_learner(post.discussion.forum)
    values.setdefault("text", "Ours meets in the evening.")
    values.setdefault("language", "en")
    reply = posts.reply(author, post, None, **values)
    db.session.commit()
    return reply


def make_thread(discussion: Discussion, author: User, count: int) -> list[Post]:
    """Many plain replies to the first post, without events and messages."""
    opening = first_post(discussion)
    found = []
    for number in range(count):
        post = Post(
            discussion=discussion,
            parent=opening,
            author=author,
            text=f"Reply {number}",
            search_text=f"reply {number}",
            language="en",
            created_at=clock.now(),
        )
        db.session.add(post)
        db.session.flush()
        post.path, post.depth = post.place_below(opening)
        found.append(post)
    discussion.post_count += count
    discussion.last_post_at = clock.now()
    db.session.commit()
    return found


def first_post(discussion: Discussion) -> Post:
    from lms.forums.queries import get_opening

    return get_opening(discussion)
