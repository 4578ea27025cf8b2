"""Clients that others wrote, over HTTP: tincanjs and @xapi/xapi (npm), TinCanPython.

LMS_PEER_XAPI_CLIENTS names a program that runs Node with the two npm packages at hand. Without it
the tests of those two are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tincan import (
    Activity,
    ActivityProfileDocument,
    Agent,
    AgentProfileDocument,
    RemoteLRS,
    StateDocument,
)

from tests.xapi.live import Endpoint, running_endpoint

# their requests are answered alike from either database
pytestmark = [pytest.mark.slow, pytest.mark.sqlite]

NODE = "LMS_PEER_XAPI_CLIENTS"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with running_endpoint(tmp_path_factory.mktemp("endpoint")) as running:
        yield running


def run_node(script: str, endpoint: Endpoint, version: str) -> Any:
    """What a script of the folder `clients` saw."""
    node = os.environ.get(NODE)
    if not node:
        pytest.skip(f"{NODE} is not set")
    done = subprocess.run(
        [node, Path(__file__).parent / "clients" / script],
        env=os.environ
        | {
            "ENDPOINT": endpoint.url,
            "KEY": endpoint.key,
            "SECRET": endpoint.secret,
            "VERSION": version,
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_tincanjs(endpoint):
    seen = run_node("tincanjs.cjs", endpoint, "1.0.2")

    assert "412" in seen.pop("outdated")
    assert seen == {
        "versions": ["1.0.3", "2.0.0"],
        "scaled": 0.75,
        "found": [True],
        "state": ["page 7", "text/plain"],
        "ids": ["bookmark"],
        "dropped": True,
        "profile": {"best": 3},
        "bestNow": 4,
        "wishes": {"dark": True},
    }


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_xapi_js(endpoint, version):
    seen = run_node("xapi.cjs", endpoint, version)

    assert seen == {
        "versions": ["1.0.3", "2.0.0"],
        "spoken": version,
        "actor": True,
        "pages": [2, 1],
        "voided": 200,
        "state": {"page": 2, "kept": True},
        "outdated": 412,
        "ids": ["bookmark"],
        "left": [],
        "activityProfile": {"a": 1},
        "agentProfile": {"b": 1},
        "person": {"objectType": "Person", "mbox": [f"mailto:xapi-{version}@example.org"]},
        "activity": True,
    }


class TestTinCanPython:
    """The Python library keeps and finds documents again."""

    @pytest.fixture
    def lrs(self, endpoint) -> RemoteLRS:
        return RemoteLRS(
            endpoint=endpoint.url,
            username=endpoint.key,
            password=endpoint.secret,
            version="1.0.2",  # before 1.0.3 a new profile needed no precondition; it sends none
        )

    def test_states(self, lrs):
        place = {
            "agent": Agent(mbox="mailto:python@example.org"),
            "activity": Activity(id="https://example.org/python/1"),
        }
        state = StateDocument(
            id="bookmark", content=bytearray(b"\x00page 7"), content_type="text/plain", **place
        )

        assert lrs.save_state(state).success
        kept = lrs.retrieve_state(state_id="bookmark", **place).content
        assert bytes(kept.content) == b"\x00page 7"
        state.content = bytearray(b"page 8")
        assert lrs.save_state(state).success
        assert lrs.retrieve_state_ids(**place).content == ["bookmark"]
        assert lrs.clear_state(**place).success
        assert lrs.retrieve_state_ids(**place).content == []

    def test_profiles(self, lrs):
        agent = Agent(mbox="mailto:python@example.org")
        wishes = AgentProfileDocument(
            id="wishes", agent=agent, content=bytearray(b"{}"), content_type="application/json"
        )
        activity = Activity(id="https://example.org/python/1")
        scores = ActivityProfileDocument(
            id="scores", activity=activity, content=bytearray(b"1"), content_type="text/plain"
        )

        assert lrs.save_agent_profile(wishes).success
        assert lrs.retrieve_agent_profile_ids(agent=agent).content == ["wishes"]
        assert lrs.delete_agent_profile(wishes).success
        assert lrs.save_activity_profile(scores).success
        assert lrs.retrieve_activity_profile(activity=activity, profile_id="scores").success
        assert lrs.delete_activity_profile(scores).success
