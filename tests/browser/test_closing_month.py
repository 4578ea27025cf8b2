"""An administrator closes a month: figures, their rows, what is not explained, the end of it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from lms.payments.demo_gateway.double import StripeDouble
from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.site import Site
from tests.browser.steps import press, reload_until


def move_money_for_no_order(site: Site) -> None:
    """The card service takes 12.50 and does not say for what."""
    StripeDouble(site.data_dir / "test_payments.sqlite3", "", site.url).adjust(-1_250, "Reader")


def test_an_administrator_closes_a_month(site, open_context):
    move_money_for_no_order(site)
    page = watch(open_context().new_page())
    main = page.locator("main")
    sign_in(page, "admin@example.org")

    page.goto("/admin/recovery")
    expect(main).to_contain_text("Unexplained money")
    check_access(page)
    page.get_by_role("link", name="Invoiced, earned, collected by month").click()
    check_access(page)
    row = main.locator("tbody tr").last
    shown = row.locator("td a").first.inner_text()
    row.locator("td a").first.click()
    expect(main.locator("h1")).to_contain_text("Entries behind")
    expect(main.locator("tfoot")).to_contain_text(shown)
    expect(main.locator("tbody tr").first).to_contain_text("Sale")
    check_access(page)

    page.goto("/admin/payments/reconciliation")
    press(page, "Ask now")
    reload_until(page, main.get_by_text("Nobody yet").count)
    page.locator("main tbody th a").first.click()
    expect(main.locator("h1")).to_have_text("CAD -12.50")
    page.get_by_role("button", name="I look after it").click()
    expect(main).to_contain_text("Looked after by")
    check_access(page)
    page.locator("select[name=account]").select_option("Expenses:Processor")
    page.locator("textarea[name=explanation]").fill("The card reader of the fair")
    page.get_by_role("button", name="Explain").click()
    expect(main).to_contain_text("The movement is explained")

    page.goto("/admin/ledger")
    press(page, "Check now")
    reload_until(page, main.get_by_text("Everything is explained").count)
    check_access(page)
    page.get_by_role("link", name="Months").click()
    check_access(page)
    button = page.get_by_role("button", name=re.compile("^Check and close"))
    month = re.search(r"\d{4}-\d\d", button.inner_text()).group()
    button.click()
    expect(main).to_contain_text("The month is closed")
    expect(main.get_by_role("row", name=re.compile(month))).to_be_visible()
    check_access(page)

    page.goto("/admin/recovery/runs?all=1")
    page.locator("main a[href*='/admin/recovery/runs/']").first.click()
    page.locator("input[name=amount]").first.fill("250")
    page.locator("input[name=spent_on]").fill(f"{month}-15")
    page.locator("form[action$='/costs'] button").click()
    expect(main).to_contain_text("is closed and takes nothing any more. Choose a day from")
    expect(page.locator("input[name=amount]").first).to_have_value("250")
    check_access(page)

    phone = watch(open_context(viewport=PHONE).new_page())
    sign_in(phone, "admin@example.org")
    for address in (
        "/admin/recovery", "/admin/reports/recovery-by-month?period=all",
        "/admin/reports/recovery-entries?period=all", "/admin/payments/reconciliation",
        "/admin/ledger", "/admin/ledger/entries", "/admin/ledger/months",
        re.sub(r"/costs$", "", page.url),
    ):  # fmt: skip
        phone.goto(address)
        check_access(phone)
