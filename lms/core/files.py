"""Files: checked when they come in, kept in one store, served so that they cannot run.

The store is any fsspec file system: a folder in the embedded default, S3 for many servers.
"""

from __future__ import annotations

import hashlib
import io
import mimetypes
import re
import unicodedata
import uuid
from dataclasses import dataclass
from typing import IO, Any

import filetype
import fsspec
from flask import Response, current_app, request, send_file
from flask_babel import lazy_gettext
from PIL import Image, UnidentifiedImageError

from lms.config import Settings
from lms.core.db import db
from lms.core.errors import InvalidInput, NotFound
from lms.core.models import StoredFile

_INLINE = {
    "image/png", "image/jpeg", "image/webp", "image/gif", "image/svg+xml",
    "video/webm", "video/mp4", "audio/mpeg", "audio/ogg", "text/vtt",
}  # fmt: skip
_TEXTS = {".txt", ".md", ".csv", ".vtt"}
_OFFICE = {
    ".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub",
}  # fmt: skip
_PICTURES = {"image/png", "image/jpeg", "image/webp", "image/gif"}
_SVG_DANGER = re.compile(
    rb"<\s*(script|foreignobject|iframe|object|embed|a|animate|set|use|image|style)\b"
    rb"|\son[a-z]+\s*=|javascript:|<!doctype|<!entity|<\?xml-stylesheet|url\s*\(\s*['\"]?\s*(?!#)",
    re.IGNORECASE,
)
MAX_PICTURE_PIXELS = 40_000_000


class UploadRefused(InvalidInput):
    """An upload has a content, name or size that Puente does not take."""

    status = 422
    message = lazy_gettext("This file cannot be taken.")


class UploadTooLarge(UploadRefused):
    """An upload is larger than allowed."""

    status = 413
    message = lazy_gettext("This file is too large.")


@dataclass(frozen=True)
class FileKinds:
    """What an upload field takes: media types by content, and the largest size in bytes."""

    media_types: frozenset[str]
    max_bytes: int


PICTURES = FileKinds(frozenset({*_PICTURES, "image/svg+xml"}), 5 * 1024 * 1024)
ATTACHMENTS = FileKinds(
    frozenset({*_PICTURES, "application/pdf", "text/plain", "text/csv", "office"}),
    10 * 1024 * 1024,
)
COURSE_MEDIA = FileKinds(
    frozenset(
        {
            *PICTURES.media_types, "application/pdf", "text/plain", "text/csv", "text/vtt",
            "video/webm", "video/mp4", "audio/mpeg", "audio/ogg", "application/zip", "office",
        }
    ),
    50 * 1024 * 1024,
)  # fmt: skip


