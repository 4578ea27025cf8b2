"""A learner shows what was learnt elsewhere and pays the fee; an assessor decides; an appeal."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import PRIMARY, pay_by_card

pytestmark = pytest.mark.needs("recognition", "certificates", "payments")

COURSE = "how-to-learn-with-puente"
LEARNER, MANAGER = "person8@example.org", "colleague@example.org"
ASSESSOR, SECOND = "association@example.org", "person15@example.org"


def set_fee(page: Page) -> None:
    """The manager says what looking at a portfolio costs."""
    page.goto(f"/prior-learning/courses/{COURSE}/requests")
    page.locator("main a[href$='/fee']").click()
    check_access(page)
    page.locator("input[name=amount_all_CAD]").fill("45")
    page.locator(PRIMARY).click()
    expect(page.locator("main tbody tr")).to_have_count(1)


def pay(page: Page) -> None:
    """The fee by card, from the checkout to the request that goes on."""
    page.wait_for_url(re.compile("/buy/prior_learning/"))
    check_access(page)
    pay_by_card(page)
    page.wait_for_url(re.compile("/orders/"))
    page.locator("main a.button-primary[href*='/prior-learning/requests/']").click(timeout=30_000)
    page.wait_for_url(re.compile("/prior-learning/requests/"))


def put_together(page: Page) -> None:
    """From the course's page to a portfolio with a file and a link, handed in."""
    page.goto(f"/courses/{COURSE}")
    page.locator(f"main a[href$='/prior-learning/courses/{COURSE}']").click()
    check_access(page)
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/prior-learning/requests/"))
    check_access(page)
    page.locator("main a[href$='/evidence/file']").click()
    check_access(page)
    page.locator("input[name=title]").fill("Notes of a course")
    page.locator("textarea[name^=claim_]").first.fill("I have learnt online for three years.")
    page.locator("input[name=file]").set_input_files(
        files=[{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"What I noted."}]
    )
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/prior-learning/requests/[^/]+$"))
    page.locator("main a[href$='/evidence/link']").click()
    page.locator("input[name=title]").fill("A forum that I wrote in")
    page.locator("textarea[name^=claim_]").nth(1).fill("On a phone, all of it.")
    page.locator(PRIMARY).click()  # the address is missing
    expect(page.locator("main [data-errors]")).to_be_visible()
    expect(page.locator("textarea[name^=claim_]").nth(1)).to_have_value("On a phone, all of it.")
    page.locator("input[name=link]").fill("https://example.org/forum")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/prior-learning/requests/[^/]+$"))
    expect(page.locator("main .code.break")).to_have_count(1)  # the hash of the file
    check_access(page)
    page.locator("form[action$='/hand-in'] button").click()
    pay(page)
    expect(page.locator("form[action$='/hand-in']")).to_have_count(0)


def name(page: Page, email: str) -> None:
    """The manager names an assessor for the request that has none."""
    page.goto(f"/prior-learning/courses/{COURSE}/requests")
    check_access(page)
    page.locator("main td a.button-primary").first.click()
    page.locator("input[name=email]").fill(email)
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/requests$"))


def decide(page: Page, portfolio: str, *decisions: str) -> None:
    """The assessor declares to be independent, and decides about each outcome."""
    page.goto("/prior-learning/assessing")
    check_access(page)
    page.goto(f"{portfolio}/decision")
    page.wait_for_url(re.compile("/declaration$"))
    check_access(page)
    page.locator("input[name=is_independent][value=yes]").check()
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/decision$"))
    check_access(page)
    for place, decision in enumerate(decisions):
        card = page.locator("main section.card").nth(place)
        card.locator(f"input[value={decision}]").check()
        card.locator("textarea").fill(f"The evidence shows that: {decision}.")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/prior-learning/requests/[^/]+$"))


def test_prior_learning_from_the_portfolio_to_the_appeal(site, page, open_context):
    manager = watch(open_context().new_page())
    sign_in(manager, MANAGER)
    set_fee(manager)
    sign_in(page, LEARNER)
    put_together(page)
    portfolio = page.url
    site.wait_for_mail(LEARNER, "(?i)receipt|recibo|reçu")
    name(manager, ASSESSOR)
    assessor = watch(open_context(viewport=PHONE).new_page())
    sign_in(assessor, ASSESSOR)

    decide(assessor, portfolio, "granted", "not_granted")

    page.goto(portfolio)
    check_access(page)
    expect(page.get_by_text("The evidence shows that: not_granted.")).to_be_visible()
    page.goto("/my/courses")
    page.locator("main a[href*='/study/']").first.click()
    waived = page.locator(".study-outline small", has_text=re.compile("exim|waived"))
    expect(waived).to_have_count(1)

    page.goto(portfolio)
    page.locator("main a[href$='/appeal']").click()
    check_access(page)
    page.locator("textarea[name=reason]").fill("The link shows it too.")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/prior-learning/requests/[^/]+$"))
    name(manager, SECOND)
    second = watch(open_context().new_page())
    sign_in(second, SECOND)
    decide(second, portfolio, "granted")

    page.goto(portfolio)
    expect(page.locator("main .badge-success")).to_have_count(3)  # the state, and two outcomes
    with page.expect_download() as download:
        page.locator("main a[href$='credential.json']").click()
    phone = watch(open_context(viewport=PHONE).new_page())
    phone.goto("/verify")
    phone.locator("input[type=file]").set_input_files(download.value.path())
    phone.locator("form:has(input[type=file]) button").last.click()
    expect(phone.locator("main dd", has_text="did:web:").first).to_be_visible()
    check_access(phone)
