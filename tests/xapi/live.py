"""A running endpoint with a key, for clients that speak real HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.site import ROOT, Site
from tests.conftest import DATABASE
from tests.postgres import postgres_server

_MAKE_KEY = """
from lms.app import create_app
from lms.core.db import transaction
from lms.xapi.models import KeyScope
from lms.xapi.services.keys import make_key

with create_app().app_context(), transaction():
    print(*make_key("A client", KeyScope.ALL, None))
"""


@dataclass(frozen=True)
class Endpoint:
    """Where to ask, and with which credentials."""

    url: str
    key: str
    secret: str


@contextmanager
def running_endpoint(data_dir: Path) -> Iterator[Endpoint]:
    """Puente with two server processes, on the database of the test run."""
    with ExitStack() as stack:
        extra = {"LMS_SERVER_WORKERS": "2"}
        if DATABASE == "postgresql":
            extra["LMS_DATABASE_URL"] = stack.enter_context(postgres_server())
        site = Site(data_dir, extra=extra)
        site.lms("init")
        made = subprocess.run(
            [sys.executable, "-c", _MAKE_KEY],
            env=site.environment, cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        site.start()
        stack.callback(site.stop)
        yield Endpoint(f"{site.url}/xapi/", *made.stdout.split())
