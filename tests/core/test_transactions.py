import threading

import pytest
from sqlalchemy import select, text

from lms.core.db import db, transaction
from lms.core.models import SiteSetting


def test_a_transaction_within_one_that_writes_does_not_wait_for_it(app):
    with transaction(), transaction(write=False), transaction():
        db.session.add(SiteSetting(name="within", value={}))

    assert db.session.scalar(select(SiteSetting.name).where(SiteSetting.name == "within"))


@pytest.mark.sqlite  # PostgreSQL lets many write at once
def test_many_who_write_at_once_come_one_after_the_other(whole_app):
    inside, most, lock = 0, 0, threading.Lock()

    def write() -> None:
        nonlocal inside, most
        with whole_app.app_context():
            for _ in range(10):
                with transaction():
                    db.session.execute(text("UPDATE users SET name = name WHERE id = -1"))
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    with lock:
                        inside -= 1

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (inside, most) == (0, 1)
