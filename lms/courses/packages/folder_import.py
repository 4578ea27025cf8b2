"""The importer of Puente's own format: a folder of YAML and Markdown files."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select

from lms.core.db import db
from lms.core.files import COURSE_MEDIA, UploadRefused, keep_file
from lms.courses.activity_types.base import ActivityType, activity_types
from lms.courses.errors import PackageError
from lms.courses.models import Activity, Course, CourseMedia, Module, Progress, Topic
from lms.courses.packages.base import Importer, ImportReport, Tell
from lms.courses.packages.checks import PackageErrors, problems_of
from lms.courses.packages.reader import (
    COMMON_KEYS,
    ActivityFile,
    ModuleFolder,
    PackageFolder,
    read_package,
)
from lms.courses.services.media import media_uses
from lms.courses.services.search import refresh_search_text
from lms.directory.models import Organisation

_HOME_OF_KIND = {"quiz": "assessments", "forum": "forums"}


class FolderImporter(Importer):
    """Reads `course.yaml` and what lies beside it. See docs/course-packages.md."""

    name = "folder"
    label = lazy_gettext("Puente course package")

    def accepts(self, folder: Path) -> bool:
        """Whether the folder, or one folder in it, holds a course.yaml."""
        return (folder / "course.yaml").is_file() or any(folder.glob("*/course.yaml"))

    def read(self, folder: Path, owner_id: int | None, tell: Tell | None = None) -> ImportReport:
        """Create the course, or renew the one of the same slug in place.

        Modules and activities are matched by their slugs, so that progress is kept. owner_id:
        organisation to own the course instead of the one the package names.
        """
        package = read_package(folder)
        return _Import(package, owner_id, tell or (lambda done, of, what: None)).run()


class _Import:
    def __init__(self, package: PackageFolder, owner_id: int | None, tell: Tell) -> None:
        self.package = package
        self.document = package.document
        self.data: dict[str, Any] = package.document.data
        self.owner_id = owner_id
        self.tell = tell
        self.problems: list[tuple[str, str]] = []
        self.steps = len(package.media) + sum(1 for _a in package.activities) + 1
        self.done = 0

    def run(self) -> ImportReport:
        organisations = self._organisations()
        topic = self._topic()
        settings = {a.slug: self._checked_settings(a) for a in self.package.activities}
        if self.problems:
            raise PackageErrors(self.problems)
        course = db.session.scalar(select(Course).where(Course.slug == self.data["slug"]))
        is_new = course is None
        if course is None:
            course = Course(slug=self.data["slug"], state="draft")
        self.report = ImportReport(course, is_new)
        self.report.skipped += self.package.skipped
        self.report.warnings += self.package.warnings
        with db.session.no_autoflush:
            self._fill_course(course, organisations, topic)
        db.session.add(course)
        db.session.flush()
        self._step(_("Course"))
        self._take_media(course)
        self._take_modules(course, settings)
        self._drop_media(course)
        refresh_search_text(course)
        db.session.flush()
        return self.report

    def _step(self, what: str) -> None:
        self.done += 1
        self.tell(self.done, self.steps, what)

    def _organisations(self) -> dict[str, Organisation]:
        """Those the package names, by slug; a missing one is a problem."""
        wanted: list[tuple[tuple[str | int, ...], str]] = []
        if self.owner_id is None:
            wanted.append((("owner",), self.data["owner"]))
        wanted += [(("partners", i), slug) for i, slug in enumerate(self.data.get("partners", []))]
        wanted += [
            (("signatories", i, "organisation"), person["organisation"])
            for i, person in enumerate(self.data.get("signatories", []))
            if "organisation" in person
        ]
        slugs = {slug for _path, slug in wanted}
        found = {
            row.slug: row
            for row in db.session.scalars(select(Organisation).where(Organisation.slug.in_(slugs)))
        }
        for path, slug in wanted:
            if slug not in found:
                self.problems.append(
                    (
                        self.document.where(path),
                        _(
                            "There is no organisation “%(slug)s” here. Ask an administrator to add"
                            " it, or name another.",
                            slug=slug,
                        ),
                    )
                )
        return found

    def _topic(self) -> Topic | None:
        slug = self.data.get("topic")
        if slug is None:
            return None
        topics = {topic.slug: topic for topic in db.session.scalars(select(Topic))}
        if slug not in topics:
            self.problems.append(
                (
                    self.document.where(("topic",)),
                    _("Must be one of: %(choices)s.", choices=", ".join(sorted(topics))),
                )
            )
        return topics.get(slug)

    def _checked_settings(self, activity: ActivityFile) -> dict[str, Any]:
        """The settings as the activity's type keeps them."""
        document, data = activity.document, activity.data
        kind = activity_types.get(data["kind"])
        if kind is None:
            self.problems.append((document.where(("kind",)), str(_unknown_kind(data["kind"]))))
            return {}
        rule = data.get("completion")
        if rule is not None and rule not in kind.completion_rules:
            self.problems.append(
                (
                    document.where(("completion",)),
                    _("Must be one of: %(choices)s.", choices=", ".join(kind.completion_rules)),
                )
            )
        if not _has_extra(kind):
            for key in data.keys() - set(COMMON_KEYS):
                self.problems.append(
                    (
                        document.where((key,)),
                        _(
                            "The key “%(key)s” is not known here. Known are: %(known)s.",
                            key=key,
                            known=", ".join(COMMON_KEYS),
                        ),
                    )
                )
        if not data["settings"] and data.get("published") is False:
            return {}  # its author has not come that far
        try:
            return kind.check_settings(data["settings"], document.where(("settings",)))
        except PackageError as error:
            self.problems.extend(problems_of(error))
            return {}

    def _fill_course(
        self, course: Course, organisations: dict[str, Organisation], topic: Topic | None
    ) -> None:
        data = self.data
        course.title = data["title"]
        course.summary = data.get("summary", {})
        course.description = self.package.description
        course.audience = data.get("audience", {})
        course.requirements = data.get("requirements", {})
        course.outcomes = data.get("outcomes", [])
        course.faq = data.get("faq", [])
        course.signatories = data.get("signatories", [])
        course.topic = topic
        course.level = data.get("level", "introductory")
        course.hours = float(data["hours"])
        course.weeks = data["weeks"]
        course.languages = data["languages"]
        completion = data.get("completion") or {}
        course.minimum_grade = completion.get("minimum_grade")
        course.certificate_months = completion.get("certificate_months")
        course.license = data.get("license")
        if self.owner_id is not None:
            course.owner_id = self.owner_id
        else:
            course.owner = organisations[data["owner"]]
        partners = {slug: organisations[slug] for slug in data.get("partners", [])}
        known = {partner.slug for partner in course.partners}
        self.report.new_partners = [row for slug, row in partners.items() if slug not in known]
        if known != partners.keys():
            course.partners = list(partners.values())

    def _take_media(self, course: Course) -> None:
        kept = {media.name: media for media in course.media}
        for name, path in self.package.media.items():
            self._step(f"media/{name}")
            content = path.read_bytes()
            media = kept.get(name)
            if media is not None and media.file.sha256 == hashlib.sha256(content).hexdigest():
                continue
            try:
                file = keep_file(content, name, COURSE_MEDIA)
            except UploadRefused as refused:
                self.problems.append((f"media/{name}", str(refused.text)))
                continue
            if media is None:
                course.media.append(CourseMedia(name=name, file=file))
            else:
                old, media.file = media.file, file
                db.session.flush()
                db.session.delete(old)
            self.report.imported.append(f"media/{name}")
        if self.problems:
            raise PackageErrors(self.problems)
        db.session.flush()

    def _drop_media(self, course: Course) -> None:
        gone = [media for media in course.media if media.name not in self.package.media]
        uses = media_uses(course) if gone else {}
        for media in gone:
            if media.name in uses:
                self.report.warnings.append(
                    f"media/{media.name}: "
                    + _("Not in the package any more, but still used by what was kept back.")
                )
                continue
            course.media.remove(media)
            db.session.delete(media.file)
            self.report.removed.append(f"media/{media.name}")
        db.session.flush()

    def _take_modules(self, course: Course, settings: dict[str, dict[str, Any]]) -> None:
        modules = {module.slug: module for module in course.modules}
        activities = {a.slug: a for module in course.modules for a in module.activities}
        studied = _studied(course)
        taken: list[tuple[ActivityFile, Activity]] = []
        for position, folder in enumerate(self.package.modules, start=1):
            module = modules.pop(folder.slug, None)
            if module is None:
                module = Module(slug=folder.slug)
            self._fill_module(module, folder, position)
            if module.course is None:
                course.modules.append(module)
            db.session.flush()
            for place, file in enumerate(folder.activities, start=1):
                activity = activities.pop(file.slug, None)
                if activity is None:
                    activity = Activity(course_id=course.id, slug=file.slug)
                elif activity.kind != file.data["kind"] and activity.id in studied:
                    raise PackageError(
                        file.document.where(("kind",)),
                        _(
                            "Learners have worked on this activity as “%(kind)s”; its kind cannot"
                            " change. Give the new activity another name.",
                            kind=activity.kind,
                        ),
                    )
                self._fill_activity(activity, file, place, settings[file.slug])
                if activity.module is not module:
                    module.activities.append(activity)
                taken.append((file, activity))
        self._put_away(course, list(modules.values()), list(activities.values()), studied)
        db.session.flush()
        for file, activity in taken:
            kind = activity_types[activity.kind]
            try:
                kind.import_extra(activity, file.document.data, file.file)
            except PackageError as error:
                raise PackageErrors(
                    [(_with_line(file, where), text) for where, text in problems_of(error)]
                ) from None
            self.report.imported.append(file.file)
            self._step(file.file)

    def _fill_module(self, module: Module, folder: ModuleFolder, position: int) -> None:
        data = folder.document.data
        module.position = position
        module.title = data["title"]
        module.summary = data.get("summary", {})
        module.release_day = data.get("release_day")

    def _fill_activity(
        self,
        activity: Activity,
        file: ActivityFile,
        position: int,
        settings: dict[str, Any],
    ) -> None:
        data = file.data
        kind = activity_types[data["kind"]]
        activity.kind = data["kind"]
        activity.title = data["title"]
        activity.text = file.text
        activity.is_required = data.get("required", True)
        activity.is_published = data.get("published", True)
        activity.minutes = data.get("minutes")
        activity.due_day = data.get("due_day")
        activity.completion = data.get("completion") or next(iter(kind.completion_rules))
        activity.settings = settings
        activity.position = position
        weeks = self.data["weeks"]
        if activity.due_day is not None and activity.due_day > weeks * 7:
            self.report.warnings.append(
                file.document.where(("due_day",))
                + ": "
                + _("The course lasts %(days)d days; this is due later.", days=weeks * 7)
            )

    def _put_away(
        self,
        course: Course,
        modules: list[Module],
        activities: list[Activity],
        studied: set[int],
    ) -> None:
        """What the package no longer holds: kept back when learners worked on it, else deleted."""
        last = max(
            (m for m in course.modules if m not in modules), key=lambda m: m.position, default=None
        )
        for activity in activities:
            shown = f"{activity.module.slug}/{activity.slug}"
            if activity.id not in studied:
                activity.module.activities.remove(activity)
                self.report.removed.append(shown)
                continue
            activity.is_published = False
            if activity.module in modules and last is not None:
                activity.position = len(last.activities) + 1
                last.activities.append(activity)
            self.report.warnings.append(
                f"{shown}: "
                + _("Not in the package any more. Learners worked on it, so it is kept back.")
            )
        for module in modules:
            if not module.activities:
                course.modules.remove(module)
                self.report.removed.append(module.slug)


