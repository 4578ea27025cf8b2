"""Query parameters: known, needed, and of the right form; what is wrong is named."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from flask import request

from lms.xapi.errors import BadParameter, StatementRefused
from lms.xapi.services.store import agent_key
from lms.xapi.validation import check_actor, check_instant, check_iri, check_uuid, read_instant


def parameters(known: Collection[str], needed: Collection[str] = ()) -> dict[str, str]:
    """The query parameters; `needed` are among `known`.

    Raises BadParameter for one that is missing or unknown, or stands there twice.
    """
    found: dict[str, str] = {}
    for name, values in request.args.lists():
        if name not in known:
            which = f"known are {', '.join(known)}" if known else "no parameter is"
            raise BadParameter(name, f"is not known here; {which}")
        if len(values) > 1:
            raise BadParameter(name, "stands twice in one address")
        if "\0" in values[0]:
            raise BadParameter(name, "must not hold the sign U+0000")
        found[name] = values[0]
    for name in needed:
        if not found.get(name):
            raise BadParameter(name, "is needed")
    return found


def _check(check: Callable[[Any, str], None], value: Any, name: str) -> None:
    try:
        check(value, name)
    except StatementRefused as refused:
        raise BadParameter(refused.path, refused.rule) from None


def iri_parameter(sent: Mapping[str, str], name: str) -> str | None:
    """An IRI, if it was sent. Raises BadParameter."""
    if name not in sent:
        return None
    _check(check_iri, sent[name], name)
    return sent[name]


def uuid_parameter(sent: Mapping[str, str], name: str) -> uuid.UUID | None:
    """A UUID, if it was sent. Raises BadParameter."""
    if name not in sent:
        return None
    _check(check_uuid, sent[name], name)
    return uuid.UUID(sent[name])


def agent_parameter(sent: Mapping[str, str], name: str) -> dict[str, Any] | None:
    """An agent or identified group in JSON, if it was sent. Raises BadParameter."""
    if name not in sent:
        return None
    try:
        agent = orjson.loads(sent[name])
    except orjson.JSONDecodeError:
        raise BadParameter(name, 'must be JSON, such as {"mbox":"mailto:a@example.org"}') from None
    _check(check_actor, agent, name)
    if agent_key(agent) is None:
        raise BadParameter(name, "must have an identifier")
    found: dict[str, Any] = agent
    return found


def instant_parameter(sent: Mapping[str, str], name: str) -> datetime | None:
    """An instant in UTC, if it was sent. Raises BadParameter."""
    if name not in sent:
        return None
    # a plus sign that was not percent-encoded arrives as a blank
    value = sent[name][:11] + sent[name][11:].replace(" ", "+")
    _check(check_instant, value, name)
    return read_instant(value)
