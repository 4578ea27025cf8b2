"""The store: statements, what they are found by, keys, and forwarding."""

from lms.xapi.models.forwarding import ForwardingTarget, RefusedByTarget
from lms.xapi.models.keys import KeyScope, LaunchSession, XapiKey
from lms.xapi.models.refused import RefusedRequest
from lms.xapi.models.statements import RelatedActivity, RelatedAgent, StoredStatement

__all__ = [
    "ForwardingTarget",
    "KeyScope",
    "LaunchSession",
    "RefusedByTarget",
    "RefusedRequest",
    "RelatedActivity",
    "RelatedAgent",
    "StoredStatement",
    "XapiKey",
]
