"""A buyer in Bolivia: the list price at first, then the price of the country, line by line."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import (
    Visitor,
    find_course,
    go_to_checkout,
    pay_by_card,
    register,
    wait_until_enrolled,
)


def test_a_buyer_in_bolivia_pays_the_price_of_the_country(site, page, open_context):
    marta = Visitor("Marta Choque Rojas", "marta@journey.example")
    register(page, site, marta)
    main = page.locator("main")

    find_course(page, "planning community")
    expect(page.locator(".run-card-price").first).to_contain_text("CAD 180.00")
    expect(main).to_contain_text("It is lower for people in Bolivia.")
    go_to_checkout(page)
    expect(main).to_contain_text("So far nothing that we know agrees with it")
    check_access(page)
    page.get_by_role("link", name="show us where you live").click()
    expect(main).to_contain_text("Nothing so far.")
    check_access(page)
    page.get_by_role("link", name="My memberships").click()
    page.locator("select[name=association]").select_option("colegio-planificadores")
    page.locator("input[name=number]").fill("CP-7788")
    page.locator("main form .button-primary").first.click()

    page.goto("/prices")
    expect(main).to_contain_text("Lower middle income")
    expect(main).to_contain_text("About 30")
    check_access(page)

    find_course(page, "planning community")
    expect(main).to_contain_text("BOB 270.00")
    go_to_checkout(page)
    line = "Price for Bolivia: Lower middle income"
    expect(page.locator(".summary-lines").first).to_contain_text(line)
    page.locator("select[name=currency]").select_option("CAD")
    page.get_by_role("button", name="Update the price").click()
    expect(page.locator(".summary-lines").first).to_contain_text("−CAD 126.00")
    expect(page.locator(".summary-total")).to_contain_text("CAD 54.00")
    check_access(page)
    pay_by_card(page)
    wait_until_enrolled(page)
    expect(main).to_contain_text(line)
    expect(main).to_contain_text("CAD 54.00")
    check_access(page)

    phone = watch(open_context(viewport=PHONE).new_page())
    sign_in(phone, marta.email)
    for address in (re.sub(r"\?.*", "", page.url), "/prices", "/prices/residence"):
        phone.goto(address)
        check_access(phone)
        overflow = phone.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, address


def test_a_manager_sets_amounts_and_an_administrator_sees_them(site, open_context):
    page = watch(open_context().new_page())
    sign_in(page, "admin@example.org")
    page.goto("/teach/courses/tools-for-community-planning/runs")
    page.locator("main table a").first.click()
    page.get_by_role("link", name="Prices").last.click()
    expect(page.locator("main")).to_contain_text("Stored amounts")
    check_access(page)
    page.locator("select[name=currency]").select_option("MXN")
    page.locator("input[name=amount]").fill("2500")
    page.get_by_role("button", name="Propose amounts").click()
    expect(page.locator("input[name=amount_lower_middle]")).to_have_value("750.00")
    check_access(page)
    page.locator("main form .button-primary").click()
    expect(page.locator("main")).to_contain_text("MXN 750.00")

    phone = watch(open_context(viewport=PHONE).new_page())
    sign_in(phone, "admin@example.org")
    for address in (page.url, "/admin/prices", "/admin/prices/contracts/new"):
        phone.goto(address)
        check_access(phone)
        overflow = phone.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, address
