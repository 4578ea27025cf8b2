"""Rate limits, kept in Redis where one is set, else per server process."""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter

from lms.config import Settings


def visitor_address() -> str:
    """The address of the visitor; behind trusted proxies the one they forward."""
    return request.remote_addr or "unknown"


limiter = Limiter(key_func=visitor_address, default_limits=[])


def init_limits(app: Flask, settings: Settings) -> None:
    """Set up the limiter; single views carry their own limits."""
    app.config.update(
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_STRATEGY="moving-window",
    )
    limiter.init_app(app)
