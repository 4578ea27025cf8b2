"""A learner applies, an administrator awards the whole price, the learner enrols with it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import (
    PRIMARY,
    Visitor,
    find_course,
    go_to_checkout,
    register,
    wait_until_enrolled,
)

LINE = "Scholarship: Bridge of Ropes Fund, given by Friends of the Andes, Ottawa"
WORDS = "I plan the markets of El Alto with those who sell there."


def test_a_scholarship_from_the_application_to_the_course(site, page, open_context):
    nilda = Visitor("Nilda Apaza Flores", "nilda@journey.example")
    register(page, site, nilda)
    main = page.locator("main")

    find_course(page, "planning community")
    page.get_by_role("link", name=re.compile("^Apply for a scholarship")).first.click()
    expect(main).to_contain_text("Given by Friends of the Andes, Ottawa.")
    check_access(page)
    page.locator("textarea[name=statement]").fill(WORDS)
    page.locator(PRIMARY).click()
    expect(page.locator("textarea[name=statement]")).to_have_value(WORDS)
    expect(main).to_contain_text("Choose how much you ask for.")
    check_access(page)
    page.locator("input[name=percent][value='100']").check()
    page.locator(PRIMARY).click()
    expect(main).to_contain_text("We decide on it and write to you.")
    check_access(page)
    application = page.url

    admin = watch(open_context().new_page())
    sign_in(admin, "admin@example.org")
    admin.goto("/admin/scholarships?q=nilda")
    check_access(admin)
    admin.get_by_role("link", name=nilda.name).click()
    expect(admin.locator("main")).to_contain_text(WORDS)
    check_access(admin)
    admin.locator("input[name=decision][value=award]").check()
    admin.locator(PRIMARY).click()
    expect(admin.locator("main")).not_to_contain_text(nilda.name)

    site.wait_for_mail(nilda.email, "You have a scholarship")
    page.goto(application)
    check_access(page)
    page.get_by_role("link", name="Enrol with the scholarship").click()
    go_to_checkout(page)
    expect(page.locator(".summary-lines").first).to_contain_text(LINE)
    expect(page.locator(".summary-total")).to_contain_text("CAD 0.00")
    check_access(page)
    page.get_by_role("button", name="Enrol now").click()
    wait_until_enrolled(page)
    expect(main).to_contain_text(LINE)

    phones = [(nilda.email, [application, "/scholarships"])]
    fund = "/admin/scholarships/funds/bridge-of-ropes"
    pages = ["/admin/scholarships?state=all", "/admin/scholarships/funds", fund, f"{fund}/change"]
    phones.append(("admin@example.org", [*pages, "/admin/reports/recovery-funds"]))
    for email, addresses in phones:
        phone = watch(open_context(viewport=PHONE).new_page())
        sign_in(phone, email)
        for address in addresses:
            phone.goto(address)
            check_access(phone)
            overflow = phone.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, address
