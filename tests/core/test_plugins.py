from __future__ import annotations

import sys
import types

import pytest

from lms.app import create_app
from lms.config import Settings
from lms.core.outbox import Job
from lms.core.registry import PluginError, keep
from lms.hookspecs import hookimpl


def _settings(tmp_path, **values):
    return Settings(data_dir=tmp_path, secret_key="k", **values)


def test_a_wrong_class_stops_the_start():
    with pytest.raises(PluginError, match="expected Job"):
        keep("jobs", Job, "some plugin", object(), {})


def test_a_name_has_one_owner():
    store = {}
    keep("jobs", Job, "one", Job("x", print), store)

    with pytest.raises(PluginError, match="twice"):
        keep("jobs", Job, "two", Job("x", print), store)


def test_a_misspelt_hook_stops_the_start(tmp_path, monkeypatch):
    module = types.ModuleType("lms.misspelt.plugin")
    package = types.ModuleType("lms.misspelt")
    module.bluprints = hookimpl(lambda: [])  # noqa: PIE807
    monkeypatch.setitem(sys.modules, "lms.misspelt", package)
    monkeypatch.setitem(sys.modules, "lms.misspelt.plugin", module)
    monkeypatch.setattr("lms.plugins.ROOMS", ("misspelt",))

    with pytest.raises(PluginError, match="bluprints"):
        create_app(_settings(tmp_path), testing=True)


def test_the_house_cannot_lose_a_room_that_others_stand_on(tmp_path):
    with pytest.raises(PluginError, match="courses"):
        create_app(_settings(tmp_path, plugins_off=("courses",)), testing=True)


@pytest.mark.parametrize(
    "rooms",
    [
        ("assessments",),
        ("payments", "partners", "recovery"),
        ("forums",),
        ("recognition",),
        ("recovery",),
        ("certificates", "recognition", "recovery"),
        ("partners", "payments", "pricing", "recovery", "scholarships"),
    ],
)
def test_a_room_that_no_other_needs_can_be_switched_off(tmp_path, rooms):
    app = create_app(_settings(tmp_path, plugins_off=rooms), testing=True)

    assert not set(rooms) & set(app.extensions["puente"].names)


def test_a_room_is_not_left_without_the_one_it_stands_on(tmp_path):
    with pytest.raises(PluginError, match="recognition needs certificates: switch it off as well"):
        create_app(_settings(tmp_path, plugins_off=("certificates",)), testing=True)
