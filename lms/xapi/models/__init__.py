"""The store: statements, what they are found by, keys, and forwarding."""

from lms.xapi.models.forwarding import ForwardingTarget, RefusedByTarget
from lms.xapi.models.keys import KeyScope, XapiKey
from lms.xapi.models.statements import RelatedActivity, RelatedAgent, StoredStatement

__all__ = [
    "ForwardingTarget",
    "KeyScope",
    "RefusedByTarget",
    "RelatedActivity",
    "RelatedAgent",
    "StoredStatement",
    "XapiKey",
]
