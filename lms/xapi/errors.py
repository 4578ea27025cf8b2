"""How the store says no: always with the statement's index, the property and the rule."""

from __future__ import annotations

from lms.core.errors import DomainError


class StatementRefused(DomainError):
    """A statement breaks a rule of xAPI 1.0.3; nothing of the request is stored."""

    status = 400

    def __init__(self, path: str, rule: str, index: int | None = None) -> None:
        self.path, self.rule, self.index = path, rule, index
        where = f"statement {index}, " if index is not None else ""
        super().__init__(f"{where}{path}: {rule}")


class StatementConflict(DomainError):
    """Another statement with this id is in the store."""

    status = 409

    def __init__(self, statement_id: str) -> None:
        super().__init__(f"the store holds another statement with the id {statement_id}")


class BadParameter(DomainError):
    """A query parameter is missing, unknown or malformed."""

    status = 400

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"parameter {name}: {rule}")


class VoidingRefused(DomainError):
    """A key may void what it stored itself; only one that may do all voids the rest."""

    status = 403

    def __init__(self, statement_id: str) -> None:
        super().__init__(f"this key did not store the statement {statement_id} and cannot void it")


class OutOfReach(DomainError):
    """A statement or document lies outside what the key or session is limited to."""

    status = 403

    def __init__(self, index: int | None = None) -> None:
        self.index = index
        where = f"statement {index}: " if index is not None else ""
        super().__init__(f"{where}lies outside what these credentials are limited to")


class PreconditionFailed(DomainError):
    """If-Match or If-None-Match does not hold."""

    status = 412
    message = (
        "the document is not the one that If-Match or If-None-Match speaks of:"
        " fetch it, apply the change to it, and send its ETag in If-Match"
    )


class DocumentExists(DomainError):
    """A PUT without preconditions would overwrite what another tool may have written."""

    status = 409
    message = (
        "there is a document already: fetch it, apply the change to it, and send its ETag in"
        " If-Match"
    )


class PreconditionNeeded(DomainError):
    """A PUT says neither that there is a document nor that there is none."""

    status = 400
    message = "send If-None-Match: * to store a document where none is, else its ETag in If-Match"


class NotMergeable(DomainError):
    """A POST merges two JSON objects and nothing else."""

    status = 400

    def __init__(self, which: str, rule: str) -> None:
        super().__init__(f"the {which} document cannot be merged: {rule}")
