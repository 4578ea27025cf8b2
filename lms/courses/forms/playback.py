"""What the player on the study page tells."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Annotated, Any

from pydantic import UUID4, BaseModel, ConfigDict, Field, ValidationError

from lms.courses.errors import PlaybackUnreadable
from lms.courses.events import PlaybackStep
from lms.courses.services.playback import Moment, Report

MOST_CHARACTERS = 20_000
_MOST_MOMENTS = 100  # in one report
_MOST_IN_SESSION = 2_000
_MOST_SECONDS = 86_400  # of a film

Seconds = Annotated[float, Field(ge=0, le=_MOST_SECONDS, allow_inf_nan=False)]
Size = Annotated[str, Field(pattern=r"^[1-9]\d{0,4}x[1-9]\d{0,4}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Player(_Shape):
    """How the film is shown, by the names of the video profile's context extensions."""

    speed: str | None = Field(None, pattern=r"^\d{1,2}(\.\d{1,3})?x$")
    volume: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    full_screen: bool | None = Field(None, alias="full-screen")
    captions: bool | None = Field(None, alias="cc-subtitle-enabled")
    caption_language: str | None = Field(
        None, alias="cc-subtitle-lang", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"
    )
    screen_size: Size | None = Field(None, alias="screen-size")
    playback_size: Size | None = Field(None, alias="video-playback-size")


class _Moment(_Shape):
    number: int = Field(ge=1, le=_MOST_IN_SESSION)
    step: PlaybackStep = Field(strict=False)
    time: Seconds
    time_from: Seconds | None = None
    ago: Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]  # seconds


class _Report(_Shape):
    session: UUID4 = Field(strict=False)
    registration: uuid.UUID = Field(strict=False)
    length: Annotated[float, Field(gt=0, le=_MOST_SECONDS, allow_inf_nan=False)]
    language: str | None = Field(None, max_length=35)
    player: _Player = Field(default_factory=_Player)
    moments: list[_Moment] = Field(min_length=1, max_length=_MOST_MOMENTS)


_TOLD_BY_BROWSERS = {
    PlaybackStep.PLAYED, PlaybackStep.PAUSED, PlaybackStep.SEEKED, PlaybackStep.TERMINATED,
}  # fmt: skip


def read_report(text: str) -> tuple[uuid.UUID, Report]:
    """A report in JSON, and the registration that it is about. Raises PlaybackUnreadable."""
    if len(text) > MOST_CHARACTERS:
        raise PlaybackUnreadable
    try:
        read = _Report.model_validate_json(text)
    except ValidationError:
        raise PlaybackUnreadable from None
    if any(moment.step not in _TOLD_BY_BROWSERS for moment in read.moments):
        raise PlaybackUnreadable
    player: dict[str, Any] = read.player.model_dump(by_alias=True, exclude_none=True)
    moments = [
        Moment(one.number, one.step, one.time, _span(one.ago), one.time_from)
        for one in read.moments
    ]
    return read.registration, Report(read.session, read.length, moments, read.language, player)


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, 366 * _MOST_SECONDS))
