"""Verification for programs: a JSON API, described by OpenAPI at /api/verification/v1/openapi.json.

One certificate may be asked about without a key, as on its page. Many at once, the feed of
revocations and subscriptions need a key (Authorization: Bearer), which acts for the officer who
made it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from importlib.resources import files
from typing import Any, TypeVar, cast

import orjson
from flask import Response, request
from flask.typing import ResponseReturnValue

from lms.accounts.models import User
from lms.certificates import queries
from lms.certificates.codes import read_code
from lms.certificates.errors import RequestUnreadable, TableUnreadable
from lms.certificates.json_text import BadJson, read_object
from lms.certificates.models import BatchState, KeyScope, RevocationSubscription, VerificationBatch
from lms.certificates.services import batch as batches
from lms.certificates.services import programs, report
from lms.certificates.services import verify as verification
from lms.certificates.services.batch_input import LARGEST, Asked, is_zip_of_files, read_table
from lms.certificates.verifier.claims import instant_of
from lms.certificates.verifier.outcome import State
from lms.certificates.views import bp
from lms.certificates.views.limits import limit_batches, limit_guesses, limit_programs
from lms.certificates.views.many import attached
from lms.core import clock
from lms.core.db import transaction
from lms.core.errors import DomainError, NotFound
from lms.core.settings import settings
from lms.core.web import absolute_url, csrf, own_transaction, public

BASE = "/api/verification/v1"
SETTLED = timedelta(seconds=5)  # revocations younger than this may still be committing
MOST = 1_000
_REPEAT_KEY = re.compile(r"[\x21-\x7e]{1,100}")
View = TypeVar("View", bound=Callable[..., Any])


def _json(content: Any, status: int = 200, **headers: str) -> Response:
    response = Response(orjson.dumps(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers)
    return response


def _refuse(error: DomainError) -> Response:
    found = _json({"error": {"status": error.status, "message": str(error.text)}}, error.status)
    if error.status == 401:
        found.headers["WWW-Authenticate"] = 'Bearer realm="verification"'
    return found


def _answers_json(view: View) -> View:
    """Say no in JSON, whatever the program accepts."""

    @wraps(view)
    def answer(*arguments: Any, **values: Any) -> ResponseReturnValue:
        try:
            return cast(ResponseReturnValue, view(*arguments, **values))
        except DomainError as error:
            return _refuse(error)

    return cast(View, csrf.exempt(public(own_transaction(answer))))


def _person(scope: KeyScope) -> User:
    """For whom the program acts. Raises KeyRefused."""
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    return programs.person_of(text.strip() if kind.lower() == "bearer" else "", scope)


@cache
def _description() -> dict[str, Any]:
    text = files("lms.certificates").joinpath("verification_api.json").read_bytes()
    found: dict[str, Any] = orjson.loads(text)
    return found


@bp.get(f"{BASE}/openapi.json")
@public
def describe_api() -> ResponseReturnValue:
    """The description of this API (OpenAPI 3.1)."""
    server = {"url": settings().base_url + BASE}
    response = _json({**_description(), "servers": [server]})
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@bp.get(f"{BASE}/certificates/<code>")
@limit_guesses
@_answers_json
def api_certificate(code: str) -> ResponseReturnValue:
    """The verdict on one code."""
    verdict = verification.verify_code(code)
    row = report.row_of(verdict, 1, read_code(code))
    status = 404 if verdict.state == State.UNKNOWN else 200
    return _json(row, status, **{"Access-Control-Allow-Origin": "*"})


@bp.post(f"{BASE}/batches")
@limit_batches
@_answers_json
def api_make_batch() -> ResponseReturnValue:
    """Verify many: JSON, CSV or XLSX at once, a zip file of certificates after the answer."""
    with transaction(write=False):
        _person(KeyScope.VERIFY)
    content = request.stream.read(LARGEST + 1)
    if not content or len(content) > LARGEST:
        raise TableUnreadable
    given = request.headers.get("Idempotency-Key")
    if given is not None and not _REPEAT_KEY.fullmatch(given):
        raise RequestUnreadable
    rows: list[Asked] | None = None if is_zip_of_files(content) else read_table(content)
    with transaction():
        user = _person(KeyScope.VERIFY)
        if rows is None:
            made = batches.verify_files(user, content, given)
        else:
            made = batches.verify_table(user, rows, given)
        shown, place = _batch(made), absolute_url("certificates.api_batch", token=made.token)
        is_done = made.state == BatchState.DONE
    return _json(shown, 201 if is_done else 202, Location=place)


def _batch(batch: VerificationBatch) -> dict[str, Any]:
    is_done = batch.report is not None
    return {
        "batch": batch.token,
        "state": batch.state,
        "total": batch.total,
        "done": batch.done,
        "expiresAt": batch.expires_at.isoformat(timespec="seconds"),
        "report": orjson.loads(batch.report) if batch.report else None,
        "csv": absolute_url("certificates.api_batch_table", token=batch.token) if is_done else None,
    }


@bp.get(f"{BASE}/batches/<token>")
@limit_programs
@_answers_json
def api_batch(token: str) -> ResponseReturnValue:
    """How far a batch is, and its signed report."""
    return _json(_batch(queries.get_batch(token, _person(KeyScope.VERIFY))))


@bp.get(f"{BASE}/batches/<token>.csv")
@limit_programs
@_answers_json
def api_batch_table(token: str) -> ResponseReturnValue:
    """The rows of a batch as a table."""
    found = queries.get_batch(token, _person(KeyScope.VERIFY))
    if found.report is None:
        raise NotFound
    return attached(report.as_csv(found.rows), "text/csv; charset=utf-8", "verification.csv")


@bp.get(f"{BASE}/revocations")
@limit_programs
@_answers_json
def api_revocations() -> ResponseReturnValue:
    """Revocations in their order, a page at a time; `cursor` is where to go on, now or later."""
    _person(KeyScope.REVOCATIONS)
    after = _place()
    limit = request.args.get("limit", "100")
    count = min(max(int(limit), 1), MOST) if limit.isascii() and limit.isdigit() else 100
    found = queries.revocations_after(after, clock.now() - SETTLED, count)
    if found and found[-1].revoked_at is not None:
        after = (found[-1].revoked_at, found[-1].id)
    cursor = f"{after[0].isoformat()}~{after[1]}"
    return _json(
        {
            "revocations": [programs.revocation(credential) for credential in found],
            "cursor": cursor,
            "next": absolute_url("certificates.api_revocations", cursor=cursor, limit=count),
            "hasMore": len(found) == count,
        }
    )


def _place() -> tuple[datetime, int]:
    """After which revocation to go on. Raises RequestUnreadable for what is neither."""
    cursor, since = request.args.get("cursor"), request.args.get("since")
    text, _sign, number = (cursor or since or "1970-01-01T00:00:00Z").partition("~")
    at = instant_of(text.replace(" ", "+"))  # a plus sign that was not escaped
    if at is None and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        at = instant_of(f"{text}T00:00:00Z")
    if at is None or (number and not (number.isascii() and number.isdigit() and len(number) < 19)):
        raise RequestUnreadable
    return at.astimezone(UTC), int(number or 0)


@bp.get(f"{BASE}/subscriptions")
@limit_programs
@_answers_json
def api_subscriptions() -> ResponseReturnValue:
    """The addresses that are told of revocations."""
    user = _person(KeyScope.REVOCATIONS)
    found = [_subscription(row) for row in queries.list_subscriptions(user)]
    return _json({"subscriptions": found})


def _subscription(row: RevocationSubscription) -> Mapping[str, Any]:
    told = row.last_told_at
    return {
        "id": str(row.uuid),
        "url": row.url,
        "lastToldAt": told.isoformat(timespec="seconds") if told else None,
    }


@bp.post(f"{BASE}/subscriptions")
@limit_programs
@_answers_json
def api_subscribe() -> ResponseReturnValue:
    """Tell an address of each revocation; the secret is shown this once."""
    try:
        url = read_object(request.stream.read(10_000)).get("url")
    except BadJson:
        url = None
    if not isinstance(url, str) or len(url) > 500:
        raise RequestUnreadable
    with transaction():
        made, secret = programs.subscribe(_person(KeyScope.REVOCATIONS), url)
        shown = {**_subscription(made), "secret": secret}
    return _json(shown, 201)


@bp.delete(f"{BASE}/subscriptions/<uuid:identifier>")
@limit_programs
@_answers_json
def api_unsubscribe(identifier: uuid.UUID) -> ResponseReturnValue:
    """Tell an address no more."""
    with transaction():
        user = _person(KeyScope.REVOCATIONS)
        programs.unsubscribe(queries.get_subscription(identifier, user))
    return Response(status=204)
