"""Packages in and out, whatever their format: a folder or a .zip of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_babel import gettext as _

from lms.courses.errors import PackageError
from lms.courses.models import Course
from lms.courses.packages.archive import pack, unpack
from lms.courses.packages.base import (
    Exporter,
    Importer,
    ImportReport,
    Tell,
    exporters,
    importers,
)


@contextmanager
def open_package(path: Path) -> Iterator[Path]:
    """The package as a folder; a .zip is unpacked into one that lives as long as the block."""
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise PackageError(str(path), str(_("There is no such file or folder.")))
    with tempfile.TemporaryDirectory(prefix="puente-package-") as name:
        folder = Path(name)
        unpack(path, folder)
        yield folder


def importer_for(folder: Path) -> Importer:
    """The importer that knows this package. Raises PackageError."""
    for importer in importers.values():
        if importer.accepts(folder):
            return importer
    known = ", ".join(str(importer.label) for importer in importers.values())
    raise PackageError(
        folder.name,
        str(_("This is no course package that Puente can read. It reads: %(known)s.", known=known)),
    )


def import_package(path: Path, owner_id: int | None, tell: Tell | None = None) -> ImportReport:
    """Bring a package in. Raises PackageError that says where it failed.

    All or nothing: the caller's transaction, or a savepoint of it, is rolled back on an error.
    """
    with open_package(path) as folder:
        return importer_for(folder).read(folder, owner_id, tell)


def exporter_named(name: str) -> Exporter:
    """The exporter of this name. Raises PackageError that names those there are."""
    exporter = exporters.get(name)
    if exporter is None:
        raise PackageError(
            name,
            str(_("There is no such format. Known are: %(known)s.", known=", ".join(exporters))),
        )
    return exporter


def export_package(
    course: Course, target: Path, exporter: Exporter, tell: Tell | None = None
) -> None:
    """Write the course into an empty or new folder, or into a new .zip, all or nothing.

    Raises PackageError when something is there already.
    """
    is_zip = target.suffix.lower() == ".zip"
    if target.exists() and (is_zip or not target.is_dir() or any(target.iterdir())):
        raise PackageError(
            str(target), str(_("This is there already. Name a new file or an empty folder."))
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".puente-export-", dir=target.parent) as name:
        folder = Path(name) / "package"
        folder.mkdir()
        exporter.write(course, folder, tell)
        if is_zip:
            archive = Path(name) / "package.zip"
            pack(folder, archive)
            archive.rename(target)
        else:
            folder.rename(target)
