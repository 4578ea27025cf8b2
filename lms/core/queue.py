"""The queue: Huey, with the backend that the settings choose.

Its messages are only ids of outbox rows; what is to be done lies in the database.
"""

from __future__ import annotations

from typing import Any

from huey import Huey, MemoryHuey, RedisHuey, SqliteHuey

from lms.config import Settings

SWEEP_SECONDS = 60  # how often the worker looks for rows that nobody sent


def make_queue(settings: Settings, *, in_memory: bool = False) -> Huey:
    """Huey on Redis where one is set, else in a file of its own in the data folder."""
    if in_memory:
        return MemoryHuey("puente")
    if settings.redis_url:
        return RedisHuey("puente", url=settings.redis_url)
    return SqliteHuey("puente", filename=str(settings.own_file("queue.sqlite3")))


def send(queue: Huey, row_ids: list[int], delay: float | None = None) -> None:
    """Tell a worker to look at these outbox rows, after `delay` seconds."""
    task: Any = queue.puente_task
    for row_id in row_ids:
        if delay:
            task.schedule(args=(row_id,), delay=delay)
        else:
            task(row_id)
