"""Organisations design their certificates; courses choose among the designs."""

from __future__ import annotations

import base64
import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates.credential_formats.preview import Preview, preview
from lms.certificates.layout_data import FIELDS, TEXTS, Layout, LayoutRefused, read_layout
from lms.certificates.layout_forms import (
    AlignmentForm,
    ChooseLayoutForm,
    LayoutForm,
    NewLayoutForm,
    form_values,
    layout_values,
)
from lms.certificates.layout_models import CertificateLayout
from lms.certificates.queries_layouts import alignments_of, get_alignment, get_layout
from lms.certificates.services import layouts
from lms.certificates.views import bp
from lms.config import LANGUAGES
from lms.core.choices import choices
from lms.core.files import UploadRefused
from lms.core.limits import limiter
from lms.core.web import read_only_post
from lms.courses.models import Course
from lms.courses.queries.courses import get_course
from lms.directory.queries import get_organisation

_PICTURES = ("logo", "partner_logo", "hand")


def _layout(key: uuid.UUID, *, deleted: bool = False) -> CertificateLayout:
    layout = get_layout(key, deleted=deleted)
    require("certificates.design", layout.organisation)
    return layout


@bp.route("/organisations/<slug>/certificate-layouts", methods=["GET", "POST"])
def organisation_layouts(slug: str) -> ResponseReturnValue:
    """The layouts of an organisation, and a new one."""
    organisation = get_organisation(slug)
    require("certificates.design", organisation)
    form = NewLayoutForm()
    if form.validate_on_submit():
        made = layouts.make_layout(organisation, (form.name.data or "").strip(), signed_in())
        return redirect(url_for(".edit_layout", key=made.uuid), 303)
    page = render_template(
        "certificates/layouts/list.html",
        organisation=organisation,
        layouts=layouts.layouts_of([organisation.id]),
        form=form,
    )
    return page, 422 if form.errors else 200


def _kept_pictures(layout: CertificateLayout) -> dict[str, int | None]:
    content = layouts.newest_version(layout).content
    hand = content.signatories[0].picture if content.signatories else None
    return {"logo": content.logo, "partner_logo": content.partner_logo, "hand": hand}


def _take_pictures(layout: CertificateLayout, form: LayoutForm) -> dict[str, int | None]:
    """The pictures after what was uploaded and taken away. Raises LayoutRefused."""
    pictures = _kept_pictures(layout)
    for name in _PICTURES:
        upload = form[name].data
        if upload:
            try:
                stored = layouts.keep_picture(layout, upload.read(), upload.filename or name)
            except UploadRefused as refusal:
                raise LayoutRefused(name, refusal.text) from refusal
            pictures[name] = stored.id
        elif form[f"remove_{name}"].data:
            pictures[name] = None
    return pictures


def _show_refusal(form: LayoutForm, refusal: LayoutRefused) -> None:
    """Tie what is wrong to the field where it was typed."""
    parts = refusal.where.split(".")
    name = {"texts": "text_" + "_".join(parts[:0:-1]), "fields": "place_dates"}.get(
        parts[0], parts[0]
    )
    field = getattr(form, name, form.name)
    field.errors = [*field.errors, str(refusal.text)]


@bp.route("/certificate-layouts/<uuid:key>", methods=["GET", "POST"])
def edit_layout(key: uuid.UUID) -> ResponseReturnValue:
    """Change a layout; each change is a new version."""
    layout = _layout(key)
    version = layouts.newest_version(layout)
    is_typed = request.method == "POST"
    kept = form_values(layout.name, version.content.to_json())
    form = LayoutForm() if is_typed else LayoutForm(data=kept)
    status, drawn = 200, None
    if is_typed:
        status = 422
        if form.validate():
            try:
                if request.form.get("do") == "preview":
                    drawn, status = _drawn(layout, form), 200
                else:
                    content = read_layout(layout_values(form, _take_pictures(layout, form)))
                    name = (form.name.data or "").strip()
                    layouts.keep_layout(layout, name, content, signed_in())
                    flash(
                        _("The layout is saved. Certificates issued from now on use it."), "success"
                    )
                    return redirect(url_for(".edit_layout", key=key), 303)
            except LayoutRefused as refusal:
                _show_refusal(form, refusal)
    if drawn is None and status == 200:
        drawn = preview(version.content, *_languages(form))
    page = render_template(
        "certificates/layouts/edit.html",
        layout=layout,
        version=version,
        form=form,
        fields=FIELDS,
        texts=TEXTS,
        languages=LANGUAGES,
        pictures=_kept_pictures(layout),
        preview=_for_page(drawn) if drawn else None,
    )
    return page, status


def _languages(form: LayoutForm) -> tuple[str, str | None]:
    language = form.language.data if form.language.data in LANGUAGES else "en"
    return language, form.second.data or None


def _drawn(layout: CertificateLayout, form: LayoutForm) -> Preview:
    """What was typed, drawn; pictures as they are kept. Raises LayoutRefused."""
    content = read_layout(layout_values(form, _kept_pictures(layout)))
    return preview(content, *_languages(form))


def _for_page(drawn: Preview) -> dict[str, object]:
    png = base64.b64encode(drawn.png).decode() if drawn.png else None
    return {"picture": f"data:image/png;base64,{png}" if png else None, "warnings": drawn.warnings}


