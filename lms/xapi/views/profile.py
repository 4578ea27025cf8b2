"""The xAPI profile at its own IRIs: JSON-LD for tools, a page for people."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core.errors import NotFound
from lms.core.web import public
from lms.xapi.profile.document import find, profile

profile_pages = Blueprint(
    "xapi_profile", __name__, template_folder="../templates", url_prefix="/xapi/profile"
)
_JSON_LD = "application/ld+json"


@profile_pages.after_request
def _open_to_all(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.vary.add("Accept")
    return response


def _wants_page() -> bool:
    best = request.accept_mimetypes.best_match([_JSON_LD, "application/json", "text/html"])
    return best == "text/html"


@profile_pages.get("")
@public
def show_profile() -> ResponseReturnValue:
    """The whole profile."""
    if _wants_page():
        return render_template("xapi/profile.html", profile=profile())
    return Response(orjson.dumps(profile()), content_type=_JSON_LD)


@profile_pages.get("/<path:path>")
@public
def show_part(path: str) -> ResponseReturnValue:
    """One concept, template or pattern of the profile."""
    found = find(path)
    if found is None:
        raise NotFound
    if _wants_page():
        return redirect(url_for(".show_profile", _anchor=path.replace("/", "-")), 303)
    return Response(orjson.dumps(found), content_type=_JSON_LD)
