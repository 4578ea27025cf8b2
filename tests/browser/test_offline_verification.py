"""An officer verifies in a hall without a network: by code, by file, by token."""

from __future__ import annotations

from urllib.request import urlopen

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, check_access, watch


def test_the_page_verifies_with_the_network_off(site, open_context, tmp_path):
    codes = site.demo["certificates"]
    files = {}
    for ending in ("jwt", "json", "png", "svg"):
        files[ending] = tmp_path / f"certificate.{ending}"
        files[ending].write_bytes(urlopen(f"{site.url}/verify/{codes['valid']}.{ending}").read())
    token = files["jwt"].read_text()
    forged = tmp_path / "forged.jwt"
    place = len(token) // 2
    forged.write_text(token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :])
    changed = tmp_path / "changed.json"
    changed.write_text(files["json"].read_text().replace("Quantity", "Quality").replace("20", "21"))
    context = open_context(viewport=PHONE)
    page = watch(context.new_page())

    page.goto("/verify/offline/")
    page.wait_for_selector("[data-is-ready]")
    context.set_offline(True)
    page.reload()
    expect(page.locator("#snapshot-state")).to_contain_text("State of")
    answer = page.locator("#offline-answer")

    for state, code in codes.items():
        page.locator("#offline-code").fill(f"{site.url}/verify/{code}")
        page.keyboard.press("Enter")
        expect(answer).to_have_attribute("data-state", state)
    check_access(page)
    page.locator("#offline-code").fill("PU-0000-0000-0000-0000")
    page.keyboard.press("Enter")
    expect(answer).to_have_attribute("data-state", "unknown")

    for path in files.values():
        page.locator("#offline-file").set_input_files(forged)
        expect(answer).to_have_attribute("data-state", "unknown")
        page.locator("#offline-file").set_input_files(path)
        expect(answer).to_have_attribute("data-state", "valid")
    page.locator("#offline-file").set_input_files(changed)
    expect(answer).to_have_attribute("data-state", "unknown")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
