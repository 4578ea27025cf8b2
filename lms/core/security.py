"""Security headers, and sign-in needed everywhere but on open pages."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request, session
from flask_login import current_user

from lms.config import Settings
from lms.core.errors import SignInNeeded


def init_security(app: Flask, settings: Settings) -> None:
    """Deny by default, and tell browsers what Puente's pages may do."""
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "media-src 'self'",
            "frame-src https://www.youtube-nocookie.com https://player.vimeo.com",
            "manifest-src 'self'",
            "form-action 'self' https://checkout.stripe.com" + _payment_double(settings),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )

    app.extensions["content-security-policy"] = policy

    @app.before_request
    def _sign_in_first() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if view is None or request.endpoint == "static" or getattr(view, "is_public", False):
            g.permission_asked = True
            return
        if not current_user.is_authenticated:
            raise SignInNeeded

    @app.after_request
    def _headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        headers.setdefault("X-Frame-Options", "DENY")
        if settings.cookies_are_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if "_user_id" in session:  # the user itself was expired by the commit
            headers.setdefault("Cache-Control", "private, no-store")
        view = current_app.view_functions.get(request.endpoint or "")
        is_open = request.endpoint == "static" or getattr(view, "is_public", False)
        if view and not is_open and "private" not in headers.get("Cache-Control", ""):
            headers["Cache-Control"] = "private, no-store"  # a file is "public" to Flask, for long
        if current_app.testing and response.status_code < 300 and not g.get("permission_asked"):
            raise AssertionError(f"{request.endpoint} answered without asking for a permission")
        return response


def let_form_lead_to(response: Response, origin: str) -> Response:
    """Let the forms of a page lead on to another site ("https://host"); browsers stop it else."""
    policy: str = current_app.extensions["content-security-policy"]
    wider = policy.replace("form-action 'self'", f"form-action 'self' {origin}")
    response.headers["Content-Security-Policy"] = wider
    return response


def _payment_double(settings: Settings) -> str:
    return f" {settings.stripe_api_base}" if settings.stripe_api_base else ""
