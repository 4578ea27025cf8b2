"""What is known of an activity (1.0.3, part three, 2.5)."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.typing import ResponseReturnValue

from lms.xapi.api.parameters import iri_parameter, parameters
from lms.xapi.api.wire import bp, request_key, with_key
from lms.xapi.json_text import dumps
from lms.xapi.models import KeyScope
from lms.xapi.services.access import check_document
from lms.xapi.services.activities import known_definitions


@bp.get("/activities")
@with_key(KeyScope.READ, KeyScope.READ_MINE)
def get_activity() -> ResponseReturnValue:
    """The activity as all statements together describe it; unknown ones have their id alone."""
    sent = parameters(("activityId",), needed=("activityId",))
    iri = iri_parameter(sent, "activityId") or ""
    check_document(request_key(), activity=iri)
    activity: dict[str, Any] = {"objectType": "Activity", "id": iri}
    definition = known_definitions([iri]).get(iri)
    if definition is not None:
        activity["definition"] = definition
    return Response(dumps(activity), content_type="application/json; charset=utf-8")
