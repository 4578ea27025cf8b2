"""What the catalogue searches in: all words of a course, in all its languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lms.core.text import fold
from lms.courses.models import Course


def refresh_search_text(course: Course) -> None:
    """Write the course's searchable text anew: to be called after each change of its contents.

    One line with its titles, then one line with all else, so that a search can put courses with
    the words in their title first.
    """
    rest: list[Mapping[str, str]] = [course.summary, course.description, *course.outcomes]
    for organisation in (course.owner, *course.partners):
        rest.append(organisation.name)
    if course.topic is not None:
        rest.append(course.topic.name)
    for module in course.modules:
        rest += [module.title, *(activity.title for activity in module.activities)]
    course.search_text = f"{_words([course.title])}\n{_words(rest)}"


def _words(texts: Iterable[Mapping[str, str] | None]) -> str:
    return " ".join(
        fold(word)
        for by_language in texts
        for text in (by_language or {}).values()
        for word in text.split()
    )
