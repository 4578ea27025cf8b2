"""What the published video profile asks of statements that name it (version 1.0.3, 2.4 to 2.7).

Puente does not serve these templates, they are not its own: its statements of films keep to them.
"""

from __future__ import annotations

from lms.xapi.profile.templates import Rule, Template
from lms.xapi.vocabulary import video_extension


def _context(name: str, *values: object) -> Rule:
    return Rule(f"$.context.extensions['{video_extension(name)}']", all=values)


def _result(name: str) -> Rule:
    return Rule(f"$.result.extensions['{video_extension(name)}']")


_COMMON = (
    Rule("$.timestamp"),
    Rule("$.context.registration"),
    Rule("$.context.contextActivities.category[*].id"),
    _context("session-id"),
)
_SIZED = (_context("length"), _context("completion-threshold"))
_WATCHED = (_result("time"), _result("progress"), _result("played-segments"))
_NOT_COMPLETE = (Rule("$.result.completion", "excluded"),)


def _template(verb: str, *rules: Rule) -> Template:
    own = (*_COMMON, *rules)
    return Template(f"video-{verb}", verb, {"en": verb}, verb, "video", grouping=(), rules=own)


VIDEO_TEMPLATES = (
    _template("initialized", *_SIZED, Rule("$.id"), Rule("$.result", "excluded")),
    _template("played", _result("time"), *_NOT_COMPLETE),
    _template("paused", *_SIZED, *_WATCHED, *_NOT_COMPLETE),
    _template("seeked", _result("time-from"), _result("time-to"), *_NOT_COMPLETE),
    _template(
        "completed",
        *_SIZED,
        *_WATCHED,
        Rule("$.result.completion", all=(True,)),
        Rule("$.result.duration"),
    ),
    _template("terminated", *_SIZED, *_WATCHED, *_NOT_COMPLETE),
)
