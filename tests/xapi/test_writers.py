"""Eight processes write at once, and a reader that polls with `since` loses nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from flask import Flask

from lms.core.db import db, transaction
from lms.xapi import queries
from lms.xapi.queries import StatementFilter

WRITERS, ROUNDS = 4, 25
WRITE = """
import random, sys, time, uuid
from lms.app import create_app
from lms.config import Settings
from lms.core.db import transaction
from lms.xapi.services.store import store_statements

number, rounds, folder, url = sys.argv[1:]
app = create_app(Settings(data_dir=folder, secret_key="k", database_url=url or None), testing=True)
thing = {"actor": {"mbox": f"mailto:writer{number}@example.org"},
         "verb": {"id": "http://example.org/wrote"},
         "object": {"id": "http://example.org/page", "definition": {"name": {"en": number}}}}
print("ready", flush=True)
sys.stdin.readline()
with app.app_context():
    for _ in range(int(rounds)):
        batch = [dict(thing, id=str(uuid.uuid4())) for _ in range(random.randint(1, 5))]
        with transaction():
            store_statements(batch, authority={"mbox": "mailto:site@example.org"})
            time.sleep(random.random() * 0.01)
        print(*(s["id"] for s in batch), flush=True)
"""


@pytest.mark.slow
def test_a_reader_that_polls_sees_each_statement_once_and_in_order(site: Flask, tmp_path):
    url = str(site.config["SQLALCHEMY_ENGINES"]["default"]["url"])
    address = url if url.startswith("postgresql") else ""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(n), str(ROUNDS), str(tmp_path), address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(WRITERS)
    ]  # fmt: skip
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()

    seen: list[str] = []
    keys: list[int] = []
    since, polls = datetime(2000, 1, 1, tzinfo=UTC), 0
    with site.app_context():
        while True:
            ended = all(writer.poll() is not None for writer in writers)
            with transaction(write=False):
                found = queries.list_statements(StatementFilter(since=since, ascending=True))
                for row in db.session.scalars(found):
                    assert row.stored > since
                    seen.append(str(row.statement_id))
                    keys.append(row.id)
                    since = row.stored
            polls += 1
            if ended:
                break
            time.sleep(0.005)

    written = {name for writer in writers for name in writer.stdout.read().split()}
    assert all(writer.returncode == 0 for writer in writers)
    assert len(written) >= WRITERS * ROUNDS
    assert polls > 10
    assert len(seen) == len(set(seen))
    assert set(seen) == written
    assert keys == sorted(keys)
