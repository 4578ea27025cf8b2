"""Tries the endpoint over HTTP as another tool would, and says what to do about what fails."""

from __future__ import annotations

import base64
import http.client
import ssl
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from flask_babel import gettext as _
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.settings import settings
from lms.xapi import vocabulary
from lms.xapi.collections import REGISTRATION
from lms.xapi.models import KeyScope, XapiKey
from lms.xapi.services.access import Access
from lms.xapi.services.keys import make_key, rotate_key, set_expiry

TRIAL_KEY = "Puente: test of the endpoint"
_TRIAL_LIVES = timedelta(minutes=10)
_TIMEOUT = 5.0  # seconds
_MOST_BYTES = 1024 * 1024
_ORIGIN = "https://nobody.invalid"  # the site of nobody (RFC 2606)


@dataclass(frozen=True)
class Reply:
    """An answer over HTTP; the names of `headers` are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


# method, path with query, headers, body -> answer; raises OSError or http.client.HTTPException
Ask = Callable[[str, str, Mapping[str, str], bytes | None], Reply]


@dataclass(frozen=True)
class Finding:
    """One line of the test. advice: what to do when it is not ok."""

    text: str
    is_ok: bool
    advice: str = ""


def ask_over_http(
    method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> Reply:
    """Ask the public address of this site."""
    base = urlsplit(settings().base_url)
    connection: http.client.HTTPConnection
    if base.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(base.netloc, timeout=_TIMEOUT, context=context)
    else:
        connection = http.client.HTTPConnection(base.netloc, timeout=_TIMEOUT)
    try:
        connection.request(method, base.path + path, body, dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read(_MOST_BYTES))
    finally:
        connection.close()


def trial_key(made_by_id: int | None) -> tuple[str, str]:
    """A key with all rights that ends after some minutes; one row is used again each time."""
    row = db.session.scalar(select(XapiKey).where(XapiKey.name == TRIAL_KEY).limit(1))
    ends = clock.now() + _TRIAL_LIVES
    if row is None:
        return make_key(TRIAL_KEY, KeyScope.ALL, made_by_id, expires_at=ends)
    row.revoked_at = None
    set_expiry(row, ends)
    return row.key, rotate_key(row)


@dataclass
class _Trial:
    """One run of the test."""

    ask: Ask
    key: str
    secret: str
    access: Access | None
    findings: list[Finding] = field(default_factory=list)

    def note(self, text: str, is_ok: bool, advice: str) -> bool:
        self.findings.append(Finding(text, is_ok, "" if is_ok else advice))
        return is_ok

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Reply:
        token = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        headers = {
            "Authorization": f"Basic {token}",
            "X-Experience-API-Version": "1.0.3",
            "Content-Type": "application/json",
        }
        address = f"/xapi/{path}" + (f"?{urlencode(query)}" if query else "")
        return self.ask(method, address, headers, orjson.dumps(body) if body else None)


def check_endpoint(
    key: str, secret: str, access: Access | None, ask: Ask = ask_over_http
) -> list[Finding]:
    """Try the endpoint with a key. access: what the key may do; None when it is not valid.

    The statement that is written is voided again. Nothing raises: what fails is a finding.
    """
    trial = _Trial(ask, key, secret, access)
    try:
        if _check_address(trial):
            _check_preflight(trial)
            if _check_key(trial):
                _check_writing(trial)
    except ssl.SSLError as error:
        trial.note(
            _("The connection is safe"),
            False,
            _("The certificate is not valid: %(error)s", error=error.reason or error),
        )
    except (OSError, http.client.HTTPException) as error:
        trial.note(
            _("Puente answers at its public address"),
            False,
            _(
                "Nothing answers at %(address)s (%(error)s). Check LMS_BASE_URL and the reverse"
                " proxy.",
                address=settings().base_url,
                error=type(error).__name__,
            ),
        )
    return trial.findings


def _check_address(trial: _Trial) -> bool:
    reply = trial.ask("GET", "/xapi/about", {}, None)
    answer = reply.json()
    is_ours = reply.status == 200 and isinstance(answer, dict) and "version" in answer
    found = trial.note(
        _("Puente answers at its public address"),
        is_ours,
        _(
            "Something else answers at %(address)s (status %(status)s). Check LMS_BASE_URL and the"
            " reverse proxy.",
            address=f"{settings().base_url}/xapi/about",
            status=reply.status,
        ),
    )
    return found and trial.note(
        _("The version of xAPI is in the headers"),
        "x-experience-api-version" in reply.headers,
        _("The reverse proxy removes the header X-Experience-API-Version. Let it pass."),
    )


def _preflight(trial: _Trial, origin: str) -> Reply:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-experience-api-version",
    }
    return trial.ask("OPTIONS", "/xapi/statements", asked, None)


def _check_preflight(trial: _Trial) -> None:
    """Ask as content of each site that may, and of one that may not."""
    origins = settings().xapi_origins
    is_for_all = "*" in origins
    for origin in (_ORIGIN,) if is_for_all else origins:
        reply = _preflight(trial, origin)
        allowed = reply.headers.get("access-control-allow-headers", "").lower()
        is_open = (
            reply.status in (200, 204)
            and reply.headers.get("access-control-allow-origin") in ("*", origin)
            and all(name in allowed for name in ("authorization", "x-experience-api-version"))
        )
        trial.note(
            _("Content on other sites may send statements (CORS)")
            if is_for_all
            else _("Content on %(site)s may send statements (CORS)", site=origin),
            is_open,
            _(
                "The reverse proxy answers OPTIONS itself or removes the CORS headers. Let both"
                " pass."
            ),
        )
    if not is_for_all:
        reply = _preflight(trial, _ORIGIN)
        trial.note(
            _("Content on other sites may not (LMS_XAPI_ORIGINS)"),
            "access-control-allow-origin" not in reply.headers,
            _("The reverse proxy adds CORS headers of its own. Remove them there."),
        )


def _check_key(trial: _Trial) -> bool:
    reply = trial.send("GET", "statements", limit="1")
    if reply.status == 401 and trial.access is not None:
        advice = _("The reverse proxy removes the header Authorization. Let it pass.")
    elif reply.status == 401:
        advice = _("The key or its secret is wrong, or the key has ended.")
    else:
        advice = _("The answer has the status %(status)s.", status=reply.status)
    return trial.note(_("The key is accepted"), reply.status in (200, 403), advice)


def _statement(access: Access | None) -> dict[str, Any]:
    """A statement about the endpoint itself, within the limit of the key."""
    context: dict[str, Any] = {}
    limit = access.limit if access else None
    if limit is not None and limit.kind == REGISTRATION:
        context["registration"] = str(limit.value)
    elif limit is not None and limit.activities:
        context["contextActivities"] = {"grouping": [{"id": sorted(limit.activities)[0]}]}
    return {
        "id": str(uuid.uuid4()),
        "actor": {"account": {"homePage": settings().base_url, "name": "endpoint-test"}},
        "verb": vocabulary.verb("experienced"),
        "object": {
            "id": vocabulary.activity_iri("test", "endpoint"),
            "definition": {"name": {"en": "Test of the endpoint"}},
        },
        **({"context": context} if context else {}),
    }


def _check_writing(trial: _Trial) -> None:
    statement = _statement(trial.access)
    reply = trial.send("POST", "statements", statement)
    if reply.status == 403:
        advice = _("The key may not send statements. Make one that may.")
    else:
        advice = _("The answer has the status %(status)s.", status=reply.status)
    if not trial.note(_("A statement can be sent"), reply.status == 200, advice):
        return
    reply = trial.send("GET", "statements", statementId=statement["id"])
    if reply.status == 403:
        advice = _("The key may not read statements. That is right for a tool that only sends.")
    else:
        advice = _("The answer has the status %(status)s.", status=reply.status)
    trial.note(_("The statement can be read again"), reply.status == 200, advice)
    thing = {"objectType": "StatementRef", "id": statement["id"]}
    voiding = {**statement, "id": str(uuid.uuid4()), "verb": vocabulary.verb("voided")}
    reply = trial.send("POST", "statements", {**voiding, "object": thing})
    trial.note(
        _("The statement of this test is voided"),
        reply.status == 200,
        _("The answer has the status %(status)s.", status=reply.status),
    )
