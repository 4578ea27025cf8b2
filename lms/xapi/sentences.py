"""Statements as sentences that people can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.core.text import in_language
from lms.xapi.models import StoredStatement
from lms.xapi.vocabulary import VERBS, VIDEO, video_extension

_NAMES = {iri: name for name, (iri, _display) in VERBS.items()}


@dataclass(frozen=True)
class Sentence:
    """One statement as somebody did something."""

    key: int
    statement_id: str
    at: datetime
    stored: datetime
    person: str
    person_key: str  # the actor's identifier, as in `services.store.agent_key`
    verb: str  # name in VERBS, or the end of the verb's IRI
    verb_text: str
    object_text: str
    object_iri: str | None  # of an activity
    result_text: str | None
    document: str  # the statement's JSON, indented


def verb_text(iri: str, display: Mapping[str, str] | None = None) -> str:
    """A verb in the reader's language, as well as it is known."""
    name = _NAMES.get(iri)
    if name is not None:
        return in_language(VERBS[name][1])
    return in_language(display or {}) or iri.rstrip("/").rsplit("/", 1)[-1]


def _verb_text(iri: str, statement: Mapping[str, Any]) -> str:
    if _NAMES.get(iri) == "completed" and _is_about_playing(statement):
        return str(_("watched to the end"))
    return verb_text(iri, statement["verb"].get("display"))


def _object_text(thing: Mapping[str, Any]) -> str:
    if thing.get("objectType") == "SubStatement":
        return f"({_sub_sentence(thing)})"
    if thing.get("objectType") == "StatementRef":
        return str(_("the statement %(id)s", id=thing["id"]))
    if thing.get("objectType") in ("Agent", "Group"):
        return actor_text(thing)
    definition = thing.get("definition", {})
    for texts in (definition.get("name"), definition.get("description")):
        if isinstance(texts, Mapping) and texts:
            return in_language(texts)
    return str(thing.get("id") or "")


def _sub_sentence(thing: Mapping[str, Any]) -> str:
    verb = verb_text(thing["verb"]["id"], thing["verb"].get("display"))
    return f"{actor_text(thing['actor'])} {verb} {_object_text(thing['object'])}"


def actor_text(agent: Mapping[str, Any]) -> str:
    """An agent or group as it calls itself, or by its identifier."""
    if agent.get("name"):
        return str(agent["name"])
    if "mbox" in agent:
        return str(agent["mbox"]).removeprefix("mailto:")
    account = agent.get("account")
    if isinstance(account, Mapping):
        return str(account.get("name"))
    if agent.get("member"):
        return ", ".join(actor_text(member) for member in agent["member"])
    return str(agent.get("openid") or agent.get("mbox_sha1sum") or _("somebody"))


def _is_about_playing(statement: Mapping[str, Any]) -> bool:
    """Whether it says that it follows the video profile."""
    named = statement.get("context", {}).get("contextActivities", {}).get("category", ())
    return any(one["id"] == VIDEO for one in named)


def _position(value: Any) -> str | None:
    """A place in a film: "1:05"."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _playing_text(result: Mapping[str, Any]) -> str | None:
    """Where in the film it was, and how much of it was watched by then."""
    from lms.core.templating import format_percent

    extensions = result.get("extensions", {})
    start, end, at = (
        _position(extensions.get(video_extension(name)))
        for name in ("time-from", "time-to", "time")
    )
    share = extensions.get(video_extension("progress"))
    has_share = isinstance(share, int | float) and 0 <= share <= 1
    if start and end:
        return str(_("from %(start)s to %(end)s", start=start, end=end))
    if at and has_share:
        return str(_("at %(time)s, %(share)s watched", time=at, share=format_percent(share)))
    return str(_("at %(time)s", time=at)) if at else None


def _result_text(statement: Mapping[str, Any]) -> str | None:
    result = statement.get("result", {})
    if _is_about_playing(statement):
        return _playing_text(result)
    scaled = result.get("score", {}).get("scaled")
    if isinstance(scaled, int | float):
        from lms.core.templating import format_percent

        return format_percent(scaled)
    if result.get("success") is True:
        return str(_("right"))
    if result.get("success") is False:
        return str(_("not right"))
    return None


def sentences(
    rows: Iterable[StoredStatement], people: Mapping[str, User] | None = None
) -> list[Sentence]:
    """The statements for a list, in the reader's language.

    people: users by their identifiers, whose names are shown in place of their pseudonyms.
    """
    lines = []
    for row in rows:
        statement = orjson.loads(row.document)
        thing = statement["object"]
        user = (people or {}).get(row.actor_key)
        lines.append(
            Sentence(
                key=row.id,
                statement_id=str(row.statement_id),
                at=row.timestamp,
                stored=row.stored,
                person=user.name if user else actor_text(statement["actor"]),
                person_key=row.actor_key,
                verb=_NAMES.get(row.verb_id, row.verb_id.rsplit("/", 1)[-1]),
                verb_text=_verb_text(row.verb_id, statement),
                object_text=_object_text(thing),
                object_iri=thing["id"]
                if thing.get("objectType", "Activity") == "Activity"
                else None,
                result_text=_result_text(statement),
                document=orjson.dumps(statement, option=orjson.OPT_INDENT_2).decode(),
            )
        )
    return lines
