"""Reads a package folder into memory and checks what can be checked without the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_babel import gettext as _

from lms.core.db import ByLanguage
from lms.courses.errors import PackageError
from lms.courses.packages.archive import MAX_ENTRIES, MAX_FILE, is_system_file
from lms.courses.packages.checks import PackageErrors, check_document, problems_of
from lms.courses.packages.yaml_text import Document, decode, read_yaml
from lms.courses.services.media import MEDIA_NAME, names_in

_NUMBERED = re.compile(r"(\d{1,6})-([a-z0-9]+(?:-[a-z0-9]+)*)\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
COMMON_KEYS = (
    "kind", "title", "required", "published", "minutes", "due_day", "completion", "settings",
)  # fmt: skip


@dataclass
class ActivityFile:
    """One activity of a package. `file` is its .yaml, relative to the package.

    `data` is what the .yaml says, with `questions` beside the settings wherever they stand.
    """

    slug: str
    file: str
    document: Document
    text: ByLanguage = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """What the .yaml says, in one shape."""
        data = dict(self.document.data)
        settings = dict(data.get("settings") or {})
        if "questions" in settings and "questions" not in data:
            data["questions"] = settings.pop("questions")
        data["settings"] = settings
        return data


@dataclass
class ModuleFolder:
    """One module of a package."""

    slug: str
    file: str
    document: Document
    activities: list[ActivityFile] = field(default_factory=list)


@dataclass
class PackageFolder:
    """All that a package folder holds."""

    document: Document
    description: ByLanguage = field(default_factory=dict)
    modules: list[ModuleFolder] = field(default_factory=list)
    media: dict[str, Path] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def activities(self) -> Iterator[ActivityFile]:
        """All activities, in order."""
        return (activity for module in self.modules for activity in module.activities)


def read_package(folder: Path) -> PackageFolder:
    """Read and check a package folder. Raises PackageErrors with all that is wrong."""
    return _Reader(folder).read()


class _Reader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[tuple[str, str]] = []
        self.skipped: list[str] = []

    def read(self) -> PackageFolder:
        self._check_root()
        self._refuse_links()
        document = self._yaml("course.yaml", "course")
        package = PackageFolder(document, skipped=self.skipped)
        package.description = self._root_texts()
        package.media = self._media()
        package.modules = self._modules()
        self._check_slugs(package)
        self._check_media(package)
        if self.problems:
            raise PackageErrors(self.problems)
        _warn_about_languages(package)
        return package

    def _problem(self, where: str, message: object) -> None:
        self.problems.append((where, str(message)))

    def _check_root(self) -> None:
        if not self.folder.is_dir():
            raise PackageError(str(self.folder), _("There is no such folder."))
        if (self.folder / "course.yaml").is_file():
            return
        deeper = [path.parent.name for path in self.folder.glob("*/course.yaml")]
        if deeper:
            raise PackageError(
                f"{deeper[0]}/course.yaml",
                _(
                    "course.yaml must lie at the top of the package, not in the folder"
                    " “%(folder)s”. Pack the contents of that folder.",
                    folder=deeper[0],
                ),
            )
        raise PackageError(
            "course.yaml", _("This file is missing. A course package begins with it.")
        )

    def _refuse_links(self) -> None:
        for count, path in enumerate(self.folder.rglob("*"), start=1):
            shown = path.relative_to(self.folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise PackageError(shown, _("Links and devices are not allowed in a package."))
            if count > MAX_ENTRIES:
                raise PackageError(
                    shown,
                    _("The package holds too many files: at most %(limit)d.", limit=MAX_ENTRIES),
                )

    def _bytes(self, path: Path, shown: str) -> bytes:
        if path.stat().st_size > MAX_FILE:
            raise PackageError(
                shown, _("This file is too large: at most %(size)d MB.", size=MAX_FILE // 1024**2)
            )
        return path.read_bytes()

    def _yaml(self, file: str, kind: str) -> Document:
        path = self.folder / file
        if not path.is_file():
            self._problem(file, _("This file is missing. Add it."))
            return Document(file, None)
        try:
            document = read_yaml(self._bytes(path, file), file)
        except PackageError as error:
            self.problems.extend(problems_of(error))
            return Document(file, None)
        self.problems.extend(check_document(document, kind))
        return document

    def _text(self, path: Path, file: str) -> str:
        try:
            return decode(self._bytes(path, file), file).strip("\n")
        except PackageError as error:
            self.problems.extend(problems_of(error))
            return ""

    def _skip(self, file: str, reason: str) -> None:
        self.skipped.append(f"{file}: {reason}")

    def _entries(self, folder: Path) -> list[Path]:
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if not is_system_file((p.name,)))

    def _root_texts(self) -> ByLanguage:
        texts: ByLanguage = {}
        for path in self._entries(self.folder):
            if path.name in ("course.yaml", "modules", "media"):
                continue
            name, _dot, language = path.name.removesuffix(".md").partition(".")
            if path.is_file() and path.suffix == ".md" and name == "course" and language:
                self._keep_text(texts, language, path, path.name)
            else:
                self._skip(path.name, _("not a part of the format"))
        return texts

    def _keep_text(self, texts: ByLanguage, language: str, path: Path, file: str) -> None:
        if not _LANGUAGE.match(language):
            self._problem(
                file,
                _(
                    "“%(key)s” is not a language code. Use codes such as en, es, fr or pt.",
                    key=language,
                ),
            )
            return
        text = self._text(path, file)
        if text.strip():
            texts[language] = text

    def _media(self) -> dict[str, Path]:
        media: dict[str, Path] = {}
        for path in self._entries(self.folder / "media"):
            file = f"media/{path.name}"
            if path.is_dir():
                self._problem(file, _("Folders inside media/ are not possible. Move the files up."))
            elif not MEDIA_NAME.match(path.name):
                self._problem(
                    file,
                    _(
                        "This file name cannot be used. Use letters without accents, digits, dots,"
                        " hyphens and underscores."
                    ),
                )
            else:
                media[path.name] = path
        return media

    def _modules(self) -> list[ModuleFolder]:
        found: list[tuple[int, ModuleFolder]] = []
        for path in self._entries(self.folder / "modules"):
            file = f"modules/{path.name}"
            match = _NUMBERED.match(path.name)
            if not path.is_dir():
                self._skip(file, _("not a part of the format"))
                continue
            if match is None:
                self._problem(file, _bad_name(path.name))
                continue
            document = self._yaml(f"{file}/module.yaml", "module")
            module = ModuleFolder(match[2], f"{file}/module.yaml", document)
            module.activities = self._activities(path, file)
            found.append((int(match[1]), module))
        return [module for _number, module in sorted(found, key=lambda m: (m[0], m[1].slug))]

    def _activities(self, folder: Path, where: str) -> list[ActivityFile]:
        found: dict[str, tuple[int, ActivityFile]] = {}
        texts: list[Path] = []
        for path in self._entries(folder):
            file = f"{where}/{path.name}"
            if path.name == "module.yaml":
                continue
            if path.suffix == ".md" and path.is_file():
                texts.append(path)
                continue
            if path.suffix != ".yaml" or not path.is_file():
                self._skip(file, _("not a part of the format"))
                continue
            match = _NUMBERED.match(path.stem)
            if match is None:
                self._problem(file, _bad_name(path.stem))
                continue
            document = self._yaml(file, "activity")
            found[path.stem] = (int(match[1]), ActivityFile(match[2], file, document))
        for path in texts:
            file = f"{where}/{path.name}"
            stem, _dot, language = path.stem.partition(".")
            if stem not in found:
                self._problem(
                    file,
                    _(
                        "There is no %(file)s for this text. Add it or rename the text.",
                        file=f"{stem}.yaml",
                    ),
                )
                continue
            self._keep_text(found[stem][1].text, language, path, file)
        return [a for _number, a in sorted(found.values(), key=lambda f: (f[0], f[1].slug))]

    def _check_slugs(self, package: PackageFolder) -> None:
        seen: dict[str, str] = {}
        for module in package.modules:
            if module.slug in seen:
                self._problem(
                    module.file,
                    _(
                        "The module “%(slug)s” stands in the package twice. Rename one.",
                        slug=module.slug,
                    ),
                )
            seen[module.slug] = module.file
        seen = {}
        for activity in package.activities:
            if activity.slug in seen:
                self._problem(
                    activity.file,
                    _(
                        "The name “%(slug)s” is taken by %(other)s. Each activity of a course"
                        " needs its own.",
                        slug=activity.slug,
                        other=seen[activity.slug],
                    ),
                )
            seen[activity.slug] = activity.file

    def _check_media(self, package: PackageFolder) -> None:
        used: set[str] = set()
        places: list[tuple[str, Any]] = [
            (f"course.{language}.md", text) for language, text in package.description.items()
        ]
        places.append(("course.yaml", package.document.data))
        for activity in package.activities:
            places.append((activity.file, activity.document.data))
            stem = activity.file.removesuffix(".yaml")
            places += [(f"{stem}.{code}.md", text) for code, text in activity.text.items()]
        for where, value in places:
            names = names_in(value)
            used |= names
            for name in sorted(names - package.media.keys()):
                self._problem(
                    where,
                    _(
                        "media/%(name)s is not in the package. Add the file or mend the name.",
                        name=name,
                    ),
                )
        for name in sorted(package.media.keys() - used):
            package.warnings.append(f"media/{name}: {_('No text refers to this file.')}")


def _bad_name(name: str) -> object:
    return _(
        "“%(name)s” has the wrong form. Use a number, a hyphen and a name of lower case letters"
        " without accents, digits and hyphens, such as 01-welcome.",
        name=name[:60],
    )


def _warn_about_languages(package: PackageFolder) -> None:
    languages: list[str] = package.document.data["languages"]
    places: list[tuple[str, dict[str, str]]] = [
        ("course.yaml, title", package.document.data["title"]),
        ("course.yaml, summary", package.document.data.get("summary") or {}),
        ("course.md", package.description),
    ]
    for module in package.modules:
        places.append((f"{module.file}, title", module.document.data["title"]))
        for activity in module.activities:
            places.append((f"{activity.file}, title", activity.document.data["title"]))
            places.append((f"{activity.file.removesuffix('.yaml')}.md", activity.text))
    for where, texts in places:
        missing = [code for code in languages if code not in texts]
        if texts and missing:
            package.warnings.append(
                f"{where}: {_('No text in: %(languages)s.', languages=', '.join(missing))}"
            )
        extra = [code for code in texts if code not in languages]
        if extra:
            package.warnings.append(
                f"{where}: "
                + _(
                    "Text in a language that the course does not name: %(languages)s.",
                    languages=", ".join(extra),
                )
            )
