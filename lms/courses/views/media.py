"""Pictures and files of a course."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from lms.accounts.permissions import require
from lms.core.files import send_stored
from lms.core.web import public
from lms.courses.permissions import is_public_media
from lms.courses.queries import courses
from lms.courses.views import bp


@bp.get("/courses/<slug>/media/<path:name>")
@public
def media(slug: str, name: str) -> ResponseReturnValue:
    """A file that a course's texts call media/<name>."""
    found = courses.get_media(slug, name)
    require("courses.media", found)
    response = send_stored(found.file)
    if is_public_media(found):
        response.headers["Cache-Control"] = "public, max-age=3600"
    return response
