"""Modules and activities of a course: added, changed, ordered, kept back, removed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import exists, select

from lms.core.db import db
from lms.core.errors import ChangedMeanwhile
from lms.core.outbox import enqueue
from lms.core.text import slugify
from lms.courses.errors import ModuleNotEmpty, StudiedActivity
from lms.courses.models import Activity, Course, Module, Progress
from lms.courses.services.authoring import with_text
from lms.courses.services.search import refresh_search_text

Item = TypeVar("Item", Module, Activity)


def _free(wanted: str, taken: set[str]) -> str:
    candidate, number = wanted, 1
    while candidate in taken:
        number += 1
        candidate = f"{wanted}-{number}"
    return candidate


def _renumber(items: Iterable[Module | Activity]) -> None:
    for position, item in enumerate(items, start=1):
        if item.position != position:
            item.position = position


def add_module(course: Course, language: str, title: str, summary: str) -> Module:
    """Put a module at the end. The same title twice in a row is the same module."""
    last = course.modules[-1] if course.modules else None
    if last is not None and not last.activities and last.title == {language: title.strip()}:
        return last
    module = Module(
        slug=_free(slugify(title, "module")[:50], {m.slug for m in course.modules}),
        position=len(course.modules) + 1,
        title=with_text({}, language, title),
        summary=with_text({}, language, summary),
    )
    course.modules.append(module)
    refresh_search_text(course)
    db.session.flush()
    return module


def change_module(
    module: Module, language: str, title: str, summary: str, release_day: int | None
) -> None:
    """Write a module's texts in one language, and when it opens (day of the run, 1 = first)."""
    module.title = with_text(module.title, language, title)
    module.summary = with_text(module.summary, language, summary)
    module.release_day = release_day
    refresh_search_text(module.course)
    db.session.flush()


def remove_module(module: Module, to: Module | None) -> dict[str, Any]:
    """Remove a module; its activities move to the end of `to`.

    Returns what `restore_module` needs, as JSON. Raises ModuleNotEmpty without a `to`.
    """
    course = module.course
    moved = list(module.activities)
    if moved and (to is None or to is module or to.course_id != course.id):
        raise ModuleNotEmpty
    kept = {
        "slug": module.slug,
        "position": module.position,
        "title": module.title,
        "summary": module.summary,
        "release_day": module.release_day,
        "activities": [activity.id for activity in moved],
    }
    for activity in moved:
        assert to is not None
        to.activities.append(activity)
        activity.position = len(to.activities)
    db.session.flush()
    course.modules.remove(module)
    _renumber(course.modules)
    refresh_search_text(course)
    db.session.flush()
    return kept


def restore_module(course: Course, kept: dict[str, Any]) -> Module:
    """Undo `remove_module`: the module comes back to its place with its activities."""
    slugs = {module.slug for module in course.modules}
    again = next((m for m in course.modules if m.slug == kept["slug"]), None)
    if again is not None and again.title == kept["title"]:
        return again
    module = Module(
        slug=_free(kept["slug"], slugs),
        title=kept["title"],
        summary=kept["summary"],
        release_day=kept["release_day"],
        position=kept["position"],
    )
    course.modules.insert(kept["position"] - 1, module)
    _renumber(course.modules)
    db.session.flush()
    activities = {a.id: a for m in course.modules for a in m.activities}
    for activity_id in kept["activities"]:
        if activity_id in activities:
            module.activities.append(activities[activity_id])
    for other in course.modules:
        _renumber(sorted(other.activities, key=lambda a: a.position))
    _renumber(module.activities)
    refresh_search_text(course)
    db.session.flush()
    return module


def reorder(items: Sequence[Item], ids: Sequence[int], after: Sequence[Item] = ()) -> None:
    """Bring modules of a course, or activities of a module, into this order.

    after: those that follow in any case, such as what is kept back. Raises
    ChangedMeanwhile when the ids are not those of the items.
    """
    by_id: dict[int, Item] = {item.id: item for item in items}
    if sorted(by_id) != sorted(ids):
        raise ChangedMeanwhile
    _renumber([*(by_id[item_id] for item_id in ids), *after])
    db.session.flush()


def move(items: Sequence[Item], item_id: int, direction: str, after: Sequence[Item] = ()) -> None:
    """Move one item a step "up" or "down". Raises ChangedMeanwhile when it is not there."""
    ids = [item.id for item in items]
    if item_id not in ids:
        raise ChangedMeanwhile
    here = ids.index(item_id)
    there = here - 1 if direction == "up" else here + 1
    if 0 <= there < len(ids):
        ids[here], ids[there] = ids[there], ids[here]
    reorder(items, ids, after)


def add_activity(
    key: uuid.UUID, module: Module, kind: str, language: str, title: str, completion: str
) -> Activity:
    """Put an activity at the end of a module, kept back until its author shows it.

    key: chosen by the form, becomes the activity's UUID, so that a form sent twice makes one.
    """
    db.session.execute(select(Course.id).where(Course.id == module.course_id).with_for_update())
    known = db.session.scalar(
        select(Activity).where(Activity.uuid == key, Activity.course_id == module.course_id)
    )
    if known is not None:
        return known
    slugs = db.session.scalars(select(Activity.slug).where(Activity.course_id == module.course_id))
    activity = Activity(
        uuid=key,
        course_id=module.course_id,
        slug=_free(slugify(title, kind)[:50], set(slugs)),
        position=len(module.activities) + 1,
        kind=kind,
        title=with_text({}, language, title),
        completion=completion,
        is_published=False,
    )
    module.activities.append(activity)
    refresh_search_text(module.course)
    db.session.flush()
    return activity


def change_activity(
    activity: Activity,
    language: str,
    *,
    title: str,
    text: str,
    module: Module,
    is_required: bool,
    completion: str,
    minutes: int | None,
    due_day: int | None,
    settings: dict[str, Any],
) -> None:
    """Write an activity: its texts in one language, and what is the same in all."""
    activity.title = with_text(activity.title, language, title)
    activity.text = with_text(activity.text, language, text)
    if activity.is_published and activity.is_required and not is_required:
        enqueue("courses.complete_those_done", course_id=activity.course_id)
    activity.is_required = is_required
    activity.completion = completion
    activity.minutes = minutes
    activity.due_day = due_day
    activity.settings = settings
    if module is not activity.module:
        old = activity.module
        module.activities.append(activity)
        activity.position = len(module.activities)
        _renumber([a for a in old.activities if a is not activity])
    refresh_search_text(module.course)
    db.session.flush()


def keep_back(activity: Activity) -> None:
    """Take an activity out of what learners see; their work on it is kept."""
    activity.is_published = False
    db.session.flush()
    enqueue("courses.complete_those_done", course_id=activity.course_id)


def show(activity: Activity) -> None:
    """Show an activity to learners."""
    activity.is_published = True
    db.session.flush()


def delete_activity(activity: Activity) -> None:
    """Delete an activity for good. Raises StudiedActivity when learners have worked on it."""
    is_studied = db.session.scalar(select(exists().where(Progress.activity_id == activity.id)))
    if is_studied or activity.is_published:
        raise StudiedActivity
    module = activity.module
    module.activities.remove(activity)
    _renumber(module.activities)
    db.session.flush()
