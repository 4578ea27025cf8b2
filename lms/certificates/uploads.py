"""What people show to have it verified: files, links, texts. Nothing of it is trusted."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from lms.certificates.codes import find_codes, is_well_formed, read_code
from lms.certificates.errors import LinkUnreadable, UploadUnreadable
from lms.certificates.json_text import LARGEST, BadJson, read_object
from lms.certificates.verifier.containers import PNG, NothingBaked, read_png, read_svg
from lms.certificates.verifier.tokens import LONGEST, SHAPE, Token, read_token
from lms.core.errors import DomainError
from lms.core.outgoing import fetch
from lms.core.settings import settings

MAX_FILE = 5 * 1024 * 1024  # bytes
LARGEST_REPORT = 2 * 1024 * 1024  # bytes; of other documents LARGEST
MAX_TEXT = 400_000  # signs that may be pasted
MAX_OBJECTS = 20_000  # of a PDF
LONGEST_NAME = 120  # signs of a file's name that a report repeats
LINK_SECONDS = 6.0
ATTACHMENT = "credential.json"
REPORT = "report.json"  # attached to a report on paper
# pypdf meets a broken file with errors of many kinds
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, RecursionError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """What was shown: a signed document, a token that holds one, or only a code."""

    document: Mapping[str, Any] | None = None
    token: Token | None = None
    code: str | None = None
    pdf_digest: str | None = None  # SHA-256 of the file, None for all but PDF
    digest: str | None = None  # SHA-256 of what was shown, whatever it is; None for a code
    name: str = ""  # of the file, or the address without its query


def read_upload(content: bytes, name: str = "") -> Upload:
    """Find the credential in a PDF, PNG, SVG, JSON or JWT file. Raises UploadUnreadable."""
    if not content or len(content) > MAX_FILE:
        raise UploadUnreadable
    digest = hashlib.sha256(content).hexdigest()
    return replace(_read_content(content), digest=digest, name=tidy(name)[:LONGEST_NAME])


def tidy(name: str) -> str:
    """A name of a file without its folders and without signs that cannot be shown."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(sign for sign in last if sign.isprintable()).strip()


def _read_content(content: bytes) -> Upload:
    start = content[:1024].lstrip()
    try:
        if start.startswith(b"%PDF-"):
            return _read_pdf(content)
        if content.startswith(PNG):
            return _read_signed(read_png(content))
        if start.removeprefix(b"\xef\xbb\xbf").startswith(b"<"):
            return _read_signed(read_svg(content))
        return _read_signed(content.decode("utf-8-sig"))
    except (BadJson, NothingBaked, UnicodeDecodeError):
        raise UploadUnreadable from None


def read_text(text: str) -> Upload:
    """What somebody typed or pasted: a code, a link to a certificate, JSON or a token.

    A link of this site is read, any other is fetched. Raises UploadUnreadable and LinkUnreadable.
    """
    shown = text.strip()
    if not shown or len(shown) > MAX_TEXT:
        raise UploadUnreadable
    if shown.startswith("{") or SHAPE.fullmatch(shown):
        return read_upload(shown.encode())
    if re.match(r"https?://", shown, re.IGNORECASE) and not re.search(r"\s", shown):
        return _read_link(shown)
    code = read_code(shown)
    if is_well_formed(code):
        return Upload(code=code)
    codes = find_codes(shown.upper())
    if len(codes) != 1:
        raise UploadUnreadable
    return Upload(code=codes[0])


def own_code(link: str) -> str | None:
    """The code that a link to a page of this site holds."""
    place, wanted = _parts(link), _parts(settings().base_url)
    found = re.fullmatch(r"/(?:verify|v)/([^/]+?)(?:\.(?:json|jwt|png|svg|pdf))?/?", place[1])
    return read_code(found[1]) if found and place[0] == wanted[0] else None


def _parts(link: str) -> tuple[str, str]:
    try:
        parts = urlsplit(link)
    except ValueError:
        raise LinkUnreadable from None
    base = urlsplit(settings().base_url).path.rstrip("/")
    return parts.netloc.lower(), parts.path.removeprefix(base)


def _read_link(link: str) -> Upload:
    code = own_code(link)
    if code is not None:
        return Upload(code=code)
    address = urlsplit(link)._replace(query="", fragment="").geturl()
    try:
        found = read_upload(fetch(link, at_most=MAX_FILE, seconds=LINK_SECONDS))
        return replace(found, name=address[:LONGEST_NAME])
    except (OSError, DomainError):
        raise LinkUnreadable from None


def _read_signed(text: str) -> Upload:
    """JSON or a token. Raises BadJson."""
    shown = text.strip()
    if len(shown) <= LONGEST and SHAPE.fullmatch(shown):
        return Upload(token=read_token(shown))
    document = read_object(shown.encode(), LARGEST_REPORT)
    if len(shown.encode()) > LARGEST and document.get("type") != "VerificationReport":
        raise BadJson
    if "issuer" not in document and "proof" not in document:  # JSON of another kind
        raise BadJson
    return Upload(document=document)


def _read_pdf(content: bytes) -> Upload:
    from pypdf import PdfReader  # takes long to load
    from pypdf.errors import PyPdfError

    digest = hashlib.sha256(content).hexdigest()
    try:
        reader = PdfReader(io.BytesIO(content), root_object_recovery_limit=MAX_OBJECTS)
        files = reader.attachments
        attached = files.get(ATTACHMENT) or files.get(REPORT) or []
        if len(attached) > 1 and len(set(attached)) > 1:
            raise UploadUnreadable
        if attached:
            return replace(_read_signed(attached[0].decode()), pdf_digest=digest)
        codes = find_codes(reader.pages[0].extract_text()) if reader.pages else []
    except (UploadUnreadable, BadJson):
        raise UploadUnreadable from None
    except (PyPdfError, *_BROKEN) as error:
        raise UploadUnreadable from error
    if len(codes) != 1:
        raise UploadUnreadable
    return Upload(code=codes[0], pdf_digest=digest)
