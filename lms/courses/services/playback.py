"""Playing a film: which parts were watched, and the events of it (xAPI video profile 1.0)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.events import emit
from lms.courses.activity_types.video import film_languages, is_own_film
from lms.courses.errors import SessionTaken
from lms.courses.events import PlaybackNoted, PlaybackStep
from lms.courses.models import Activity, Enrolment, Playback, PlaybackSession
from lms.courses.services.progress import start_activity
from lms.xapi.queries import find_statement

THRESHOLD = 0.95  # the share to watch for "completed": credits and the last frames may be missing
OLDEST = timedelta(days=30)  # what was kept on a device without a line
_MOST_SEGMENTS = 100
_MOST_SPEED = 16  # browsers play no faster
_SLACK = 5.0  # seconds by which clocks and players may differ


@dataclass(frozen=True)
class Moment:
    """What a browser tells of a film. number: counts from 1 within a session.

    time, time_from: seconds into the film. ago: how long before the report it was.
    """

    number: int
    step: PlaybackStep
    time: float
    ago: timedelta
    time_from: float | None = None


@dataclass(frozen=True)
class Report:
    """What a browser tells at once. length: of the film, in seconds."""

    session: uuid.UUID
    length: float
    moments: Sequence[Moment]
    language: str | None = None
    player: Mapping[str, Any] = field(default_factory=dict)


def note_playback(enrolment: Enrolment, activity: Activity, report: Report) -> None:
    """Record what is new in a report; one that comes a second time changes nothing.

    Raises NotFound for what is no film of this site's own, NotReleased, and SessionTaken when the
    session is another one's.
    """
    if not is_own_film(activity):
        raise NotFound
    playback = _playback(enrolment, activity)
    sitting = _sitting(playback, report.session)
    if sitting.last_number == 0:
        start_activity(enrolment, activity)
    language = report.language if report.language in film_languages(activity) else None
    told = _Telling(enrolment, activity, playback, sitting, report, language)
    for moment in sorted(report.moments, key=lambda one: one.number):
        if moment.number > sitting.last_number and not sitting.has_ended:
            told.take(moment)
    db.session.flush()


def _playback(enrolment: Enrolment, activity: Activity) -> Playback:
    """What was watched so far, locked: two reports of one person wait for each other."""
    found = db.session.scalar(
        select(Playback)
        .where(Playback.enrolment_id == enrolment.id, Playback.activity_id == activity.id)
        .with_for_update()
    )
    if found is None:
        found = Playback(
            enrolment_id=enrolment.id, activity_id=activity.id, segments=[], progress=0, seconds=0
        )
        db.session.add(found)
        db.session.flush()
    return found


def _sitting(playback: Playback, session: uuid.UUID) -> PlaybackSession:
    found = db.session.scalar(select(PlaybackSession).where(PlaybackSession.uuid == session))
    if found is None:
        if find_statement(session) is not None:
            raise SessionTaken
        found = PlaybackSession(uuid=session, playback_id=playback.id, last_number=0)
        found.has_ended = False
        db.session.add(found)
    elif found.playback_id != playback.id:
        raise SessionTaken
    return found


def union(segments: Sequence[Sequence[float]]) -> list[list[float]]:
    """The same parts of a film without overlaps, in the film's order."""
    found: list[list[float]] = []
    for start, end in sorted((one[0], one[1]) for one in segments):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return found


@dataclass
class _Telling:
    """One report on its way into events."""

    enrolment: Enrolment
    activity: Activity
    playback: Playback
    sitting: PlaybackSession
    report: Report
    language: str | None
    now: datetime = field(default_factory=clock.now)

    def take(self, moment: Moment) -> None:
        at = self.now - max(timedelta(0), min(moment.ago, OLDEST))
        time = self._within(moment.time)
        is_first = self.sitting.last_number == 0
        self.sitting.last_number = moment.number
        if is_first:
            self._emit(PlaybackStep.INITIALIZED, at, time)
        if moment.step == PlaybackStep.PLAYED:
            self._begin(time, at)
            self._emit(moment.step, at, time)
        elif moment.step == PlaybackStep.PAUSED:
            self._end(time, at)
            self._emit(moment.step, at, time)
        elif moment.step == PlaybackStep.SEEKED:
            self._seek(self._within(moment.time_from or 0), time, at)
        elif moment.step == PlaybackStep.TERMINATED:
            self._terminate(time, at)
        if moment.step != PlaybackStep.TERMINATED:
            self._complete(time, at)

    def _within(self, time: float) -> float:
        return round(max(0.0, min(time, self.report.length)), 3)

    def _begin(self, time: float, at: datetime) -> None:
        self.sitting.playing_from, self.sitting.playing_since = time, at

    def _end(self, time: float, at: datetime) -> None:
        """Keep the part that was watched until now, if it can have been in that time."""
        start, since = self.sitting.playing_from, self.sitting.playing_since
        self.sitting.playing_from = self.sitting.playing_since = None
        if start is None or since is None or time <= start:
            return
        spent, watched = max(0.0, (at - since).total_seconds()), time - start
        if watched > spent * _MOST_SPEED + _SLACK:
            return
        segments = [*self.playback.segments, [start, time]]
        whole = union(segments)
        self.playback.segments = segments if len(segments) <= _MOST_SEGMENTS else whole
        covered = sum(end - begin for begin, end in whole)
        self.playback.progress = round(min(1.0, covered / self.report.length), 3)
        # a player that stalled or a device that slept was not watched meanwhile
        self.playback.seconds += spent if spent <= 4 * watched + _SLACK else watched

    def _seek(self, time_from: float, time: float, at: datetime) -> None:
        is_playing = self.sitting.playing_from is not None
        self._end(time_from, at)
        if is_playing:
            self._begin(time, at)
        self._emit(PlaybackStep.SEEKED, at, time, time_from)

    def _terminate(self, time: float, at: datetime) -> None:
        if self.sitting.playing_from is not None:  # "paused" comes before it (2.3.7)
            self._end(time, at)
            self._emit(PlaybackStep.PAUSED, at, time)
        self._complete(time, at)
        self._emit(PlaybackStep.TERMINATED, at, time)
        self.sitting.has_ended = True

    def _complete(self, time: float, at: datetime) -> None:
        if self.playback.completed_at is None and self.playback.progress >= THRESHOLD:
            self.playback.completed_at = at
            self._emit(PlaybackStep.COMPLETED, at, time)

    def _emit(
        self, step: PlaybackStep, at: datetime, time: float, time_from: float | None = None
    ) -> None:
        emit(
            PlaybackNoted(
                enrolment=self.enrolment,
                activity=self.activity,
                step=step,
                session=self.sitting.uuid,
                at=at,
                length=round(self.report.length, 3),
                time=time,
                time_from=time_from,
                segments=tuple((one[0], one[1]) for one in self.playback.segments),
                progress=self.playback.progress,
                seconds=self.playback.seconds,
                threshold=THRESHOLD,
                language=self.language,
                player=self.report.player if step == PlaybackStep.INITIALIZED else {},
            )
        )
