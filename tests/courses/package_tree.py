"""Small course packages for tests, and what compares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from flask import Flask
from markupsafe import Markup

from lms.courses.activity_types.base import ActivityType, StudyContext

COURSE: dict[str, Any] = {
    "format": 1,
    "slug": "reading-a-budget",
    "title": {"en": "Reading a budget", "es": "Leer un presupuesto"},
    "summary": {"en": "What the columns say.", "es": "Qué dicen las columnas."},
    "hours": 6,
    "weeks": 2,
    "languages": ["en", "es"],
    "owner": "institute",
    "outcomes": [{"en": "Find the reserve", "es": "Hallar la reserva"}],
}
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><rect width="2" height="2"/></svg>'
)


class StandInKind(ActivityType):
    """Stands for a kind whose room is not built or switched off in this run."""

    completion_rules = {"viewed": "Viewed", "marked_done": "Done", "posted": "Posted",
                        "submitted": "Handed in", "passed": "Passed"}  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = self.label = name  # type: ignore[misc]

    def render(self, context: StudyContext) -> Markup:
        return Markup("")


class KindWithQuestions(StandInKind):
    """Keeps what lies beside the common keys, as a quiz does."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.kept: dict[int, list[Any]] = {}

    def import_extra(self, activity, document, where) -> None:
        settings = document.get("settings", {})
        self.kept[activity.id] = settings.get("questions") or document.get("questions", [])

    def export_extra(self, activity) -> dict[str, Any]:
        return {"questions": self.kept.get(activity.id, [])}


def stand_in_for_missing_kinds(app: Flask) -> list[str]:
    """Let the five kinds of the format exist in this app; returns what was added."""
    declared = app.extensions["puente"].declared["activity_types"]
    missing = [k for k in ("page", "video", "file", "forum", "quiz") if k not in declared]
    for kind in missing:
        declared[kind] = KindWithQuestions(kind) if kind == "quiz" else StandInKind(kind)
    return missing


def write_package(
    folder: Path,
    course: dict[str, Any] | None = None,
    modules: dict[str, dict[str, Any]] | None = None,
    media: dict[str, bytes] | None = None,
    files: dict[str, str | bytes] | None = None,
) -> Path:
    """A package folder. modules: folder name -> {file name: mapping or text}."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "course.yaml", COURSE | (course or {}))
    if modules is None:
        modules = {
            "01-first-steps": {
                "module.yaml": {"title": {"en": "First steps", "es": "Primeros pasos"}},
                "01-welcome.yaml": {"kind": "page", "title": {"en": "Welcome", "es": "Bienvenida"}},
                "01-welcome.en.md": "## Hello\n\nRead *this*.\n",
                "01-welcome.es.md": "## Hola\n\nLea *esto*.\n",
            }
        }
    for module, parts in modules.items():
        for name, content in parts.items():
            _write(folder / "modules" / module / name, content)
    for name, content in (media or {}).items():
        _write(folder / "media" / name, content)
    for name, content in (files or {}).items():
        _write(folder / name, content)
    return folder


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")


def tree(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
