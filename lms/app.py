"""create_app(): the one place where the parts are joined."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from lms.accounts.permissions import can
from lms.accounts.sessions import init_sessions
from lms.config import LANGUAGES, Settings, load_settings
from lms.core import logs, metrics
from lms.core.assets import init_assets
from lms.core.db import init_db
from lms.core.error_pages import init_error_pages
from lms.core.files import FileStore
from lms.core.health import health
from lms.core.language import init_language
from lms.core.limits import init_limits
from lms.core.outbox import bind_queue
from lms.core.queue import make_queue
from lms.core.security import init_security
from lms.core.site import site
from lms.core.templating import init_templates
from lms.core.web import Puente, csrf
from lms.plugins import load_plugins

__all__ = ["create_app"]


def create_app(settings: Settings | None = None, *, testing: bool = False) -> Flask:
    """The whole application, ready to serve, to work and to be asked on the command line.

    testing: errors rise, the queue lives in memory, views that ask for no permission fail.

    Raises ConfigurationError and PluginError with a message that says what to do.
    """
    with _without_garbage():
        return _put_together(settings or load_settings(), testing)


@contextmanager
def _without_garbage() -> Iterator[None]:
    """No look for garbage while all is put together: there is none, and looking takes long."""
    is_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_looking:
            gc.enable()


def _put_together(settings: Settings, testing: bool) -> Flask:
    app = Puente(
        "lms",
        static_folder="core/static",
        static_url_path="/static",
        template_folder="core/templates",
    )
    app.testing = testing
    app.extensions["settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret(),
        DEBUG=settings.debug,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        SESSION_COOKIE_NAME="puente",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookies_are_secure,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=60 * 60 * 24 * 30,
        WTF_CSRF_TIME_LIMIT=None,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        BABEL_DEFAULT_LOCALE=settings.default_language,
        BABEL_TRANSLATION_DIRECTORIES="translations",
        LANGUAGES=LANGUAGES,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=3,
        COMPRESS_LEVEL=5,
        COMPRESS_MIN_SIZE=800,
        COMPRESS_STREAMS=False,
        COMPRESS_MIMETYPES=[
            "text/html",
            "text/plain",
            "text/calendar",
            "text/csv",
            "application/json",
            "application/ld+json",
            "application/xml",
            "image/svg+xml",
        ],
    )
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
    logs.init_logs(app, settings)
    init_db(app, settings)
    app.extensions["file_store"] = FileStore(settings)
    init_language(app)
    init_assets(app)
    init_templates(app, can=can)
    init_limits(app, settings)
    csrf.init_app(app)
    Compress(app)
    init_sessions(app)
    init_security(app, settings)
    init_error_pages(app)
    metrics.init_metrics(app, settings)
    plugins = load_plugins(app, settings)
    app.register_blueprint(health)
    app.register_blueprint(site)
    for blueprint in plugins.declared["blueprints"].values():
        app.register_blueprint(blueprint)
    for command in plugins.declared["commands"].values():
        app.cli.add_command(command)
    bind_queue(app, make_queue(settings, in_memory=testing))
    return app
