"""The store: statements, what they are found by, keys, and forwarding."""

from lms.xapi.models.attachments import Attachment, AttachmentUse
from lms.xapi.models.forwarding import ForwardingTarget, RefusedByTarget
from lms.xapi.models.keys import KeyScope, LaunchSession, XapiKey
from lms.xapi.models.refused import RefusedRequest
from lms.xapi.models.retention import Erasure, ErasureKind, ErasureWay, RetentionRule
from lms.xapi.models.statements import (
    KnownActivity,
    StatementKey,
    StoredStatement,
    StoreOrder,
)
from lms.xapi.models.summaries import CountedVoid, CountingPlace, StatementCount

__all__ = [
    "Attachment",
    "AttachmentUse",
    "CountedVoid",
    "CountingPlace",
    "Erasure",
    "ErasureKind",
    "ErasureWay",
    "ForwardingTarget",
    "KeyScope",
    "KnownActivity",
    "LaunchSession",
    "RefusedByTarget",
    "RefusedRequest",
    "RetentionRule",
    "StatementCount",
    "StatementKey",
    "StoreOrder",
    "StoredStatement",
    "XapiKey",
]
