"""A buyer leaves a paid course: sees the sum first, gets it back, downloads what was issued."""

from __future__ import annotations

import re

from pypdf import PdfReader

from tests.browser.conftest import check_access, sign_in, watch
from tests.browser.steps import (
    Visitor,
    find_course,
    go_to_checkout,
    pay_by_card,
    register,
    reload_until,
    wait_until_enrolled,
)


def wait_for_link(page, words: str) -> str:
    """Load the page again until a link to a PDF of this kind is there."""
    link = page.locator("main a[href^='/invoices/']", has_text=re.compile(words))
    reload_until(page, link.count)
    return str(link.first.get_attribute("href"))


def words_of(page, address: str) -> str:
    """What a downloaded PDF says."""
    with page.expect_download() as download:
        page.evaluate("address => { location.href = address }", address)
    return "".join(one.extract_text() for one in PdfReader(download.value.path()).pages)


def test_a_buyer_leaves_and_gets_the_money_back(site, page, open_context):
    register(page, site, Visitor("Nora Tremblay", "nora@leaves.example", "CA"))
    find_course(page, "tools")
    go_to_checkout(page)
    page.locator("select[name=province]").select_option("QC")
    page.locator("details.disclosure summary").first.click()
    page.locator("input[name=organisation]").fill("Ville de Gatineau")
    page.locator("input[name=purchase_order]").fill("BC-77")
    check_access(page)
    pay_by_card(page)
    wait_until_enrolled(page)
    order = page.url.split("?")[0]

    page.goto(order)
    invoice = wait_for_link(page, "PUENTE-2")
    text = words_of(page, invoice)
    assert "Ville de Gatineau" in text
    assert "QST 9.975 %" in text
    assert "BC-77" in text

    page.locator("main a[href$='/leave']").click()
    page.wait_for_url(re.compile("/leave$"))
    check_access(page)
    shown = re.search(r"[A-Z]{3} [\d.,]+", page.locator("main .card h2").first.inner_text())
    assert shown is not None
    page.locator("main .button-danger").click()
    page.wait_for_url(re.compile(r"/orders/[0-9a-f-]+$"))
    check_access(page)
    note = wait_for_link(page, "PUENTE-C-")
    text = words_of(page, note)
    assert invoice != note
    assert shown[0].replace("\u00a0", " ") in text.replace("\u00a0", " ")

    desk = watch(open_context().new_page())
    sign_in(desk, "admin@example.org")
    for address in ("invoices", "tax-sheet", "tax-rows", "sellers"):
        desk.goto(f"/admin/invoicing/{address}")
        check_access(desk)
    desk.goto("/admin/payments/refund-policies")
    check_access(desk)