def _with_line(file: ActivityFile, where: str) -> str:
    """The place of a mistake with its line, when it names a key of the activity's file."""
    key = where.removeprefix(f"{file.file}, ")
    if key == where:
        return where
    parts = [part for part in re.split(r"[.\[\], ]+", key) if part]
    path = tuple(int(part) if part.isdecimal() else part for part in parts)
    return file.document.where(path) if file.document.line(path) > 1 else where


def _studied(course: Course) -> set[int]:
    """Ids of the activities on which learners have progress."""
    return set(
        db.session.scalars(
            select(Progress.activity_id)
            .join(Activity, Activity.id == Progress.activity_id)
            .where(Activity.course_id == course.id)
            .distinct()
        )
    )


def _has_extra(kind: ActivityType) -> bool:
    return type(kind).import_extra is not ActivityType.import_extra


def _unknown_kind(kind: str) -> object:
    home = _HOME_OF_KIND.get(kind)
    if home is not None:
        return _(
            "Activities of the kind “%(kind)s” need the plugin “%(plugin)s”, which is switched"
            " off. Switch it on (LMS_PLUGINS_OFF) and import again.",
            kind=kind,
            plugin=home,
        )
    return _(
        "No plugin knows activities of the kind “%(kind)s”. Install the plugin that gives it, or"
        " use one of: %(known)s.",
        kind=kind,
        known=", ".join(activity_types),
    )
