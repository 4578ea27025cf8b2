"""The Open Badges 3.0 API: what a connected program reads of a holder, and brings for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException, TooManyRequests

from lms.certificates.badge_api import connections, foreign, profiles, queries
from lms.certificates.badge_api.errors import (
    ApiRefusal,
    ContentTooLarge,
    ProfileUnreadable,
    QueryUnreadable,
    WrongMediaType,
)
from lms.certificates.badge_api.models import BadgeConnection, ForeignCredential
from lms.certificates.badge_api.scopes import (
    CHANGE_PROFILE,
    KEEP_CREDENTIALS,
    OFFERED,
    READ_CREDENTIALS,
    READ_PROFILE,
)
from lms.certificates.json_text import LARGEST, BadJson, read_object
from lms.certificates.verifier.claims import instant_of
from lms.certificates.views.limits import limit_programs, limit_uploads
from lms.core import clock
from lms.core.db import transaction
from lms.core.errors import DomainError
from lms.core.limits import seconds_to_wait
from lms.core.settings import settings
from lms.core.web import absolute_url, by_programs, own_transaction, public

BASE = "/ims/ob/v3p0"
MOST = 100  # credentials a page
JSON_TYPES = ("application/json", "application/ld+json", "application/vc+ld+json", "application/vc")
View = TypeVar("View", bound=Callable[..., Any])

bp = Blueprint("badge_api", "lms.certificates", template_folder="templates")


def _json(content: Any, status: int = 200) -> Response:
    response = Response(orjson.dumps(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(status: int, text: str, code_minor: str) -> Response:
    """A refusal as 1EdTech has it (Imsx_StatusInfo)."""
    field = {
        "imsx_codeMinorFieldName": "TargetEndSystem",
        "imsx_codeMinorFieldValue": code_minor,
    }
    return _json(
        {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": text,
            "imsx_codeMinor": {"imsx_codeMinorField": [field]},
        },
        status,
    )


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> Response:
    minor = error.code_minor if isinstance(error, ApiRefusal) else "unknown"
    answer = _refusal(error.status, str(error.text), minor)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="badges", error="invalid_token"'
    return answer


@bp.errorhandler(TooManyRequests)
def _too_many(error: TooManyRequests) -> Response:
    answer = _refusal(429, _("Too many requests. Wait, then try again."), "server_busy")
    answer.headers["Retry-After"] = str(seconds_to_wait())
    return answer


@bp.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response:
    status = error.code or 500
    minor = {405: "not_allowed", 413: "invalid_data"}.get(status, "unknown")
    return _refusal(status, error.name, minor)


def _for_programs(view: View) -> View:
    """A view that a program opens with its token, in transactions of its own."""
    return by_programs(own_transaction(view))


def _connection(scope: str) -> BadgeConnection:
    """For whom and for which program this request acts. Raises TokenRefused and ScopeMissing."""
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    return connections.connection_of(text.strip() if kind.lower() == "bearer" else "", scope)


def _note_use(connection_id: int, at: datetime) -> None:
    with transaction():
        connections.note_use(connection_id, at)


@cache
def _description() -> dict[str, Any]:
    text = files("lms.certificates.badge_api").joinpath("service_description.json").read_bytes()
    found: dict[str, Any] = orjson.loads(text)
    return found


@bp.get(f"{BASE}/discovery")
@limit_programs
@public
def discovery() -> ResponseReturnValue:
    """The service description: an OpenAPI document with where programs register."""
    found = orjson.loads(orjson.dumps(_description()))
    site = settings()
    terms = absolute_url("accounts.terms")
    found["info"].update(
        {"title": site.site_name, "termsOfService": terms, "x-imssf-privacyPolicyUrl": terms}
    )
    found["servers"] = [{"url": site.base_url + BASE}]
    token = absolute_url("badge_connections.token")
    scheme = found["components"]["securitySchemes"]["OAuth2ACG"]
    scheme.update(
        {
            "x-imssf-name": site.site_name,
            "x-imssf-privacyPolicyUrl": terms,
            "x-imssf-termsOfServiceUrl": terms,
            "x-imssf-registrationUrl": absolute_url("badge_connections.register"),
            "x-imssf-revocationUrl": absolute_url("badge_connections.revoke"),
        }
    )
    scheme["flows"]["authorizationCode"] = {
        "authorizationUrl": absolute_url("badge_connections.authorize"),
        "tokenUrl": token,
        "refreshUrl": token,
        "scopes": {name: str(text) for name, text in OFFERED.items()},
    }
    response = _json(found)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.vary.add("Accept-Language")
    return response


@bp.get(f"{BASE}/credentials")
@limit_programs
@_for_programs
def get_credentials() -> ResponseReturnValue:
    """A page of the holder's credentials: of this site, then of others."""
    now = clock.now()
    limit, offset = _number("limit", MOST, 1, MOST), _number("offset", 0, 0, 10**9)
    since = _since()
    with transaction(write=False):
        connection = _connection(READ_CREDENTIALS)
        user, is_news = connection.user, connections.is_use_news(connection, now)
        own, others = queries.count_credentials(user, since)
        documents = [
            one.document for one in queries.list_own(user, since, offset=offset, limit=limit)
        ]
        rest = limit - len(documents)
        kept: list[ForeignCredential] = []
        if rest > 0:
            place = max(0, offset - own)
            kept = list(queries.list_foreign(user, since, offset=place, limit=rest))
        documents += [one.content for one in kept if not one.is_token]
        tokens = [one.content for one in kept if one.is_token]
        number = connection.id
    if is_news:
        _note_use(number, now)
    response = _json(
        {
            "credential": [orjson.Fragment(text) for text in documents],
            "compactJwsString": tokens,
        }
    )
    response.headers["X-Total-Count"] = str(own + others)
    response.headers["Link"] = _links(own + others, limit, offset)
    return response


