"""Verification without a network: a page that the browser keeps, with a signed snapshot."""

from __future__ import annotations

import time
from threading import Lock

from flask import Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.certificates.services import keys, offline
from lms.certificates.views import bp
from lms.core.assets import BUILD, asset_url
from lms.core.settings import settings
from lms.core.web import public

_KEPT_FOR = 60  # seconds: a revocation shows in the next snapshot within a minute
_lock = Lock()
_kept: dict[str, tuple[float, str]] = {}


@bp.get("/verify/offline/")
@public
def verify_offline() -> ResponseReturnValue:
    """The page; nothing on it is of the visitor, since the browser keeps it."""
    response = Response(render_template("certificates/offline.html"))
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    return response


@bp.get("/verify/offline/manifest.webmanifest")
@public
def offline_manifest() -> ResponseReturnValue:
    """What makes the page installable (W3C Web Application Manifest)."""
    response = jsonify(
        id=url_for(".verify_offline"),
        name=_("Verify certificates of %(site)s", site=settings().site_name),
        short_name=_("Verify"),
        start_url=url_for(".verify_offline"),
        scope=url_for(".verify_offline"),
        display="standalone",
        background_color="#ffffff",
        theme_color="#0e5a6b",
        icons=[{"src": asset_url("mark.svg"), "sizes": "any", "type": "image/svg+xml"}],
    )
    response.content_type = "application/manifest+json"
    return response


@bp.get("/verify/offline/worker.js")
@public
def offline_worker() -> ResponseReturnValue:
    """The service worker; it lies here, since it may only serve what lies below it."""
    path = BUILD / asset_url("offline-worker.js").rpartition("/")[2]
    response = Response(path.read_bytes(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/verify/offline/files.json")
@public
def offline_files() -> ResponseReturnValue:
    """What the browser has to keep."""
    pages = ("verify_offline", "offline_manifest", "offline_snapshot", "offline_keys")
    assets = ("app.css", "offline.js", "mark.svg")
    return jsonify(
        [*(url_for(f".{page}") for page in pages), *(asset_url(name) for name in assets)]
    )


@bp.get("/verify/offline/keys.json")
@public
def offline_keys() -> ResponseReturnValue:
    """The keys that prove a snapshot: those of /.well-known/jwks.json."""
    return jsonify(keys.key_set())


@bp.get("/verify/offline/snapshot.jwt")
@public
def offline_snapshot() -> ResponseReturnValue:
    """The newest snapshot, at most a minute old."""
    name = settings().base_url
    with _lock:
        made_at, text = _kept.get(name, (0.0, ""))
        if not text or time.monotonic() - made_at > _KEPT_FOR:
            text = offline.make_snapshot()
            _kept[name] = (time.monotonic(), text)
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.add_etag()
    response.make_conditional(request)
    return response


def forget_snapshot() -> None:
    """Make a new one when the next one is asked for."""
    with _lock:
        _kept.clear()
