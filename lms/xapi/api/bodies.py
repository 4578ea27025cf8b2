"""Bodies that bring statements: JSON, or parts with attachments (1.0.3, part three, 1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flask import request
from werkzeug.http import parse_options_header

from lms.xapi.errors import StatementRefused
from lms.xapi.json_text import NotJson, Sent, read_body
from lms.xapi.services.attachments import MOST_ATTACHMENTS, Part, check_parts

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


@dataclass(frozen=True)
class Body:
    """Statements as they were sent, and the bytes of their attachments by hash."""

    entries: Sequence[Sent]
    is_list: bool
    parts: Sequence[Part] = ()
    is_multipart: bool = False
    attachments: dict[str, bytes] = field(default_factory=dict)

    def check_attachments(self) -> None:
        """Raise StatementRefused unless parts and valid statements fit together."""
        statements = [entry.value for entry in self.entries]
        self.attachments.update(check_parts(statements, self.parts))


def read_statements() -> Body:
    """The statements in the request's body. Raises StatementRefused."""
    content_type = request.headers.get("Content-Type", "")
    kind, options = parse_options_header(content_type)
    if kind == "application/json":
        _check_charset(options)
        return Body(*_statements(request.get_data()))
    if kind != "multipart/mixed":
        raise StatementRefused("body", "must be application/json or multipart/mixed")
    boundary = options.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise StatementRefused("body", "has no valid boundary in its content type")
    parts = list(_parts(request.get_data(), boundary))
    if not parts:
        raise StatementRefused("body", "has no parts")
    (headers, content), *rest = parts
    first_kind, first_options = parse_options_header(headers.get("content-type", ""))
    if first_kind != "application/json":
        raise StatementRefused("body part 0", "must be application/json")
    _check_charset(first_options)
    entries, is_list = _statements(content)
    found = [_attachment(number, part) for number, part in enumerate(rest, 1)]
    return Body(entries, is_list, found, is_multipart=True)


def _check_charset(options: Mapping[str, str]) -> None:
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise StatementRefused("body", "must be in UTF-8")


def _statements(content: bytes) -> tuple[list[Sent], bool]:
    try:
        return read_body(content)
    except NotJson as error:
        raise StatementRefused("body", str(error)) from None


def _attachment(number: int, part: tuple[Mapping[str, str], bytes]) -> Part:
    headers, content = part
    where = f"body part {number}"
    if headers.get("content-transfer-encoding", "").lower() != "binary":
        raise StatementRefused(where, "needs Content-Transfer-Encoding: binary")
    sha2 = headers.get("x-experience-api-hash", "").lower()
    if not sha2:
        raise StatementRefused(where, "needs X-Experience-API-Hash")
    return Part(where, sha2, headers.get("content-type", ""), content)


def _parts(body: bytes, boundary: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers, their names in small letters, and content of each part (RFC 2046, 5.1)."""
    mark = b"--" + boundary.encode()
    body = b"\r\n" + body  # a boundary begins a line, the first one the body itself
    pieces = re.split(rb"\r\n" + re.escape(mark) + rb"(--)?[ \t]*(?=\r\n|\Z)", body, maxsplit=0)
    # text before, then for each boundary: whether it is the last, and the text behind it
    for number in range(1, len(pieces) - 1, 2):
        if pieces[number] is not None:
            return
        if number > 2 * MOST_ATTACHMENTS + 2:
            raise StatementRefused("body", f"may have {MOST_ATTACHMENTS} attachments at most")
        head, blank, content = pieces[number + 1].partition(b"\r\n\r\n")
        if not blank:
            raise StatementRefused("body", "has a part without an empty line after its headers")
        yield _headers(head), content
    raise StatementRefused("body", "ends before its last boundary")


def _headers(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found