def _number(name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query; more than allowed is cut. Raises QueryUnreadable."""
    value = request.args.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 9 or int(value) < least:
        raise QueryUnreadable
    return min(int(value), most)


def _since() -> datetime | None:
    value = request.args.get("since")
    if value is None:
        return None
    found = instant_of(value.replace(" ", "+"))  # a plus sign that was not escaped
    if found is None:
        raise QueryUnreadable
    return found


def _links(total: int, limit: int, offset: int) -> str:
    """First and last page always, next and previous where there are any (6.2.4)."""
    last = max(0, (total - 1) // limit * limit)
    places = {"first": 0, "last": last}
    if offset + limit < total:
        places["next"] = offset + limit
    if offset > 0:
        places["prev"] = max(0, min(offset, total) - limit)
    address = absolute_url("badge_api.get_credentials")
    more = {"since": request.args["since"]} if "since" in request.args else {}
    return ", ".join(
        f'<{address}?{urlencode({"limit": limit, "offset": place, **more})}>; rel="{name}"'
        for name, place in places.items()
    )


@bp.post(f"{BASE}/credentials")
@limit_uploads
@_for_programs
def upsert_credential() -> ResponseReturnValue:
    """Verify a credential and keep it for the holder: 201 when it is new, else 200."""
    now = clock.now()
    with transaction(write=False):
        _connection(KEEP_CREDENTIALS)
    content = _body()
    brought = foreign.check(content)
    with transaction():
        connection = _connection(KEEP_CREDENTIALS)
        connections.note_use(connection.id, now)
        was_there = foreign.keep(connection.user, brought, connection.client.host)
    status = 200 if was_there else 201
    if brought.is_token:
        return Response(brought.content, status, content_type="text/plain; charset=utf-8")
    return _json(orjson.Fragment(brought.content), status)


def _body(largest: int = LARGEST) -> bytes:
    """What was sent, of a type that is read here. Raises ContentTooLarge and WrongMediaType."""
    if request.mimetype not in (*JSON_TYPES, "text/plain"):
        raise WrongMediaType
    content = request.stream.read(largest + 1)
    if len(content) > largest:
        raise ContentTooLarge
    return content


@bp.get(f"{BASE}/profile")
@limit_programs
@_for_programs
def get_profile() -> ResponseReturnValue:
    """The holder's profile."""
    now = clock.now()
    with transaction(write=False):
        connection = _connection(READ_PROFILE)
        found, number = profiles.profile_of(connection.user), connection.id
        is_news = connections.is_use_news(connection, now)
    if is_news:
        _note_use(number, now)
    return _json(found)


@bp.put(f"{BASE}/profile")
@limit_programs
@_for_programs
def put_profile() -> ResponseReturnValue:
    """Take the whole profile; what is kept of it, its name, shows in the answer."""
    with transaction(write=False):
        _connection(CHANGE_PROFILE)
    if request.mimetype not in JSON_TYPES:
        raise WrongMediaType
    try:
        asked = read_object(_body())
    except BadJson:
        raise ProfileUnreadable from None
    with transaction():
        connection = _connection(CHANGE_PROFILE)
        connections.note_use(connection.id, clock.now())
        profiles.change(connection.user, asked)
        return _json(profiles.profile_of(connection.user))
