"""Money that does not come at once: a guest who claims later, instalments, an invoice."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_access, sign_in, watch
from tests.browser.site import link_in
from tests.browser.steps import find_course, pay_by_card, press, reload_until

GUEST = "guest@waits.example"


def both_widths(page) -> None:
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        check_access(page)


def test_a_guest_pays_first_and_claims_the_account_by_mail(site, page):
    page.set_viewport_size(PHONE)
    find_course(page, "tools")
    page.locator("main a[href*='/checkout/']").first.click()
    page.goto(page.url if "/guest" in page.url else guest_address(page))
    page.locator("input[name=name]").fill("Celia Huanca")
    page.locator("input[name=email]").fill(GUEST)
    page.locator("main select[name=country]").select_option("BO")
    check_access(page)
    press(page, "Update the price")
    expect(page.locator("input[name=email]")).to_have_value(GUEST)  # nothing typed is lost
    pay_by_card(page)
    page.wait_for_url(re.compile("/orders/"))
    mail = site.wait_for_mail(GUEST, "Claim your account")
    check_access(page)

    page.goto(link_in(mail, r"https?://\S+/claim/\S+"))
    expect(page.locator("main")).to_contain_text(GUEST)
    check_access(page)
    page.locator("input[name=password]").fill(PASSWORD)
    press(page, "Claim my account")
    page.wait_for_url(re.compile(r"/study/\d+"))
    page.goto("/orders")
    expect(page.locator("main")).to_contain_text("Tools for community planning")


def guest_address(page) -> str:
    """Who is asked to sign in finds the way without an account there."""
    return str(page.locator("main a[href*='/guest']").first.get_attribute("href"))


def test_who_is_late_with_a_part_finds_the_course_paused_and_pays_it_open(site, page):
    sign_in(page, "parts2@example.org")
    page.goto("/my/courses")
    expect(page.locator("main")).to_contain_text("Your access is paused")
    both_widths(page)
    page.locator("main h3 a[href*='/study/']").first.click()
    expect(page.locator("main")).to_contain_text("Your access is paused")
    both_widths(page)
    page.get_by_role("link", name="See what is to be paid").click()
    page.wait_for_url(re.compile("/orders/"))
    order = page.url
    both_widths(page)
    page.get_by_role("button", name=re.compile("^Pay .*90")).click()
    page.wait_for_url(re.compile("/test-payments/"))
    page.locator("#card").fill("4242 4242 4242 4242")
    page.locator("button[name=way][value=card]").click()
    page.wait_for_url(re.compile("/orders/"))
    page.goto(order)
    study = page.locator("main a[href*='/study/']")
    reload_until(page, study.count)
    study.first.click()
    page.wait_for_url(re.compile(r"/study/\d+"))
    expect(page.locator("main")).not_to_contain_text("paused")


def test_an_invoice_that_is_late_is_seen_recorded_and_then_paid(site, page, open_context):
    sign_in(page, "colleague@example.org")
    page.goto("/orders")
    both_widths(page)

    desk = watch(open_context().new_page())
    sign_in(desk, "admin@example.org")
    desk.goto("/admin/reports/recovery-ageing")
    both_widths(desk)
    desk.locator("tr", has_text="1 to 30 days late").locator("a").last.click()
    both_widths(desk)
    desk.goto("/admin/payments/owed?late=1")
    both_widths(desk)
    late = desk.locator("main tbody tr", has_text="Daniel Okafor")
    number = late.locator("th a").inner_text()
    owed = re.sub(r"[^\d.]", "", late.locator("td.number").inner_text())
    late.locator("th a").click()
    both_widths(desk)
    desk.locator("input[name=amount]").fill(owed)
    desk.locator("input[name=reference]").fill("BANK-118")
    press(desk, "Record the payment")
    desk.goto("/admin/payments/owed?late=1")
    expect(desk.locator("main")).not_to_contain_text(number)

    page.goto("/orders")
    page.get_by_role("link", name=number).click()
    expect(page.locator("main")).to_contain_text("Paid")
    both_widths(page)


def test_one_transfer_pays_what_is_in_the_basket(site, page, open_context):
    sign_in(page, "parts1@example.org")
    page.goto("/courses/tools-for-community-planning")
    checkouts = page.locator("main a[href*='/checkout/']")
    for address in [one.get_attribute("href") for one in checkouts.all()]:
        page.goto(str(address))
        page.locator("form[action*='/basket/runs/'] button").click()
        page.wait_for_url(re.compile("/basket$"))
    page.locator("input[name=gateway][value=bank_transfer]").check()
    both_widths(page)
    page.locator("main .form-actions .button-primary").click()
    page.wait_for_url(re.compile("/purchases/"))
    numbers = set(re.findall(r"P-\d{4}-\d{6}", page.locator("main").inner_text()))
    assert len(numbers) == 2
    both_widths(page)
    asked = page.locator("main .definitions dd").first.inner_text()

    desk = watch(open_context().new_page())
    sign_in(desk, "admin@example.org")
    desk.goto(f"/admin/payments?q={max(numbers)}")
    desk.get_by_role("link", name=max(numbers)).click()
    both_widths(desk)
    desk.locator("input[name=amount]").fill(re.sub(r"[^\d,.]", "", asked).replace(",", "."))
    desk.locator("input[name=reference]").fill("BANK-200")
    press(desk, "Record the payment and enrol")
    page.reload()
    expect(page.locator("main a[href*='/study/']")).to_have_count(2)
