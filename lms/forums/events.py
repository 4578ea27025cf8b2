"""What happens in forums."""

from __future__ import annotations

from dataclasses import dataclass

from lms.core.events import Event
from lms.courses.models import Enrolment
from lms.forums.models import Discussion, Post


@dataclass(frozen=True)
class DiscussionStarted(Event):
    """Somebody started a discussion; `PostWritten` tells of its first post."""

    discussion: Discussion


@dataclass(frozen=True)
class PostWritten(Event):
    """Somebody wrote a post. enrolment: the author's in the run, None for those who teach."""

    post: Post
    enrolment: Enrolment | None
