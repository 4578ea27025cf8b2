"""Connecting programs: they register, the holder consents, sees and ends; OAuth 2.0."""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask import url_for as url
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates.badge_api import clients, connections, foreign, offers, queries
from lms.certificates.badge_api.errors import ClientUnknown
from lms.certificates.badge_api.scopes import OFFERED, STAY
from lms.certificates.badge_api.server import server
from lms.certificates.json_text import BadJson, read_object
from lms.certificates.views.limits import limit_registrations, limit_tokens
from lms.core.security import let_form_lead_to
from lms.core.settings import settings
from lms.core.web import absolute_url, by_programs, public, raw_body

bp = Blueprint("badge_connections", "lms.certificates", template_folder="templates")


def _json(content: Any, status: int = 200) -> Response:
    response = Response(orjson.dumps(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


@bp.post("/connect/register")
@limit_registrations
@by_programs
@raw_body
def register() -> ResponseReturnValue:
    """A program registers (RFC 7591); no token is asked for it."""
    try:
        asked = read_object(request.stream.read(20_000), 19_999)
        client, secret = clients.register(asked)
    except BadJson:
        said = {"error": "invalid_client_metadata", "error_description": "not an object of JSON"}
        return _json(said, 400)
    except clients.RegistrationRefused as refusal:
        return _json({"error": refusal.error, "error_description": refusal.text}, 400)
    return _json(
        {
            "client_id": client.client_id,
            "client_secret": secret,
            "client_id_issued_at": int(client.created_at.timestamp()),
            "client_secret_expires_at": 0,
            **client.registration,
        },
        201,
    )


@bp.route("/connect/authorize", methods=["GET", "POST"])
def authorize() -> ResponseReturnValue:
    """Ask the holder whether a program may act for them, and lead back to it with the answer."""
    require("certificates.mine")
    user = signed_in()
    try:
        grant = server.get_consent_grant(end_user=user)
    except OAuth2Error as error:
        if not error.redirect_uri:
            raise ClientUnknown from None
        return _away(server.handle_error_response(None, error))
    client = grant.request.client
    if request.method == "POST":
        agreed = request.form.get("decision") == "allow"
        return _away(
            server.create_authorization_response(grant_user=user if agreed else None, grant=grant)
        )
    scopes = [OFFERED[name] for name in grant.request.scope.split() if name != STAY]
    page = render_template(
        "certificates/consent.html",
        client=client,
        scopes=scopes,
        stays=client.check_grant_type("refresh_token"),
        address=request.full_path,
    )
    response = make_response(page)
    response.headers["Referrer-Policy"] = "no-referrer"
    return let_form_lead_to(response, f"https://{client.host}:*")


def _away(response: Response) -> Response:
    """Lead to the program; nothing of it is kept on the way."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    if response.status_code == 302:
        response.status_code = 303
    return response


@bp.post("/connect/token")
@limit_tokens
@by_programs
def token() -> ResponseReturnValue:
    """Change an authorization code or a refresh token into an access token."""
    found: Response = server.create_token_response()
    return found


@bp.post("/connect/revoke")
@limit_tokens
@by_programs
def revoke() -> ResponseReturnValue:
    """Take a token back (RFC 7009)."""
    found: Response = server.create_endpoint_response("revocation")
    return found


@bp.get("/.well-known/oauth-authorization-server")
@public
def metadata() -> ResponseReturnValue:
    """Where programs find what (RFC 8414)."""
    response = _json(
        {
            "issuer": settings().base_url,
            "authorization_endpoint": absolute_url("badge_connections.authorize"),
            "token_endpoint": absolute_url("badge_connections.token"),
            "revocation_endpoint": absolute_url("badge_connections.revoke"),
            "registration_endpoint": absolute_url("badge_connections.register"),
            "scopes_supported": list(OFFERED),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", offers.GRANT],
            "pre-authorized_grant_anonymous_access_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/my/connected-apps")
def connected_apps() -> ResponseReturnValue:
    """The programs that act for the holder, what each may do, and when it did last."""
    require("certificates.mine")
    found = queries.list_connections(signed_in())
    return render_template("certificates/connected_apps.html", connections=found, offered=OFFERED)


@bp.post("/my/connected-apps/<uuid:identifier>/end")
def end(identifier: uuid.UUID) -> ResponseReturnValue:
    """End a connection."""
    require("certificates.mine")
    connection = queries.get_connection(identifier, signed_in())
    connections.end(connection)
    flash(_("%(host)s has no access any more.", host=connection.client.host), "success")
    return redirect(url(".connected_apps"), 303)


@bp.get("/my/certificates/elsewhere/<uuid:identifier>")
def foreign_file(identifier: uuid.UUID) -> ResponseReturnValue:
    """A credential from elsewhere, as it came."""
    require("certificates.mine")
    kept = queries.get_foreign(identifier, signed_in())
    kind = "text/plain; charset=utf-8" if kept.is_token else "application/vc+ld+json"
    response = Response(kept.content, content_type=kind)
    ending = "jwt" if kept.is_token else "json"
    response.headers["Content-Disposition"] = f'attachment; filename="{kept.uuid}.{ending}"'
    return response


@bp.post("/my/certificates/elsewhere/<uuid:identifier>/remove")
def remove_foreign(identifier: uuid.UUID) -> ResponseReturnValue:
    """Keep a credential from elsewhere no longer."""
    require("certificates.mine")
    foreign.remove(queries.get_foreign(identifier, signed_in()))
    flash(_("It is no longer kept here."), "success")
    return redirect(url("certificates.my_certificates"), 303)
