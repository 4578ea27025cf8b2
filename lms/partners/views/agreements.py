"""Agreements: written by administrators, read and accepted by partners."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.accounts.permissions import can, require, signed_in
from lms.core.db import db
from lms.core.pagination import paginate
from lms.core.text import in_language
from lms.core.web import page_number
from lms.courses.models import Course, CourseRun
from lms.directory.queries import list_organisations
from lms.partners import queries
from lms.partners.errors import WrongTerms
from lms.partners.forms import VersionForm
from lms.partners.models import Agreement
from lms.partners.services import agreements
from lms.partners.views import bp

AT_MOST = 500


def _offer(form: VersionForm, agreement: Agreement | None = None) -> None:
    if agreement is not None:
        subjects = [(_subject_key(agreement), "")]
    else:
        runs = db.session.scalars(
            select(CourseRun)
            .options(joinedload(CourseRun.course))
            .order_by(CourseRun.id.desc())
            .limit(AT_MOST)
        ).all()
        courses = {run.course_id: run.course for run in runs}
        subjects = [(f"course:{key}", in_language(one.title)) for key, one in courses.items()]
        subjects += [
            (f"run:{run.id}", f"{in_language(run.course.title)}, {run.slug}") for run in runs
        ]
    organisations = db.session.scalars(list_organisations().limit(AT_MOST)).all()
    form.offer(subjects, [(str(one.id), in_language(one.name)) for one in organisations])
    if agreement is not None:
        form.subject.data = _subject_key(agreement)


def _subject_key(agreement: Agreement) -> str:
    return f"run:{agreement.run_id}" if agreement.run_id else f"course:{agreement.course_id}"


def _page(form: VersionForm, agreement: Agreement | None, status: int = 200) -> ResponseReturnValue:
    page = render_template("partners/admin/write.html", form=form, agreement=agreement)
    return page, status


@bp.get("/admin/partners")
def admin_agreements() -> ResponseReturnValue:
    """All agreements."""
    require("partners.administer")
    page = paginate(queries.list_agreements(), page_number(), 25)
    return render_template("partners/admin/agreements.html", page=page)


@bp.route("/admin/partners/new", methods=["GET", "POST"])
def write_agreement() -> ResponseReturnValue:
    """Write the first version of an agreement."""
    require("partners.administer")
    form = VersionForm()
    _offer(form)
    if not form.validate_on_submit():
        return _page(form, None, 422 if form.errors else 200)
    assert form.starts_on.data is not None  # validated
    word, _colon, key = str(form.subject.data).partition(":")
    run = db.session.get_one(CourseRun, int(key)) if word == "run" else None
    course = run.course if run else db.session.get_one(Course, int(key))
    try:
        version = agreements.write_agreement(
            course, run, form.terms(), form.starts_on.data, signed_in(), form.note.data or ""
        )
    except WrongTerms as refusal:
        form["partner_1"].errors = [str(refusal.text)]
        return _page(form, None, 422)
    flash(_("The partners are asked to accept."), "success")
    return redirect(url_for(".agreement", agreement_uuid=version.agreement.uuid), 303)


@bp.route("/admin/partners/agreements/<uuid:agreement_uuid>/new", methods=["GET", "POST"])
def write_version(agreement_uuid: uuid.UUID) -> ResponseReturnValue:
    """Write a new version of an agreement."""
    require("partners.administer")
    found = queries.get_agreement(agreement_uuid)
    form = VersionForm()
    _offer(form, found)
    if not form.validate_on_submit():
        if request.method == "GET":
            form.fill(found.versions[-1])
        return _page(form, found, 422 if form.errors else 200)
    assert form.starts_on.data is not None  # validated
    try:
        agreements.write_version(
            found, form.terms(), form.starts_on.data, signed_in(), form.note.data or ""
        )
    except WrongTerms as refusal:
        form["partner_1"].errors = [str(refusal.text)]
        return _page(form, found, 422)
    flash(_("The partners are asked to accept."), "success")
    return redirect(url_for(".agreement", agreement_uuid=agreement_uuid), 303)


@bp.get("/partners/agreements/<uuid:agreement_uuid>")
def agreement(agreement_uuid: uuid.UUID) -> ResponseReturnValue:
    """All versions, who accepted them, and the newest tried on past sales."""
    found = queries.get_agreement(agreement_uuid)
    require("partners.see_agreement", found)
    newest = found.versions[-1]
    own = set(db.session.scalars(queries.managed_by(signed_in())))
    return render_template(
        "partners/agreement.html",
        agreement=found,
        newest=newest,
        tried=agreements.try_on_past_sales(found, queries.terms_of(newest)),
        can_sign=can("partners.sign", found)
        and any(
            party.signed_at is None and party.organisation_id in own for party in newest.parties
        ),
    )


@bp.post("/partners/agreements/<uuid:agreement_uuid>/<int:number>/accept")
def sign(agreement_uuid: uuid.UUID, number: int) -> ResponseReturnValue:
    """Accept a version for one's own institution."""
    found = queries.get_agreement(agreement_uuid)
    require("partners.sign", found)
    agreements.sign(queries.get_version(found, number), signed_in())
    flash(_("You have accepted the agreement."), "success")
    return redirect(url_for(".agreement", agreement_uuid=agreement_uuid), 303)


@bp.get("/partners")
def mine() -> ResponseReturnValue:
    """Agreements of the institutions that the person manages."""
    require("partners.see_own")
    page = paginate(queries.list_agreements(signed_in()), page_number(), 25)
    statements = paginate(queries.list_statements(signed_in()), 1, 24)
    return render_template("partners/mine.html", page=page, statements=statements)
