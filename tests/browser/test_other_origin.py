"""Content on another origin records from the browser, as a published course package does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PACKAGE = """<!doctype html>
<html lang="en"><title>A course</title><h1>A course</h1><script src="course.js"></script></html>
"""
# what a package does while somebody takes it: resume, record, keep the place, finish
SCRIPT = """
window.take = async ({ url, key, secret, version }) => {
  const sent = {
    Authorization: `Basic ${btoa(`${key}:${secret}`)}`,
    "X-Experience-API-Version": version,
  };
  const actor = { mbox: `mailto:browser-${version}@example.org` };
  const activity = `https://example.org/package/${version}`;
  const registration = crypto.randomUUID();
  const place = new URLSearchParams({
    activityId: activity, agent: JSON.stringify(actor), registration, stateId: "suspend_data",
  });
  const json = { "Content-Type": "application/json" };
  const ask = (path, method, headers = {}, body = undefined) =>
    fetch(`${url}${path}`, { method, headers: { ...sent, ...headers }, body });
  const record = async (verb) => {
    const answer = await ask("statements", "POST", json, JSON.stringify({
      actor, verb: { id: `http://adlnet.gov/expapi/verbs/${verb}` }, object: { id: activity },
      context: { registration },
    }));
    return [answer.status, answer.headers.get("X-Experience-API-Version")];
  };
  const state = (method, headers, body) =>
    ask(`activities/state?${place}`, method, headers, body);

  const seen = {};
  const fresh = await state("GET");
  seen.fresh = [fresh.status, (await fresh.json()).status];
  seen.begun = await record("initialized");
  seen.kept = (await state("PUT", { "If-None-Match": "*", ...json }, '{"slide": 1}')).status;
  const resumed = await state("GET");
  seen.resumed = await resumed.json();
  const tag = resumed.headers.get("ETag");
  seen.modified = Boolean(resumed.headers.get("Last-Modified"));
  seen.moved = (await state("PUT", { "If-Match": tag, ...json }, '{"slide": 2}')).status;
  const late = await state("PUT", { "If-Match": tag, ...json }, '{"slide": 9}');
  seen.late = [late.status, (await late.json()).error.includes("ETag")];
  seen.done = await record("completed");
  const found = await ask(`statements?registration=${registration}`, "GET");
  seen.verbs = (await found.json()).statements.map((one) => one.verb.id.split("/").pop());
  seen.through = Boolean(found.headers.get("X-Experience-API-Consistent-Through"));
  seen.gone = (await state("DELETE")).status;
  sent.Authorization = `Basic ${btoa("nobody:nothing")}`;
  const refused = await ask("statements", "GET");
  seen.refused = [refused.status, typeof (await refused.json()).error];
  return seen;
};
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[str]:
    """Address of the package, served from another port: another origin."""
    (tmp_path / "index.html").write_text(PACKAGE)
    (tmp_path / "course.js").write_text(SCRIPT)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_a_package_resumes_records_and_finishes(browser, site, package, version):
    page = browser.new_page()
    page.goto(package)
    demo = site.demo["xapi"]
    endpoint = {"url": demo["endpoint"], "key": demo["key"], "secret": demo["secret"]}

    seen = page.evaluate(
        "endpoint => window.take(endpoint)",
        {**endpoint, "version": version},
    )
    page.close()

    assert seen == {
        "fresh": [404, 404],
        "begun": [200, version],
        "kept": 204,
        "resumed": {"slide": 1},
        "modified": True,
        "moved": 204,
        "late": [412, True],
        "done": [200, version],
        "verbs": ["completed", "initialized"],
        "through": True,
        "gone": 204,
        "refused": [401, "string"],
    }
