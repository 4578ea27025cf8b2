"""An officer sets up the second factor, makes and changes a rule; a learner sees the hours."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import PRIMARY, set_up_second_factor

pytestmark = pytest.mark.needs("recognition", "certificates", "payments")

OFFICER = "person16@example.org"
DESK = "/recognition/colegio-planificadores"


def make_officer(page: Page, email: str) -> None:
    """An administrator lets somebody act for the association."""
    sign_in(page, "admin@example.org")
    page.goto("/admin/organisations/colegio-planificadores/people")
    page.locator("input[name=email]").fill(email)
    page.locator("select[name=role]").select_option("officer")
    page.locator(PRIMARY).click()
    expect(page.get_by_text(email)).to_be_visible()


def test_an_officer_makes_and_changes_a_rule_and_the_learner_sees_hours(site, page, open_context):
    make_officer(watch(open_context().new_page()), OFFICER)
    sign_in(page, OFFICER)
    page.goto("/recognition")
    page.wait_for_url(re.compile(DESK))
    check_access(page)
    set_up_second_factor(page)
    page.wait_for_url(re.compile(f"{DESK}$"))
    expect(page.locator("main .alert a[href*='second-factor']")).to_have_count(0)

    page.goto(f"{DESK}/rules/new")
    check_access(page)
    page.locator("input[name=name]").fill("Community planning")
    page.locator("input[name=starts_on]").fill("2020-01-01")
    page.locator("input[name=hours]").fill("30")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile(r"/rules/\d+$"))
    check_access(page)

    page.goto(f"{DESK}/members")
    check_access(page)
    page.locator("main th[scope=row] a").first.click()
    page.wait_for_url(re.compile(r"/members/\d+"))
    check_access(page)
    rows = page.locator("main tbody tr")
    before = rows.all_inner_texts()
    assert before

    page.goto(f"{DESK}/rules")
    page.get_by_role("link", name="Community planning").click()
    page.locator("main a[href$='/change']").click()
    page.locator("input[name=hours]").fill("1")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile(r"/rules/\d+$"))
    expect(page.locator("main h3")).to_have_count(2)
    time.sleep(1)  # the worker judges certificates anew
    page.goto(f"{DESK}/members")
    page.locator("main th[scope=row] a").first.click()
    page.wait_for_url(re.compile(r"/members/\d+"))
    assert page.locator("main tbody tr").all_inner_texts() == before

    phone = watch(open_context(viewport=PHONE).new_page())
    sign_in(phone, "learner@example.org")
    phone.goto("/my/hours")
    check_access(phone)
    expect(phone.locator("main progress").first).to_be_visible()
    assert phone.locator("main tbody tr").count() == len(before)
