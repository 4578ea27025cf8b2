"""What a package format must offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from flask_babel.speaklater import LazyString

from lms.core.registry import Registered
from lms.courses.models import Course
from lms.directory.models import Organisation

Tell = Callable[[int, int, str], None]  # done, of, what: for progress bars


@dataclass
class ImportReport:
    """What an import did."""

    course: Course
    is_new: bool
    imported: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # "where: reason"
    warnings: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)  # of an earlier import, no longer there
    new_partners: list[Organisation] = field(default_factory=list)


class Importer(ABC):
    """Reads one package format. All or nothing: the caller's transaction is rolled back."""

    name: ClassVar[str]
    label: ClassVar[str | LazyString]

    @abstractmethod
    def accepts(self, folder: Path) -> bool:
        """Whether the unpacked folder holds this format, judged by its content."""

    @abstractmethod
    def read(self, folder: Path, owner_id: int | None, tell: Tell | None = None) -> ImportReport:
        """Create or renew the course. Raises PackageError that says where it failed."""


class Exporter(ABC):
    """Writes one package format."""

    name: ClassVar[str]
    label: ClassVar[str | LazyString]

    @abstractmethod
    def write(self, course: Course, folder: Path, tell: Tell | None = None) -> None:
        """Write the course into an empty folder."""


importers: Registered[Importer] = Registered("importers", Importer)  # type: ignore[type-abstract]
exporters: Registered[Exporter] = Registered("exporters", Exporter)  # type: ignore[type-abstract]
