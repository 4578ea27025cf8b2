from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient

from lms.core import assets
from lms.core.gallery import gallery_values

LIMITS = {"app.css": 14_000, "app.js": 20_000}


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of bundles that the test fills itself."""
    monkeypatch.setattr(assets, "BUILD", tmp_path)
    monkeypatch.setattr(assets, "_manifest", {})
    monkeypatch.setattr(assets, "_manifest_read_at", 0.0)
    return tmp_path


def write_manifest(folder: Path, **names: str) -> None:
    manifest = {name.replace("_", "."): file for name, file in names.items()}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_a_bundle_is_found_by_its_plain_name(app: Flask, build: Path) -> None:
    write_manifest(build, app_css="app-1A2B.css")

    with app.test_request_context():
        assert assets.asset_url("app.css") == "/static/build/app-1A2B.css"


def test_missing_bundles_say_how_to_build_them(app: Flask, build: Path) -> None:
    with app.test_request_context(), pytest.raises(assets.AssetsNotBuilt, match=r"node build\.mjs"):
        assets.asset_url("app.css")


def test_an_unknown_bundle_names_those_there_are(app: Flask, build: Path) -> None:
    write_manifest(build, app_css="app-1A2B.css")

    with app.test_request_context(), pytest.raises(assets.AssetsNotBuilt, match=r"app\.css"):
        assets.asset_url("other.css")


def test_a_new_build_is_noticed_in_debug(
    app: Flask, build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "DEBUG", True)
    write_manifest(build, app_css="app-OLD.css")
    with app.test_request_context():
        assets.asset_url("app.css")
        write_manifest(build, app_css="app-NEW.css")
        assets._manifest_read_at = 0.0

        assert assets.asset_url("app.css").endswith("app-NEW.css")


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_bundles_come_compressed_and_are_kept_for_good(
    app: Flask, client: FlaskClient, encoding: str
) -> None:
    with app.test_request_context():
        url = assets.asset_url("app.css")

    answer = client.get(url, headers={"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "no-store" not in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_a_browser_without_compression_gets_the_plain_bundle(
    app: Flask, client: FlaskClient
) -> None:
    with app.test_request_context():
        url = assets.asset_url("app.css")

    answer = client.get(url, headers={"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in answer.headers
    assert b"@layer" in answer.data


@pytest.mark.parametrize("name", LIMITS)
def test_bundles_stay_light(name: str) -> None:
    manifest = json.loads((assets.BUILD / "manifest.json").read_text(encoding="utf-8"))

    assert (assets.BUILD / f"{manifest[name]}.br").stat().st_size <= LIMITS[name]


def test_an_icon_is_decoration_unless_it_has_a_label() -> None:
    assert 'aria-hidden="true"' in assets.icon("check")
    assert 'role="img" aria-label="Done &amp; dusted"' in assets.icon("check", "Done & dusted")


@pytest.mark.parametrize("name", sorted(assets._ICONS))
def test_every_icon_is_well_formed(name: str) -> None:
    ElementTree.fromstring(assets.icon(name))


def test_a_course_keeps_its_wave_and_another_has_its_own() -> None:
    band = assets.wave("natural-resources", "rivers")

    assert band == assets.wave("natural-resources", "rivers")
    assert band != assets.wave("natural-resources", "forests")
    assert band != assets.wave("urban-environment", "rivers")


def test_a_wave_is_also_a_file_of_its_own() -> None:
    picture = ElementTree.fromstring(assets.wave_svg("water", "rivers", 1200, 630))

    assert (picture.get("width"), picture.get("height")) == ("1200", "630")


@pytest.fixture
def gallery(app: Flask) -> str:
    with app.test_request_context("/design", method="POST"):
        return render_template("core/gallery.html", **gallery_values(with_errors=True))


def test_components_hold_no_inline_script_or_style(gallery: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", gallery)
    assert not re.search(r"<script(?![^>]*\ssrc=)", gallery)


def test_help_and_error_of_a_field_are_tied_to_it(gallery: str) -> None:
    control = re.search(r'<input[^>]*id="email"[^>]*>', gallery)

    assert control
    assert 'aria-describedby="email-help email-error"' in control.group()
    assert 'aria-invalid="true"' in control.group()
    assert 'id="email-help"' in gallery
    assert 'id="email-error"' in gallery


def test_the_summary_of_errors_leads_to_the_fields(gallery: str) -> None:
    assert '<a href="#name">Name</a>: Please write your name.' in gallery


def test_no_id_is_given_twice(gallery: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', gallery)

    assert len(ids) == len(set(ids))


def test_a_chart_brings_its_text_and_its_figures(gallery: str) -> None:
    chart = gallery[gallery.index('<figure class="chart">') :]
    chart = chart[: chart.index("</figure>")]

    assert "<desc" in chart
    assert chart.count("<tr>") == 1 + chart.count("<rect")


@pytest.mark.parametrize("is_htmx", [False, True])
def test_an_error_is_a_page_and_for_htmx_a_fragment(app: Flask, is_htmx: bool) -> None:
    headers = {"HX-Request": "true"} if is_htmx else {}
    with app.test_request_context("/", headers=headers):
        page = render_template("core/error.html", status=404, message="It moved.")

    assert ("<!doctype html>" in page) is not is_htmx
    assert "It moved." in page
    assert "There is no such page" in page
