"""What is known of an agent (1.0.3, part three, 2.4)."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from lms.xapi.api.parameters import agent_parameter, parameters
from lms.xapi.api.wire import bp, json_answer, with_key
from lms.xapi.models import KeyScope

_PROPERTIES = ("name", "mbox", "mbox_sha1sum", "openid", "account")


@bp.get("/agents")
@with_key(KeyScope.READ, KeyScope.READ_MINE, KeyScope.PROFILE)
def get_person() -> ResponseReturnValue:
    """The agent as a Person, each property a list.

    Two identifiers are never said to be one person's: nobody told this store so.
    """
    agent = agent_parameter(parameters(("agent",), needed=("agent",)), "agent") or {}
    person = {name: [agent[name]] for name in _PROPERTIES if name in agent}
    return json_answer({"objectType": "Person", **person})