@bp.post("/certificate-layouts/<uuid:key>/preview")
@read_only_post
@limiter.limit("60 per minute")
def preview_layout(key: uuid.UUID) -> ResponseReturnValue:
    """What is being typed, drawn: asked for while one types."""
    layout = _layout(key)
    form = LayoutForm()
    try:
        if not form.validate():
            wrong = [str(text) for errors in form.errors.values() for text in errors if errors]
            return render_template(
                "certificates/layouts/_preview.html",
                preview={"picture": None, "warnings": wrong[:3]},
            )
        drawn = _for_page(_drawn(layout, form))
    except LayoutRefused as refusal:
        drawn = {"picture": None, "warnings": [str(refusal.text)]}
    return render_template("certificates/layouts/_preview.html", preview=drawn)


@bp.get("/certificate-layouts/<uuid:key>/versions")
def layout_versions(key: uuid.UUID) -> ResponseReturnValue:
    """All versions of a layout."""
    layout = _layout(key)
    return render_template(
        "certificates/layouts/versions.html", layout=layout, versions=layouts.versions_of(layout)
    )


@bp.post("/certificate-layouts/<uuid:key>/versions/<int:number>/return")
def return_to_version(key: uuid.UUID, number: int) -> ResponseReturnValue:
    """Let an older version be the newest again."""
    layouts.return_to(_layout(key), number, signed_in())
    flash(_("Version %(number)s is in use again, as the newest version.", number=number), "success")
    return redirect(url_for(".edit_layout", key=key), 303)


@bp.post("/certificate-layouts/<uuid:key>/copy")
def copy_layout(key: uuid.UUID) -> ResponseReturnValue:
    """Another layout that begins as this one."""
    layout = _layout(key)
    name = _("%(name)s (copy)", name=layout.name)[:80]
    made = layouts.copy_layout(layout, name, signed_in())
    return redirect(url_for(".edit_layout", key=made.uuid), 303)


@bp.post("/certificate-layouts/<uuid:key>/default")
def default_layout(key: uuid.UUID) -> ResponseReturnValue:
    """Use it for all courses of the organisation that choose none, or no longer."""
    layout = _layout(key)
    layouts.set_default(layout, not layout.is_default, signed_in())
    return redirect(url_for(".organisation_layouts", slug=layout.organisation.slug), 303)


@bp.post("/certificate-layouts/<uuid:key>/delete")
def delete_layout(key: uuid.UUID) -> ResponseReturnValue:
    """Take it out of the list; the next page offers to bring it back."""
    layout = _layout(key)
    layouts.delete_layout(layout, signed_in())
    slug = layout.organisation.slug
    return redirect(url_for(".organisation_layouts", slug=slug, deleted=key), 303)


@bp.post("/certificate-layouts/<uuid:key>/bring-back")
def bring_back_layout(key: uuid.UUID) -> ResponseReturnValue:
    """Undo the deletion."""
    layout = _layout(key, deleted=True)
    layouts.bring_back(layout, signed_in())
    flash(_("The layout is back."), "success")
    return redirect(url_for(".organisation_layouts", slug=layout.organisation.slug), 303)


def _choices(course: Course) -> list[tuple[str, str]]:
    organisations = [course.owner_id, *(partner.id for partner in course.partners)]
    found = layouts.layouts_of(organisations)
    default = next(
        (one.name for one in found if one.is_default and one.organisation_id == course.owner_id),
        _("Puente’s own layout"),
    )
    return [
        ("organisation", _("As the organisation says: %(name)s", name=default)),
        ("own", _("Puente’s own layout")),
        *((str(one.uuid), one.name) for one in found),
    ]


@bp.route("/teach/courses/<slug>/certificate", methods=["GET", "POST"])
def course_layout(slug: str) -> ResponseReturnValue:
    """Choose the layout of a course, with what its certificates will look like."""
    course = get_course(slug)
    require("courses.edit", course)
    form = ChooseLayoutForm(data={"layout": layouts.chosen_by(course)})
    form.layout.choices = choices(_choices(course))
    if form.validate_on_submit():
        choice = form.layout.data
        chosen = choice if choice in ("organisation", "own") else get_layout(uuid.UUID(choice))
        layouts.choose_layout(course, chosen, signed_in())
        flash(_("Certificates of this course are set in this layout from now on."), "success")
        return redirect(url_for(".course_layout", slug=slug), 303)
    version = layouts.version_for(course)
    content = version.content if version else Layout()
    language = course.languages[0]
    page = render_template(
        "certificates/layouts/course.html",
        course=course,
        form=form,
        preview=_for_page(preview(content, language, None, course)),
    )
    return page, 422 if form.errors else 200


@bp.route("/teach/courses/<slug>/alignments", methods=["GET", "POST"])
def course_alignments(slug: str) -> ResponseReturnValue:
    """What the outcomes of a course answer to in frameworks elsewhere."""
    course = get_course(slug)
    require("courses.edit", course)
    form = AlignmentForm()
    form.offer(course)
    if form.validate_on_submit():
        names = ("outcome", "framework", "code", "name", "url")
        values = {name: form[name].data or "" for name in names}
        layouts.align(course, values, signed_in())
        flash(_("Certificates issued from now on name this entry."), "success")
        return redirect(url_for(".course_alignments", slug=slug), 303)
    page = render_template(
        "certificates/layouts/alignments.html",
        course=course,
        form=form,
        alignments=alignments_of(course.id),
    )
    return page, 422 if form.errors else 200


@bp.post("/teach/courses/<slug>/alignments/<int:alignment_id>/remove")
def remove_alignment(slug: str, alignment_id: int) -> ResponseReturnValue:
    """Take an alignment away."""
    course = get_course(slug)
    require("courses.edit", course)
    layouts.end_alignment(get_alignment(course.id, alignment_id), signed_in())
    flash(_("The entry is taken away. Certificates that name it go on naming it."), "success")
    return redirect(url_for(".course_alignments", slug=slug), 303)
