"""Statements from a file that an administrator uploads."""

from __future__ import annotations

from io import TextIOWrapper
from typing import IO

from flask import render_template
from flask.typing import ResponseReturnValue

from lms.accounts.permissions import require, signed_in
from lms.core import audit
from lms.core.db import transaction
from lms.core.web import own_transaction
from lms.xapi.forms import ImportForm
from lms.xapi.services.importing import ImportRefused, ImportReport, import_statements
from lms.xapi.services.importing_archives import import_archive, is_archive
from lms.xapi.views.shared import admin


def _page(form: ImportForm, status: int = 200, **values: object) -> ResponseReturnValue:
    page = {"form": form, "report": None, "problems": ()}
    return render_template("xapi/import.html", **(page | values)), status


@admin.get("/import")
def import_form() -> ResponseReturnValue:
    """The form for a file."""
    require("xapi.administer")
    return _page(ImportForm())


@admin.post("/import")
@own_transaction
def import_file() -> ResponseReturnValue:
    """Store all statements of a file, or none and say why."""
    form = ImportForm()
    with transaction(write=False):
        require("xapi.administer")
        user = signed_in()
        if not form.validate_on_submit():
            return _page(form, 422)
    try:
        with transaction():
            report = _import(form.file.data.stream)
            audit.record(
                "xapi.import_statements",
                user,
                user.id,
                read=report.read,
                stored=report.stored,
                known=report.known,
                attachments=report.attachments,
            )
    except ImportRefused as refusal:
        return _page(form, 422, problems=refusal.report.problems)
    return _page(ImportForm(formdata=None), report=report)


def _import(stream: IO[bytes]) -> ImportReport:
    if is_archive(stream):
        return import_archive(stream)
    text = TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        return import_statements(text)
    finally:
        text.detach()
