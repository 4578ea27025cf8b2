"""Through which instant the store can be read: never past what another is still writing."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from lms.core import clock
from lms.core.db import transaction
from lms.xapi.services.completeness import complete_through
from lms.xapi.services.store import store_statements
from tests.xapi.asking import ANA, COURSE, VERB

AUTHORITY = {"mbox": "mailto:site@example.org"}


def _through(app) -> datetime:
    with app.app_context(), transaction(write=False):
        return complete_through()


def _store() -> None:
    store_statements([{"actor": ANA, "verb": VERB, "object": COURSE}], authority=AUTHORITY)


def test_while_nobody_writes_it_is_nearly_now(site):
    before = clock.now()
    assert timedelta(0) <= clock.now() - _through(site) < timedelta(seconds=3)

    with site.app_context(), transaction():
        _store()

    assert _through(site) >= before


@pytest.mark.slow
@pytest.mark.parametrize("ends", ["well", "badly"])
def test_while_somebody_writes_it_waits_at_what_can_be_seen(site, ends):
    with site.app_context(), transaction():
        _store()
    seen = _through(site)
    writing, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with site.app_context():
            try:
                with transaction():
                    _store()
                    writing.set()
                    assert go_on.wait(20)
                    if ends == "badly":
                        raise ValueError
            except ValueError:
                pass

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(20)
    began = clock.now()
    threading.Event().wait(1.5)  # longer than the margin

    assert seen <= _through(site) < began

    go_on.set()
    writer.join(20)
    assert _through(site) >= began
