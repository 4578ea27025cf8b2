"""Two real sites: one forwards, the other's endpoint takes; both are killed in the middle."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from tincan import RemoteLRS

from tests.browser.site import ROOT, Site, power_cut

COUNT = 1500

SEND = """
from lms.app import create_app
from lms.core.db import db, transaction
from lms.xapi.services import forwarding
from lms.xapi.services.store import store_statements
import sys
with create_app().app_context():
    for start in range(0, {count}, 500):
        with transaction():
            store_statements(
                [
                    {{
                        "actor": {{"mbox": "mailto:ana@example.org"}},
                        "verb": {{"id": "urn:verb"}},
                        "object": {{"id": f"urn:thing:{{i}}"}},
                    }}
                    for i in range(start, start + 500)
                ],
                authority={{"mbox": "mailto:lms@example.org"}},
            )
    with transaction():
        forwarding.add_target("Other", "{endpoint}", "{key}", "{secret}", from_now=False)
"""

MAKE_KEY = """
from lms.app import create_app
from lms.core.db import transaction
from lms.xapi.models import KeyScope
from lms.xapi.services.keys import make_key
with create_app().app_context(), transaction():
    print(*make_key("Other", [KeyScope.ALL], None))
"""

# What two minutes and the clock would do: the lease of the killed worker is over.
LET_TIME_PASS = """
from lms.app import create_app
from lms.core.db import db, transaction
from lms.xapi.models import ForwardingTarget
from lms.xapi.services import forwarding
with create_app().app_context(), transaction():
    for target in db.session.query(ForwardingTarget):
        target.leased_until = None
        forwarding.wake(target)
"""

STATE = """
import json
from sqlalchemy import func, select
from lms.app import create_app
from lms.core.db import db
from lms.core.models import OutboxRow
from lms.xapi.models import ForwardingTarget, RefusedByTarget, StoredStatement
from lms.xapi.services import forwarding
with create_app().app_context():
    ids = db.session.scalars(select(StoredStatement.statement_id).order_by(StoredStatement.id))
    refused = select(func.count()).select_from(RefusedByTarget)
    failed = select(func.count()).select_from(OutboxRow).where(OutboxRow.state == "failed")
    [target] = db.session.scalars(select(ForwardingTarget))
    print(json.dumps({
        "ids": [str(i) for i in ids],
        "refused": db.session.scalar(refused),
        "failed": db.session.scalar(failed),
        "waiting": forwarding.lag(target).count,
    }))
"""


def script(site: Site, text: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", text],
        env=site.environment, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


class Process:
    """`lms worker` or `lms run --no-worker` of a site."""

    def __init__(self, site: Site, *arguments: str) -> None:
        self.site, self.arguments = site, arguments
        self.start()

    def start(self) -> None:
        log = (self.site.data_dir / "process.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lms.cli", *self.arguments],
            env=self.site.environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip

    def kill(self) -> None:
        power_cut(self.process)


def taken(site: Site, key: str, secret: str) -> list[str]:
    """Ids at the receiver's endpoint, oldest first."""
    token = base64.b64encode(f"{key}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "X-Experience-API-Version": "1.0.3"}
    path, ids = "/xapi/statements?ascending=true&limit=100", []
    while path:
        request = urllib.request.Request(site.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            page = json.loads(answer.read())
        ids += [statement["id"] for statement in page["statements"]]
        path = page["more"]
    return ids


@pytest.fixture
def sites(tmp_path) -> tuple[Site, Site]:
    pair = []
    for name in ("sender", "receiver"):
        (tmp_path / name).mkdir()
        site = Site(tmp_path / name)
        site.lms("init")
        pair.append(site)
    return pair[0], pair[1]


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_both_sides_are_killed(sites):
    sender, receiver = sites
    key, secret = script(receiver, MAKE_KEY).split()
    endpoint = f"{receiver.url}/xapi/"
    script(sender, SEND.format(count=COUNT, endpoint=endpoint, key=key, secret=secret))
    serve = Process(receiver, "run", "--no-worker", "--port", str(receiver.port))
    receiver.wait_until_ready()
    work = Process(sender, "worker")
    try:
        kills = 0
        arrived: list[str] = []
        for goal in (150, 700):
            until = time.monotonic() + 60
            while time.monotonic() < until:
                arrived = taken(receiver, key, secret)
                if len(arrived) >= goal:
                    break
                time.sleep(0.1)
            assert goal <= len(arrived) < COUNT, len(arrived)
            work.kill()
            if goal == 700:
                serve.kill()
                serve.start()
                receiver.wait_until_ready()
            kills += 1
            script(sender, LET_TIME_PASS)
            work.start()
        until = time.monotonic() + 90
        while len(arrived) < COUNT and time.monotonic() < until:
            time.sleep(0.5)
            arrived = taken(receiver, key, secret)
        state: dict = {}
        while time.monotonic() < until:
            state = json.loads(script(sender, STATE))
            if state["waiting"] == 0:
                break
        reader = RemoteLRS(version="1.0.3", endpoint=endpoint, username=key, password=secret)
        read = reader.retrieve_statement(arrived[-1])
    finally:
        work.kill()
        serve.kill()

    assert kills == 2
    assert arrived == state["ids"]
    assert len(set(arrived)) == COUNT
    assert str(read.content.id) == arrived[-1]
    assert (state["refused"], state["failed"], state["waiting"]) == (0, 0, 0)
