"""The application as it is, plus one header that says how many queries a request took."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, has_request_context
from sqlalchemy import event

from lms.core.db import db
from lms.wsgi import app

NOT_COUNTED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")
HEADER = "X-Queries"


def count_queries(app: Flask) -> None:
    """Have each answer say how many statements it sent to the database."""

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if has_request_context() and not statement[:10].upper().startswith(NOT_COUNTED):
            g.queries = g.get("queries", 0) + 1

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers[HEADER] = str(g.get("queries", 0))
        return response

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)


count_queries(app)

__all__ = ["app"]
