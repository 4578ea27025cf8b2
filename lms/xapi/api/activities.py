"""What is known of an activity (1.0.3, part three, 2.5)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from lms.xapi.api.parameters import iri_parameter, parameters
from lms.xapi.api.wire import bp, json_answer, with_key
from lms.xapi.models import KeyScope


@bp.get("/activities")
@with_key(KeyScope.READ, KeyScope.READ_MINE)
def get_activity() -> ResponseReturnValue:
    """The activity as all statements together describe it; unknown ones have their id alone."""
    iri = iri_parameter(parameters(("activityId",), needed=("activityId",)), "activityId")
    return json_answer({"objectType": "Activity", "id": iri})
