"""Pictures and files of a course, for its authors."""

from __future__ import annotations

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import signed_in
from lms.core.files import UploadRefused
from lms.courses.forms.authoring import MediaForm, add_error
from lms.courses.models import Course
from lms.courses.queries.teaching import get_media_of
from lms.courses.services import media as services
from lms.courses.views import bp
from lms.courses.views.authoring.common import course_only, page


@bp.route("/teach/courses/<slug>/media", methods=["GET", "POST"])
def teach_media(slug: str) -> ResponseReturnValue:
    """The pictures and files of the course; add one."""
    course = course_only(slug)
    form = MediaForm()
    if not form.validate_on_submit():
        return _media_page(course, form), 422 if form.errors else 200
    upload = form.file.data
    try:
        media = services.add_media(course, upload.read(), upload.filename, signed_in().id)
    except UploadRefused as refused:
        add_error(form.file, str(refused.text))
        return _media_page(course, form), refused.status
    flash(_("%(name)s is here. Texts call it media/%(name)s.", name=media.name), "success")
    return redirect(url_for(".teach_media", slug=course.slug), 303)


def _media_page(course: Course, form: MediaForm) -> str:
    return page("media", course, "media", form=form, uses=services.media_uses(course))


@bp.post("/teach/courses/<slug>/upload")
def teach_upload(slug: str) -> ResponseReturnValue:
    """A picture from the editor: answers with what the text shall call it."""
    course = course_only(slug)
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return jsonify(error=_("Choose a file.")), 422
    try:
        media = services.add_media(course, upload.read(), upload.filename, signed_in().id)
    except UploadRefused as refused:
        return jsonify(error=str(refused.text)), refused.status
    return jsonify(url=f"media/{media.name}")


@bp.route("/teach/courses/<slug>/media/<int:media_id>/replace", methods=["GET", "POST"])
def teach_replace_media(slug: str, media_id: int) -> ResponseReturnValue:
    """Put another file in the place of one; texts go on calling it the same."""
    course = course_only(slug)
    media = get_media_of(course, media_id)
    form = MediaForm()
    if form.validate_on_submit():
        try:
            services.replace_media(media, form.file.data.read(), signed_in().id)
        except UploadRefused as refused:
            add_error(form.file, str(refused.text))
        else:
            flash(_("%(name)s is replaced.", name=media.name), "success")
            return redirect(url_for(".teach_media", slug=course.slug), 303)
    status = 422 if form.errors else 200
    return page("replace_media", course, "media", form=form, media=media), status


@bp.post("/teach/courses/<slug>/media/<int:media_id>/remove")
def teach_remove_media(slug: str, media_id: int) -> ResponseReturnValue:
    """Remove a file that no text refers to."""
    course = course_only(slug)
    media = get_media_of(course, media_id)
    name = media.name
    try:
        services.remove_media(media)
    except services.MediaInUse as refused:
        flash(str(refused.text), "error")
    else:
        flash(_("%(name)s is removed.", name=name), "success")
    return redirect(url_for(".teach_media", slug=course.slug), 303)
