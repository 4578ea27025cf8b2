"""The words of an answer: states, checks, what keeps a check from being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lms.certificates.models import Credential
from lms.certificates.verifier.claims import Claims


class State(StrEnum):
    """The answer to "is this certificate valid?"."""

    VALID = "valid"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    EARLY = "early"  # its validity begins later
    PARTLY = "partly"  # a genuine learner record, in which not every certificate is valid
    ALTERED = "altered"
    UNKNOWN = "unknown"
    UNCHECKED = "unchecked"


class Check(StrEnum):
    """One thing that is checked."""

    ISSUER = "issuer"
    SIGNATURE = "signature"
    REGISTER = "register"
    FILE = "file"
    NOT_REVOKED = "not_revoked"
    NOT_SUSPENDED = "not_suspended"
    BEGUN = "begun"
    NOT_EXPIRED = "not_expired"


class Problem(StrEnum):
    """Why something could not be checked."""

    ISSUER_AWAY = "issuer_away"
    ISSUER_KIND = "issuer_kind"
    STATUS_AWAY = "status_away"
    STATUS_KIND = "status_kind"
    STATUS_INVALID = "status_invalid"
    PROOF_KIND = "proof_kind"
    CONTEXT = "context"
    TOO_LARGE = "too_large"
    BUSY = "busy"


@dataclass(frozen=True)
class Verdict:
    """The answer, what it is about, and each check with its outcome.

    credential: the register's entry, for what this site issued. claims: what the signed document
    of another issuer says. checks: None for what could not be checked.
    """

    state: State
    checked_at: datetime
    credential: Credential | None = None
    checks: Mapping[Check, bool | None] = field(default_factory=dict)
    claims: Claims | None = None
    problem: Problem | None = None
    report: Mapping[str, Any] | None = None  # when it is a report of earlier verifications
    parts: tuple[Verdict, ...] = ()  # on each certificate of a learner record

    @property
    def is_valid(self) -> bool:
        """Whether everything holds."""
        return self.state == State.VALID


class CannotCheck(Exception):
    """A check cannot be made; nothing may be said of its outcome."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem)


class Refused(Exception):
    """A check fails: the document is not what its issuer signed."""

    def __init__(self, check: Check, why: str) -> None:
        self.check = check
        super().__init__(why)