def clean_name(name: str) -> str:
    """A file name without folders, control signs or leading dots; at most 120 signs."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C")
    name = re.sub(r'[<>:"|?*]', "_", name).strip(". ")
    if len(name) > 120:
        stem, _, ending = name.rpartition(".")
        name = f"{stem[: 118 - len(ending)]}.{ending}" if stem else name[:120]
    return name or "file"


def media_type_of(content: bytes, name: str) -> str:
    """The media type by what the bytes are, never by what the sender says."""
    ending = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    guess = filetype.guess_mime(content)
    if guess:
        if guess in ("application/zip", "application/epub+zip") or "officedocument" in guess:
            guessed_by_name = mimetypes.guess_type(name)[0]
            if ending in _OFFICE and guessed_by_name:
                return guessed_by_name
        return str(guess)
    if content.lstrip()[:1] == b"<" and b"<svg" in content[:2000].lower():
        return "image/svg+xml"
    if ending in _TEXTS:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return "application/octet-stream"
        return {".csv": "text/csv", ".vtt": "text/vtt"}.get(ending, "text/plain")
    return "application/octet-stream"


def _check(content: bytes, name: str, kinds: FileKinds) -> str:
    """The media type of an allowed upload; raises UploadRefused with the reason otherwise."""
    if not content:
        raise UploadRefused(lazy_gettext("This file is empty."))
    if len(content) > kinds.max_bytes:
        raise UploadTooLarge(
            lazy_gettext(
                "This file is too large: at most %(size)d MB.",
                size=kinds.max_bytes // (1024 * 1024),
            )
        )
    found = media_type_of(content, name)
    is_office = "officedocument" in found or "opendocument" in found or "epub" in found
    if found not in kinds.media_types and not (is_office and "office" in kinds.media_types):
        raise UploadRefused(lazy_gettext("Files of this kind cannot be taken."))
    if found in _PICTURES:
        _check_picture(content)
    if found == "image/svg+xml" and _SVG_DANGER.search(content):
        raise UploadRefused(lazy_gettext("This drawing holds scripts or links and cannot be used."))
    return found


def _check_picture(content: bytes) -> None:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            width, height = picture.size
            if width * height > MAX_PICTURE_PIXELS:
                raise UploadTooLarge(lazy_gettext("This picture has too many pixels."))
            picture.verify()
    except Image.DecompressionBombError:
        raise UploadTooLarge(lazy_gettext("This picture has too many pixels.")) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise UploadRefused(lazy_gettext("This picture is damaged.")) from None


class FileStore:
    """Bytes by path, on any fsspec file system."""

    def __init__(self, settings: Settings) -> None:
        url = settings.files_url or f"file://{settings.data_path / 'files'}"
        self.file_system, self.root = fsspec.core.url_to_fs(url, **settings.files_options)
        self.is_local = settings.files_url is None

    def _full(self, path: str) -> str:
        return f"{self.root.rstrip('/')}/{path}"

    def write(self, path: str, content: bytes) -> None:
        """Keep `content` under `path`, replacing what was there."""
        full = self._full(path)
        if self.is_local:
            self.file_system.makedirs(full.rsplit("/", 1)[0], exist_ok=True)
        self.file_system.pipe_file(full, content)

    def open(self, path: str) -> IO[bytes]:
        """The bytes as a seekable stream. Raises FileNotFoundError."""
        stream: IO[bytes] = self.file_system.open(self._full(path), "rb")
        return stream

    def read(self, path: str) -> bytes:
        """All bytes. Raises FileNotFoundError."""
        content: bytes = self.file_system.cat_file(self._full(path))
        return content

    def delete(self, path: str) -> None:
        """Remove the bytes, if they are there."""
        full = self._full(path)
        if self.file_system.exists(full):
            self.file_system.rm_file(full)

    def check(self) -> None:
        """Write, read and remove a small file. Raises OSError when the store does not work."""
        path = f"check/{uuid.uuid4()}"
        self.write(path, b"ok")
        if self.read(path) != b"ok":
            raise OSError("the file store gave back other bytes")
        self.delete(path)


def file_store() -> FileStore:
    """The store of the running app."""
    store: FileStore = current_app.extensions["file_store"]
    return store


def keep_file(
    content: bytes, name: str, kinds: FileKinds | None, owner_id: int | None = None
) -> StoredFile:
    """Check an upload and keep it. `kinds` None means made by Puente itself: not checked.

    Raises UploadRefused or UploadTooLarge with the reason for the sender.
    """
    name = clean_name(name)
    media_type = _check(content, name, kinds) if kinds else media_type_of(content, name)
    digest = hashlib.sha256(content).hexdigest()
    path = f"{digest[:2]}/{digest}"  # equal bytes are kept once
    store = file_store()
    if not store.file_system.exists(store._full(path)):
        store.write(path, content)
    row = StoredFile(
        path=path,
        name=name,
        media_type=media_type,
        size=len(content),
        sha256=digest,
        owner_id=owner_id,
    )
    db.session.add(row)
    db.session.flush()
    return row


def get_file(key: uuid.UUID) -> StoredFile:
    """The file with this public key. Raises NotFound."""
    from sqlalchemy import select

    row = db.session.scalar(select(StoredFile).where(StoredFile.key == key))
    if row is None:
        raise NotFound
    return row


def read_file(row: StoredFile) -> bytes:
    """All bytes of a kept file."""
    return file_store().read(row.path)


def send_stored(row: StoredFile, *, download: bool = False, public: bool = False) -> Response:
    """Answer a request with a kept file, so that it cannot run on Puente's origin.

    The caller has asked for permission. public: proxies may keep it.
    """
    inline = row.media_type in _INLINE and not download
    response = send_file(
        file_store().open(row.path),
        mimetype=row.media_type if inline or row.media_type == "application/pdf" else None,
        as_attachment=not inline,
        download_name=row.name,
        etag=row.sha256,
        conditional=False,
        max_age=31_536_000 if public else 3600,
    )
    # Werkzeug does not know the length of a stream, and gives ranges only with it.
    response.content_length = row.size
    response.make_conditional(request, accept_ranges=True, complete_length=row.size)
    headers: dict[str, Any] = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "public, max-age=31536000, immutable"
        if public
        else "private, max-age=3600",
    }
    response.headers.update(headers)
    return response
