"""Small deeds of several threads that share a transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import event, select

from lms.app import create_app
from lms.core.db import Model, db, transaction
from lms.core.models import SiteSetting
from lms.core.together import in_one_turn
from tests.postgres import own_database


@pytest.fixture
def site(settings, tmp_path):
    with own_database(settings, tmp_path, "together") as own:
        app = create_app(own, testing=True)
        with app.app_context():
            Model.metadata.create_all(db.engine)
        yield app
        with app.app_context():
            db.engine.dispose()


def keep(name: str) -> str:
    db.session.add(SiteSetting(name=name, value={}))
    db.session.flush()
    return name


def refuse(name: str) -> str:
    keep(name)
    raise ValueError(name)


def do_at_once(site, deeds: dict[str, Callable[[str], str]]) -> dict[str, str]:
    """What came of deeds that all waited while somebody else wrote."""
    came: dict[str, str] = {}

    def do(name: str) -> None:
        with site.app_context():
            try:
                came[name] = in_one_turn(lambda: deeds[name](name))
            except ValueError as error:
                came[name] = f"refused {error}"

    threads = [threading.Thread(target=do, args=(name,)) for name in deeds]
    with site.app_context(), transaction():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(0.05)
    for thread in threads:
        thread.join(20)
    return came


def kept(site) -> list[str]:
    with site.app_context(), transaction(write=False):
        return sorted(db.session.scalars(select(SiteSetting.name)))


def test_each_gets_its_own_result_and_all_are_kept(site):
    names = [f"deed {number}" for number in range(8)]

    assert do_at_once(site, dict.fromkeys(names, keep)) == {name: name for name in names}
    assert kept(site) == names


def test_a_refused_deed_is_refused_alone(site):
    deeds = {"first": keep, "bad": refuse, "second": keep, "worse": refuse}

    assert do_at_once(site, deeds) == {
        "first": "first",
        "bad": "refused bad",
        "second": "second",
        "worse": "refused worse",
    }
    assert kept(site) == ["first", "second"]


@pytest.mark.sqlite  # PostgreSQL joins commits itself
def test_those_who_wait_share_a_commit(site):
    commits = []
    with site.app_context():
        event.listen(db.engine, "commit", lambda connection: commits.append(1))

    do_at_once(site, {f"deed {number}": keep for number in range(8)})

    assert len(kept(site)) == 8
    # one for the transaction that all waited for, one or two for the deeds, one for looking
    assert len(commits) <= 4


@pytest.mark.sqlite
def test_whose_turn_never_comes_is_told_and_others_go_on(site, monkeypatch):
    with site.app_context():
        with monkeypatch.context() as patched:
            patched.setattr("lms.core.together.transaction", _no_turn)
            with pytest.raises(TimeoutError):
                in_one_turn(lambda: keep("lost"))
        assert in_one_turn(lambda: keep("next")) == "next"

    assert kept(site) == ["next"]


def _no_turn() -> None:
    raise TimeoutError


@pytest.mark.sqlite
def test_within_a_transaction_nobody_waits_for_oneself(site):
    with site.app_context(), transaction():
        assert in_one_turn(lambda: keep("within")) == "within"

    assert kept(site) == ["within"]
