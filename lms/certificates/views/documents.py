"""What programs fetch: credentials, status lists, the issuer's identity."""

from __future__ import annotations

import uuid

from flask import Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts.permissions import require
from lms.certificates import queries
from lms.certificates.badge_image import draw_png
from lms.certificates.codes import read_code
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.errors import NotYetDrawn
from lms.certificates.services import keys
from lms.certificates.views import bp
from lms.certificates.views.limits import limit_guesses
from lms.core.errors import NotFound
from lms.core.files import send_stored
from lms.core.web import open_to_all, public


@bp.get("/verify/<code>.json")
@public
@limit_guesses
def public_document(code: str) -> ResponseReturnValue:
    """The signed credential; without the name when the holder hides it. Its status list says
    whether it was revoked."""
    credential = queries.find_by_code(read_code(code))
    if credential is None:
        return _no_such()
    return open_to_all(credential.shown_document, "application/vc+ld+json")


@bp.get("/verify/<code>.<ending>")
@public
@limit_guesses
def public_file(code: str, ending: str) -> ResponseReturnValue:
    """The certificate in one of the other formats: .jwt, .png, .svg, .pdf.

    The answer is the same whether there is no such certificate or none for strangers.
    """
    kinds = {kind.file_ending: kind for kind in credential_formats.values()}
    if ending not in kinds:
        raise NotFound
    credential = queries.find_by_code(read_code(code))
    content = kinds[ending].make_public(credential) if credential is not None else None
    if credential is None or content is None:
        return _no_such()
    response = open_to_all(content, kinds[ending].media_type)
    name = f"{credential.code}.{ending}"
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _no_such() -> ResponseReturnValue:
    response = jsonify(error={"status": 404, "message": "There is no such certificate."})
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response, 404


@bp.get("/status/revocation/<int:number>")
@public
def status_list(number: int) -> ResponseReturnValue:
    """A signed status list, kept by caches for a minute."""
    found = queries.get_status_list(number)
    return open_to_all(found.document, "application/vc+ld+json", max_age=60)


@bp.get("/.well-known/did.json")
@public
def did_document() -> ResponseReturnValue:
    """The issuer's identity and keys (did:web)."""
    body = jsonify(keys.did_document()).get_data()
    return open_to_all(body, "application/did+json", max_age=300)


@bp.get("/.well-known/jwks.json")
@public
def key_set() -> ResponseReturnValue:
    """The keys that sign tokens, for JOSE libraries (RFC 7517)."""
    body = jsonify(keys.key_set()).get_data()
    return open_to_all(body, "application/jwk-set+json", max_age=300)


@bp.get("/.well-known/seal.pem")
@public
def seal_certificates() -> ResponseReturnValue:
    """The certificates of the seals on PDF, to trust them in a reader of PDF."""
    return open_to_all(keys.certificates(), "application/x-pem-file", max_age=300)


@bp.get("/achievements/<uuid:identifier>/badge.png")
@public
def badge(identifier: uuid.UUID) -> ResponseReturnValue:
    """The picture of an achievement, for wallets; the same for ever."""
    if not queries.is_certified(identifier):
        raise NotFound
    return open_to_all(draw_png(identifier), "image/png", max_age=86_400)


@bp.get("/achievements/<uuid:identifier>")
@public
def achievement(identifier: uuid.UUID) -> ResponseReturnValue:
    """Where the address of an achievement in a credential leads: the page of the course."""
    course = queries.get_published_course(identifier)
    return redirect(url_for("courses.course_page", slug=course.slug))


@bp.get("/certificates/<code>/certificate.pdf")
def pdf(code: str) -> ResponseReturnValue:
    """The PDF, for the holder, the course's staff and administrators."""
    credential = queries.get_by_code(code)
    require("certificates.see", credential)
    if credential.pdf_file is None:
        raise NotYetDrawn
    return send_stored(credential.pdf_file, download="download" in request.args)


@bp.get("/certificates/<code>/documents/<name>")
def document(code: str, name: str) -> ResponseReturnValue:
    """The certificate in one of the other formats, for the same people."""
    credential = queries.get_by_code(code)
    require("certificates.see", credential)
    kind = credential_formats.get(name)
    if kind is None or name == "pdf":
        raise NotFound
    response = Response(kind.make(credential), content_type=kind.media_type)
    file_name = f"{credential.code}.{kind.file_ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
