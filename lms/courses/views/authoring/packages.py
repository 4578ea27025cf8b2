"""Courses as packages: bring one in, send one out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Response, flash, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.models import User
from lms.accounts.permissions import can, require, signed_in
from lms.core import audit
from lms.core.choices import choices
from lms.core.db import db
from lms.core.text import in_language
from lms.courses.errors import PackageError
from lms.courses.forms.authoring import PackageForm, add_error
from lms.courses.models import Course
from lms.courses.packages.base import ImportReport, exporters
from lms.courses.packages.checks import problems_of
from lms.courses.packages.transport import export_package, exporter_named, import_package
from lms.courses.queries import teaching
from lms.courses.services.authoring import leave_out_partners
from lms.courses.services.staff import add_staff
from lms.courses.views import bp
from lms.courses.views.authoring.common import course_only
from lms.directory.models import Organisation
from lms.directory.queries import is_manager


class _NotYours(Exception):
    """The package belongs to a course or an organisation of other people."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@bp.route("/teach/import", methods=["GET", "POST"])
def teach_import() -> ResponseReturnValue:
    """Create or renew a course from a package; shows what was done."""
    require("courses.create")
    user = signed_in()
    mine = teaching.organisations_for(user)
    form = PackageForm()
    form.owner.choices = choices(
        [("", _("The one that the package names")),
         *((str(row.id), in_language(row.name)) for row in mine)]
    )  # fmt: skip
    if not form.validate_on_submit():
        return _import_page(form), 422 if form.errors else 200
    owner_id = int(form.owner.data) if form.owner.data else None
    try:
        with db.session.begin_nested(), tempfile.TemporaryDirectory() as name:
            upload = Path(name) / "package.zip"
            form.package.data.save(upload)
            report = import_package(upload, owner_id)
            _check_rights(report, mine)
            _leave_out_partners(report, user)
            if report.is_new:
                add_staff(report.course, user, report.course.owner, user.id)
            audit.record("courses.import", report.course, user.id, is_new=report.is_new)
    except PackageError as error:
        add_error(form.package, _("Nothing was imported. What is wrong is listed below."))
        return _import_page(form, problems_of(error)), 422
    except _NotYours as error:
        add_error(form.package, error.message)
        return _import_page(form), 403
    flash(_("The package is imported."), "success")
    return render_template("courses/authoring/imported.html", report=report)


def _check_rights(report: ImportReport, mine: list[Organisation]) -> None:
    if not report.is_new and not can("courses.edit", report.course):
        raise _NotYours(
            _("There is a course with this name already, and you do not teach it: %(slug)s",
              slug=report.course.slug)
        )  # fmt: skip
    if report.is_new and report.course.owner not in mine:
        raise _NotYours(
            _(
                "You do not act for %(name)s. Choose the organisation that shall own the course.",
                name=in_language(report.course.owner.name),
            )
        )


def _leave_out_partners(report: ImportReport, user: User) -> None:
    """Undo new partners that the person may not name, and say so."""
    if user.is_administrator:
        return
    foreign = [partner for partner in report.new_partners if not is_manager(user, partner)]
    leave_out_partners(report.course, foreign)
    report.skipped += [
        _(
            "%(name)s did not become a partner: its own managers or an administrator can add it.",
            name=in_language(partner.name),
        )
        for partner in foreign
    ]


def _import_page(form: PackageForm, problems: list[tuple[str, str]] | None = None) -> str:
    return render_template("courses/authoring/import.html", form=form, problems=problems or [])


@bp.get("/teach/courses/<slug>/export")
def teach_export(slug: str) -> ResponseReturnValue:
    """The course as a .zip in one of the formats."""
    course = course_only(slug)
    exporter = exporter_named(request.args.get("format", next(iter(exporters))))
    return _zip_of(course, exporter)


def _zip_of(course: Course, exporter: Any) -> Response:
    folder = tempfile.TemporaryDirectory(prefix="puente-export-")
    target = Path(folder.name) / f"{course.slug}.zip"
    export_package(course, target, exporter)
    response = send_file(
        target, mimetype="application/zip", as_attachment=True, download_name=target.name
    )
    response.call_on_close(folder.cleanup)
    return response
