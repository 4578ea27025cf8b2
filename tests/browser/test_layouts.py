"""A manager designs a certificate and sees it while typing; what was issued stays as it was."""

from __future__ import annotations

import io
import re

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import PAID, PRIMARY, reload_until

pytestmark = pytest.mark.needs("certificates", "payments")

MANAGER, ADMINISTRATOR = "colleague@example.org", "admin@example.org"
FIRST_WORDS, LATER_WORDS = "Proof of workshop", "Proof of seminar"


def design(page: Page) -> None:
    """From the course's page to a saved layout, with a preview that changes meanwhile."""
    page.goto(f"/teach/courses/{PAID}/certificate")
    page.locator("main a[href$='/certificate-layouts']").click()
    page.locator("input[name=name]").fill("Workshops")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/certificate-layouts/[0-9a-f-]{36}$"))
    before = page.locator("#preview img").get_attribute("src") or ""
    page.locator("summary", has_text="Français").click()
    page.locator("#language").select_option("fr")
    page.locator("input[name=text_heading_fr]").press_sequentially(FIRST_WORDS)
    expect(page.locator("#preview img")).not_to_have_attribute("src", before)
    check_access(page)
    page.locator("input[name=accent]").fill("#fdfdfd")
    page.locator("input[name=accent]").blur()
    expect(page.locator("#preview .alert")).to_be_visible()  # too little contrast
    page.locator("input[name=accent]").fill("#1f3a5d")
    save(page)


def save(page: Page) -> None:
    page.locator("button[value=save]").click()
    expect(page.locator(".alert-success, [role=status]").first).to_be_visible()


def use(page: Page, layout: str) -> None:
    """The course takes a layout."""
    page.goto(f"/teach/courses/{PAID}/certificate")
    page.get_by_label(layout, exact=True).check()
    page.locator(PRIMARY).click()


def correct(page: Page, name: str) -> str:
    """An administrator issues a French certificate of the course anew; gives its PDF's address."""
    page.goto("/admin/certificates?state=valid&q=Tremblay")
    page.locator("main a[href^='/admin/certificates/']").first.click()
    former = page.url
    page.locator("input[name=correct-name]").fill(name)
    page.locator("form[action$='/reissue'] button").click()
    page.wait_for_url(lambda url: url != former)
    link = page.locator("main a[href$='.pdf']")
    reload_until(page, link.count)
    return str(link.get_attribute("href"))


def words_of(page: Page, address: str) -> str:
    [sheet] = PdfReader(io.BytesIO(page.request.get(address).body())).pages
    return " ".join(sheet.extract_text().split()).lower()


def test_a_layout_is_designed_and_what_was_issued_keeps_its_version(site, page, open_context):
    sign_in(page, MANAGER)
    design(page)
    layout = page.url
    use(page, "Workshops")
    administrator = watch(open_context().new_page())
    sign_in(administrator, ADMINISTRATOR)
    issued = correct(administrator, "Elise Tremblay")
    assert FIRST_WORDS.lower() in words_of(administrator, issued)

    phone = watch(
        open_context(viewport=PHONE, storage_state=page.context.storage_state()).new_page()
    )
    phone.goto(layout)
    check_access(phone)
    phone.locator("summary", has_text="Français").click()
    phone.locator("input[name=text_heading_fr]").fill(LATER_WORDS)
    save(phone)
    phone.locator("main a[href$='/versions']").click()
    expect(phone.locator("main tbody tr")).to_have_count(3)
    check_access(phone)

    assert FIRST_WORDS.lower() in words_of(administrator, issued)
    assert LATER_WORDS.lower() in words_of(administrator, correct(administrator, "Élise Tremblay"))
    use(page, "Community planning")
