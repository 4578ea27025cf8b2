"""Administrators hear once of another store that gets nothing, and once when it is well again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.xapi.services import alarms, forwarding
from tests.factories.accounts import make_administrator, make_user
from tests.xapi.test_forwarding import add, other, write  # noqa: F401 - a fixture

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def watch(mails, run_jobs):
    """Try to forward and watch at an hour; gives the subjects of the mails that it brings."""
    begin = clock.now()
    seen = 0

    def at(hours: float) -> list[str]:
        nonlocal seen
        now = begin + hours * HOUR
        with clock.set_to(now):
            forwarding.wake_all()
        with clock.set_to(now + SECOND):
            run_jobs()
            alarms.watch_targets()
            alarms.watch_targets()  # as another worker
        with clock.set_to(now + 2 * SECOND):
            found = mails()
        subjects = [str(mail["Subject"]) for mail in found[seen:]]
        seen = len(found)
        return subjects

    return at


def test_a_store_that_is_away_for_hours_is_told_once_and_its_return_once(other, watch):  # noqa: F811
    make_administrator()
    make_user()
    add(other)
    other.is_away = True
    write(1)

    assert watch(0) == []
    assert watch(3.9) == []
    assert watch(4.1) == ["Other gets no statements"]
    assert watch(8) == []
    other.is_away = False
    assert watch(12) == ["Other is well again"]
    assert watch(13) == []
    assert len(other.taken) == 1


def test_a_short_break_is_nobodys_business(other, watch):  # noqa: F811
    make_administrator()
    add(other)
    other.is_away = True
    write(1)
    watch(0)
    watch(2)
    other.is_away = False
    assert watch(3) == []
    other.is_away = True
    write(1)
    assert watch(6) == []
    assert watch(9) == []


def test_refused_statements_are_told_once_until_none_is_left(other, watch):  # noqa: F811
    make_administrator()
    target = add(other)
    write(2, "refuse")

    assert watch(0) == ["Other refused statements"]
    write(1, "refuse")
    assert watch(1) == []
    other.is_away = True
    write(1)
    assert watch(2) == []
    assert watch(7) == ["Other gets no statements"]
    other.is_away = False
    assert watch(9) == []  # it goes on, but what it refused still waits for somebody
    other.refuses = "nothing"
    forwarding.retry_refused(target)
    assert watch(10) == ["Other is well again"]


def test_a_paused_store_is_left_alone(other, watch):  # noqa: F811
    make_administrator()
    target = add(other)
    other.is_away = True
    write(1)
    watch(0)
    forwarding.set_active(target, False)

    assert watch(9) == []


def test_the_mail_is_in_the_language_of_the_administrator_and_leads_there(other, watch, mails):  # noqa: F811
    for language in ("en", "es", "fr", "pt"):
        make_administrator(language=language)
    target = add(other)
    write(1, "refuse")
    watch(0)
    other.is_away = True
    write(1)
    watch(1)

    watch(9)

    found = mails()
    assert len(found) == 8
    texts = [mail.get_body(("plain",)).get_content() for mail in found]
    assert len(set(texts)) == 8
    for text in texts:
        assert "Other" in text
        assert f"/forwarding/{target.id}" in text
    assert sum(bool(re.search(r"\b503\b", text)) for text in texts) == 4
    assert db.session.query(User).count() == 4
