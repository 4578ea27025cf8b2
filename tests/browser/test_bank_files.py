"""A transfer found in the bank's file, a line that nobody knows, and a partner that confirms."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import (
    PRIMARY,
    Visitor,
    find_course,
    go_to_checkout,
    register,
    remove_second_factor,
    set_up_second_factor,
)

NARROW = {"width": 320, "height": 700}


def order_by_transfer(page: Page) -> str:
    """Choose to transfer; gives the number of the order."""
    find_course(page, "planning community")
    go_to_checkout(page)
    page.locator("select[name=province]").select_option("QC")
    page.locator("input[name=gateway][value=bank_transfer]").check()
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/orders/"))
    found = re.search(r"P-\d{4}-\d{6}", page.locator("main").inner_text())
    assert found is not None
    return found.group()


def test_the_banks_file_confirms_a_transfer_and_a_person_explains_the_rest(
    site, page, open_context
):
    buyer = Visitor("Nora Peña", "nora@journey.example", "CA")
    register(page, site, buyer)
    number = order_by_transfer(page)
    order_page = page.url
    admin = watch(open_context().new_page())
    main = admin.locator("main")
    sign_in(admin, "admin@example.org")
    day = datetime.now(UTC).strftime("%d/%m/%Y")
    rows = [
        "Fecha;Descripción;Ordenante;Importe",
        f"{day};Transferencia {number.replace('-', '')};Nora Peña;180,00",
        f"{day};Comisión del día;;-3,25",
    ]
    content = "\r\n".join(rows).encode("cp1252")

    admin.goto("/admin/payments/bank")
    check_access(admin)
    admin.get_by_role("link", name="Example Bank, CAD").first.click()
    check_access(admin)
    upload = admin.locator("input[type=file]")
    upload.set_input_files({"name": "mayo.csv", "mimeType": "text/csv", "buffer": b"PK\x03\x04"})
    admin.get_by_role("button", name="Look at the file").click()
    expect(main).to_contain_text("This is a spreadsheet")
    check_access(admin)
    upload.set_input_files({"name": "mayo.csv", "mimeType": "text/csv", "buffer": content})
    admin.get_by_role("button", name="Look at the file").click()
    expect(main).to_contain_text("Confirms the order")
    expect(main).to_contain_text("Comisión del día")
    admin.get_by_text("How the file is read").click()
    check_access(admin)
    preview = admin.url
    for size in (PHONE, NARROW):
        phone = watch(open_context(viewport=size).new_page())
        sign_in(phone, "admin@example.org")
        phone.goto(preview)
        check_access(phone)
    admin.get_by_role("button", name="Book these lines").click()
    expect(main).to_contain_text("1 line waits for a person", timeout=30_000)
    check_access(admin)

    admin.get_by_role("link", name="Look at them").click()
    admin.wait_for_url(re.compile("/reconciliation"))
    check_access(admin)
    admin.locator("select[name=account]").select_option(label="Fees of the bank")
    admin.locator("textarea[name=explanation]").fill("Fees of the month")
    admin.get_by_role("button", name="Explain those that you chose").click()
    expect(main).to_contain_text("Choose one movement or more in the list.")
    check_access(admin)
    phone = watch(open_context(viewport=NARROW).new_page())
    sign_in(phone, "admin@example.org")
    phone.goto("/admin/payments/reconciliation")
    check_access(phone)
    admin.get_by_role("link", name="Example Bank, CAD").first.click()
    expect(main).to_contain_text("It names no order.")
    check_access(admin)
    admin.locator("select[name=account]").select_option(label="Fees of the bank")
    admin.locator("textarea[name=explanation]").fill("Fee of the month")
    admin.get_by_role("button", name="Explain").click()
    expect(main).to_contain_text("The movement is explained")
    page.goto(order_page)
    expect(page.locator("main")).to_contain_text("Paid. You are enrolled.")


def test_a_partners_people_confirm_what_they_collected(site, open_context):
    page = watch(open_context(viewport=PHONE).new_page())
    sign_in(page, "instructor@example.org")
    page.goto("/partners")
    page.get_by_role("link", name="Collections").click()
    main = page.locator("main")
    expect(main).to_contain_text("Rubén Apaza Flores")
    check_access(page)
    set_up_second_factor(page)
    page.goto("/partners/collections")
    row = page.locator("li", has_text="Rubén Apaza Flores").first
    row.get_by_text("The money has come").click()
    check_access(page)
    row.locator("input[name=amount]").fill("1")
    row.locator("input[name=reference]").fill("QR-000002")
    row.get_by_role("button", name="Confirm and enrol").click()
    expect(main).to_contain_text("The amount is not the total of the order")
    check_access(page)
    row.locator("input[name=amount]").fill("270.00")
    row.get_by_role("button", name="Confirm and enrol").click()
    expect(page.locator("body")).to_contain_text("is recorded")
    expect(main).to_contain_text("Nobody has to pay at the moment")
    remove_second_factor(page)

    buyer = watch(open_context(viewport=NARROW).new_page())
    sign_in(buyer, "payer2@example.org")
    buyer.goto("/orders")
    buyer.locator("main a[href*='/orders/']").first.click()
    check_access(buyer)
