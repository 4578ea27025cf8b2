"""Asking the endpoint as another tool does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms.xapi.models import KeyScope
from lms.xapi.services.keys import make_key

ANA = {"mbox": "mailto:ana@example.org"}
LUIS = {"mbox": "mailto:luis@example.org"}
VERB = {"id": "http://adlnet.gov/expapi/verbs/completed"}
COURSE = {"id": "https://example.org/course"}

Ask = Callable[..., TestResponse]


def basic(key: str, secret: str) -> str:
    """The value of the header Authorization."""
    return f"Basic {base64.b64encode(f'{key}:{secret}'.encode()).decode()}"


def asking(client: FlaskClient, version: str | None = "1.0.3", scope: Any = KeyScope.ALL) -> Ask:
    """A tool with a key of its own: method, path, body (JSON or bytes), headers, parameters."""
    authorization = basic(*make_key("A tool", scope, None))

    def ask(
        method: str,
        path: str,
        /,
        body: Any = None,
        headers: dict[str, str] | None = None,
        environ: dict[str, Any] | None = None,
        **query: Any,
    ) -> TestResponse:
        sent = {"Authorization": authorization, "X-Experience-API-Version": version}
        if body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = json.dumps(body), "application/json"
        sent.update(headers or {})
        if "agent" in query and not isinstance(query["agent"], str):
            query["agent"] = json.dumps(query["agent"])
        return client.open(
            f"/xapi/{path}",
            method=method,
            data=body,
            query_string=query or None,
            environ_overrides=environ,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    return ask
