"""What people write in forums, as xAPI statements."""

from __future__ import annotations

from collections.abc import Iterable

from lms.core.markdown import plain_text
from lms.courses.statements import activity_of, context_of, course_activity, run_activity
from lms.forums.events import PostWritten
from lms.forums.models import Discussion
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.vocabulary import activity, activity_iri

RESPONSE = 300  # signs of the post that go into the statement


def discussion_activity(discussion: Discussion) -> dict[str, object]:
    """A discussion as the object of a statement."""
    name = {discussion.language: discussion.title}
    return activity(activity_iri("discussion", discussion.uuid), "discussion", name)


def _commented(event: PostWritten) -> Iterable[StatementDraft]:
    """The beginning of the post as the response; the forum as parent (xAPI 1.0.3, 2.4.6.2)."""
    post, enrolment = event.post, event.enrolment
    discussion = post.discussion
    run = discussion.run
    if enrolment is not None:
        context = context_of(enrolment, discussion.activity)
    else:
        context = {"grouping": [run_activity(run), course_activity(run.course)]}
    yield StatementDraft(
        user=post.author,
        verb="commented",
        object=discussion_activity(discussion),
        registration=enrolment.registration if enrolment else None,
        result={"response": plain_text(post.text, RESPONSE)},
        context_activities={**context, "parent": [activity_of(discussion.activity)]},
        language=post.language,
        timestamp=post.created_at,
    )


mappings = [StatementMapping("forums.post_written", PostWritten, _commented)]
