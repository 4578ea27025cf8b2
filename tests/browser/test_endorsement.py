"""An officer makes the association's key and endorses a course; everybody sees it until revoked."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import PRIMARY, set_up_second_factor
from tests.browser.test_recognition import DESK, make_officer

pytestmark = pytest.mark.needs("recognition", "certificates", "payments")

OFFICER = "person14@example.org"
COURSE = "how-to-learn-with-puente"
PASSPHRASE = "a volcano and four rivers"
WORDS = "We have looked at this course and stand behind it."


def test_an_officer_endorses_a_course_with_a_new_key_and_revokes_it(site, page, open_context):
    make_officer(watch(open_context().new_page()), OFFICER)
    sign_in(page, OFFICER)
    page.goto(f"{DESK}/keys")
    set_up_second_factor(page)
    page.goto(f"{DESK}/keys")
    check_access(page)
    page.locator("input[name=key-passphrase]").fill(PASSPHRASE)
    page.locator("input[name=key-again]").fill(PASSPHRASE)
    page.locator("main form:has(input[name=key-again]) button").click()
    expect(page.locator("main tbody tr")).to_have_count(2)  # the demo's key, now retired

    page.goto(f"{DESK}/endorsements/new")
    check_access(page)
    page.locator("select[name=course]").select_option(index=1)
    page.locator("textarea[name=comment]").fill(WORDS)
    page.locator("input[name=passphrase]").fill("not the passphrase at all")
    page.locator(PRIMARY).click()
    expect(page.locator("main [data-errors]")).to_be_visible()
    expect(page.locator("textarea[name=comment]")).to_have_value(WORDS)
    page.locator("input[name=passphrase]").fill(PASSPHRASE)
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/endorsements$"))
    check_access(page)

    visitor = watch(open_context(viewport=PHONE).new_page())
    visitor.goto(f"/courses/{COURSE}")
    expect(visitor.get_by_text(WORDS)).to_be_visible()
    check_access(visitor)
    document = visitor.request.get(
        visitor.locator("main a[href*='/endorsements/']").last.get_attribute("href") or ""
    ).json()
    assert document["issuer"]["id"].endswith(":bodies:colegio-planificadores")

    page.locator("main tbody tr", has_text=WORDS).locator("a[href$='/revoke']").click()
    check_access(page)
    page.locator("input[name=passphrase]").fill(PASSPHRASE)
    page.locator("main .button-danger").click()
    page.wait_for_url(re.compile("/endorsements$"))
    visitor.reload()
    expect(visitor.get_by_text(WORDS)).to_have_count(0)
