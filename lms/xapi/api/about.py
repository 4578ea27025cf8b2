"""What is spoken here (1.0.3, part three, 2.8)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from lms.core.web import public
from lms.xapi.api.parameters import parameters
from lms.xapi.api.wire import VERSIONS, bp, json_answer


@bp.get("/about")
@public
def about() -> ResponseReturnValue:
    """The versions spoken here; open to all."""
    parameters(())
    return json_answer({"version": list(VERSIONS), "extensions": {}})
