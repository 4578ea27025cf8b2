"""What people upload to have it verified: PDF or JSON, from anybody, so nothing is trusted."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import orjson
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from lms.certificates.codes import find_codes
from lms.certificates.errors import UploadUnreadable

MAX_FILE = 5 * 1024 * 1024  # bytes
MAX_JSON = 256 * 1024
MAX_DEPTH = 24
MAX_OBJECTS = 20_000  # of a PDF
ATTACHMENT = "credential.json"
# pypdf meets a broken file with errors of many kinds
_BROKEN = (
    PyPdfError, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, RecursionError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """What a file holds: a signed document, or only a code that stands in its text."""

    document: dict[str, Any] | None
    code: str | None
    pdf_digest: str | None  # SHA-256 of the file, None for JSON


def read_upload(content: bytes) -> Upload:
    """Find the credential in a PDF or JSON file. Raises UploadUnreadable."""
    if not content or len(content) > MAX_FILE:
        raise UploadUnreadable
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return _read_pdf(content)
    return Upload(read_json(content), None, None)


def read_json(content: bytes) -> dict[str, Any]:
    """An object of JSON without tricks: bounded, not nested deeply, no member twice.

    Raises UploadUnreadable.
    """
    if len(content) > MAX_JSON:
        raise UploadUnreadable
    try:
        orjson.loads(content)  # strict: no NaN, valid UTF-8
        found = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise UploadUnreadable from None
    if not isinstance(found, dict) or _depth(found) > MAX_DEPTH:
        raise UploadUnreadable
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands there twice")
    return found


def _depth(value: Any, depth: int = 1) -> int:
    if depth > MAX_DEPTH:
        return depth
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(item, depth + 1) for item in items), default=depth)


def _read_pdf(content: bytes) -> Upload:
    digest = hashlib.sha256(content).hexdigest()
    try:
        reader = PdfReader(io.BytesIO(content), root_object_recovery_limit=MAX_OBJECTS)
        attached = reader.attachments.get(ATTACHMENT, [])
        if attached:
            return Upload(read_json(attached[0]), None, digest)
        codes = find_codes(reader.pages[0].extract_text()) if reader.pages else []
    except UploadUnreadable:
        raise
    except _BROKEN as error:
        raise UploadUnreadable from error
    if len(codes) != 1:
        raise UploadUnreadable
    return Upload(None, codes[0], digest)
