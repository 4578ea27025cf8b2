"""Packages as one .zip: unpacked without trust, packed the same way every time."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
import zlib
from pathlib import Path

from flask_babel import gettext as _

from lms.courses.errors import PackageError

MAX_PACKED = 200 * 1024 * 1024
MAX_UNPACKED = 500 * 1024 * 1024
MAX_FILE = 50 * 1024 * 1024
MAX_RATIO = 200  # unpacked to packed, above RATIO_FROM bytes
RATIO_FROM = 10 * 1024 * 1024
MAX_ENTRIES = 20_000
MAX_NAME = 200  # bytes of one part of a path
MAX_PATH = 1000  # bytes of a whole path
_BLOCK = 64 * 1024
_SYSTEM = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def is_system_file(parts: tuple[str, ...]) -> bool:
    """Whether a file is what operating systems leave behind, and is passed over."""
    return any(part in _SYSTEM or part.startswith("._") for part in parts)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .zip into an empty folder; limits are counted while reading.

    Raises PackageError for what is not a zip, is too large or tries to leave the folder.
    """
    name = archive.name
    if archive.stat().st_size > MAX_PACKED:
        raise PackageError(
            name, _("The package is too large: at most %(size)d MB.", size=MAX_PACKED // 1024**2)
        )
    try:
        with zipfile.ZipFile(archive) as package:
            _unpack_entries(package, folder, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RecursionError):
            raise
        raise PackageError(
            name, _("This is not a zip file that can be read. Make it again and send that one.")
        ) from None


def _unpack_entries(package: zipfile.ZipFile, folder: Path, name: str) -> None:
    entries = package.infolist()
    if len(entries) > MAX_ENTRIES:
        raise PackageError(
            name, _("The package holds too many files: at most %(limit)d.", limit=MAX_ENTRIES)
        )
    total = 0
    seen: set[str] = set()
    for entry in entries:
        parts = _safe_parts(entry)
        if entry.is_dir() or is_system_file(parts):
            continue
        key = "/".join(parts).casefold()
        if key in seen:
            raise PackageError(entry.filename, _("This file stands in the package twice."))
        seen.add(key)
        target = folder.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            total += _copy(package, entry, target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise PackageError(
                entry.filename, _("A file and a folder of the package have the same name.")
            ) from None
        if total > MAX_UNPACKED:
            raise PackageError(
                name,
                _(
                    "Unpacked, the package is too large: at most %(size)d MB.",
                    size=MAX_UNPACKED // 1024**2,
                ),
            )


def _safe_parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """The path inside the package. Raises PackageError when it would lead out of it."""
    shown = entry.filename.replace("\0", "?")[:200]
    raw = entry.orig_filename if isinstance(entry.orig_filename, str) else entry.filename
    if "\0" in raw or any(unicodedata.category(sign) == "Cc" for sign in raw):
        raise PackageError(shown, _("The name of this file holds control signs."))
    path = unicodedata.normalize("NFC", entry.filename.replace("\\", "/"))
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise PackageError(shown, _("Links and devices are not allowed in a package."))
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        raise PackageError(shown, _("Paths in a package must be relative."))
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if ".." in parts:
        raise PackageError(shown, _("This path would leave the package."))
    if len(path.encode()) > MAX_PATH or any(len(part.encode()) > MAX_NAME for part in parts):
        raise PackageError(shown, _("The path of this file is too long."))
    if not parts and not entry.is_dir():
        raise PackageError(shown or "?", _("This file has no name."))
    return parts


def _copy(package: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> int:
    size = 0
    with package.open(entry) as source, target.open("xb") as out:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > MAX_FILE:
                raise PackageError(
                    entry.filename,
                    _("This file is too large: at most %(size)d MB.", size=MAX_FILE // 1024**2),
                )
            if size > RATIO_FROM and size > MAX_RATIO * max(1, entry.compress_size):
                raise PackageError(
                    entry.filename, _("This file is packed far too tightly to be real content.")
                )
            out.write(block)
    return size


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder: sorted names, one fixed time, so that equal folders give equal bytes."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for path in paths:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            package.writestr(entry, path.read_bytes(), compresslevel=9)
