"""Rate limits: kept in Redis where one is set, else in a file that all processes share."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from urllib.parse import quote

from flask import Flask, request
from flask_babel import format_timedelta
from flask_limiter import Limiter

from lms.config import Settings
from lms.core import limit_storage as limit_storage  # `limits` finds storages that were imported


def visitor_address() -> str:
    """The address of the visitor; behind trusted proxies the one they forward."""
    return request.remote_addr or "unknown"


limiter = Limiter(key_func=visitor_address, default_limits=[])


def init_limits(app: Flask, settings: Settings) -> None:
    """Set up the limiter; single views carry their own limits."""
    storage = settings.redis_url or f"tries://{quote(str(settings.own_file('limits.sqlite3')))}"
    app.config.update(
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_STORAGE_URI=storage,
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_STRATEGY="moving-window",
    )
    limiter.init_app(app)
    if settings.rate_limits:
        # each limit here is a view's own and is asked around it; no request need look for others
        app.before_request_funcs[None].remove(limiter._check_request_limit)


def seconds_to_wait() -> int:
    """After a limit was reached: in how many seconds the next try is allowed."""
    found = limiter.current_limit
    return max(1, math.ceil(found.reset_at - time.time())) if found else 60


def waiting_time(seconds: int) -> str:
    """The waiting time in words, rounded up: "45 seconds", "7 minutes"."""
    whole = seconds if seconds <= 60 else math.ceil(seconds / 60) * 60
    return str(format_timedelta(timedelta(seconds=whole), granularity="second", threshold=2))
