"""The resource `about` (xAPI 1.0.3, part three, 2.8)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from lms.core.web import public
from lms.xapi.api.wire import VERSION, bp, json_answer


@bp.get("/about")
@public
def about() -> ResponseReturnValue:
    """Versions spoken here."""
    return json_answer({"version": [VERSION], "extensions": {}})
