"""The WSGI application for servers such as Granian."""

from __future__ import annotations

from lms.app import create_app

app = create_app()
