"""An employer orders ten places by an offer and gives some away; a newcomer studies on one."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, check_access, watch
from tests.browser.site import link_in
from tests.browser.steps import (
    PRIMARY,
    Visitor,
    find_course,
    pay_by_card,
    register,
)


def both_widths(page) -> None:
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        check_access(page)


def test_an_employer_orders_ten_places_by_an_offer_and_a_newcomer_studies_on_one(
    site, page, open_context
):
    register(page, site, Visitor("Ana Torrico", "ana@employer.example", "BO"))
    find_course(page, "tools")
    page.locator("main a[href*='/places/buy/']").click()
    both_widths(page)
    page.locator("select[name=run]").select_option(index=1)  # one that has not begun
    page.locator("input[name=seats]").fill("10")
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/buy/seats/"))
    page.locator("details.disclosure summary").first.click()
    page.locator("input[name=organisation]").fill("Alcaldía de Tarija")
    page.locator("input[name=purchase_order]").fill("OC-7")
    both_widths(page)
    page.get_by_role("button", name="Ask for an offer").click()
    page.wait_for_url(re.compile("/orders/"))
    expect(page.locator("main")).to_contain_text("This price holds until")
    both_widths(page)
    with page.expect_download() as paper:
        page.get_by_role("link", name="Download the offer (PDF)").click()
    [sheet] = PdfReader(paper.value.path()).pages
    accept = page.get_by_role("button", name=re.compile("Accept and order for"))
    sum_of_offer = accept.inner_text().split()[-1]
    assert sum_of_offer in sheet.extract_text()
    pay_by_card(page)
    page.wait_for_url(re.compile("/orders/"))
    onward = page.locator("main a[href*='/places/']").first
    expect(onward).to_be_visible(timeout=30_000)
    onward.click()
    page.wait_for_url(re.compile(r"/places/[0-9a-f-]{36}"))

    page.locator("textarea[name=addresses]").fill("eva@employer.example\njuan@employer.example")
    page.locator("main select[name=language]").select_option("es")
    page.locator(PRIMARY).first.click()
    expect(page.locator("tr", has_text="juan@employer.example")).to_be_visible()
    page.locator("form[action$='/code'] button").click()
    code = page.locator("#code p.strong code").inner_text()
    both_widths(page)

    mail = site.wait_for_mail("eva@employer.example", ".")
    assert "Ana Torrico" in mail.get_body(("plain",)).get_content()
    newcomer = watch(open_context(viewport=PHONE, locale="es").new_page())
    newcomer.goto(link_in(mail, r"https?://\S+/places/invitation/\w+"))
    check_access(newcomer)
    newcomer.locator("main a[href*='/register']").click()
    newcomer.locator("input[name=name]").fill("Eva Rojas")
    newcomer.locator("input[name=email]").fill("eva@employer.example")
    newcomer.locator("input[name=password]").fill(PASSWORD)
    newcomer.locator("main select[name=country]").select_option("BO")
    newcomer.locator("input[name=accept]").check()
    newcomer.locator(PRIMARY).click()
    newcomer.wait_for_url(re.compile("check-mailbox"))
    confirm = site.wait_for_mail("eva@employer.example", "(?i)confirm|direcci")
    newcomer.goto(link_in(confirm, r"https?://\S+/confirm/\S+"))
    if "/confirm/" in newcomer.url:
        newcomer.locator(PRIMARY).first.click()
    newcomer.wait_for_url(re.compile("/places/invitation/"))
    check_access(newcomer)
    newcomer.locator("input[name=shares_result]").check()
    newcomer.locator(PRIMARY).click()
    newcomer.wait_for_url(re.compile(r"/study/\d+"))
    newcomer.goto("/my/courses")
    check_access(newcomer)

    colleague = watch(open_context().new_page())
    register(colleague, site, Visitor("Luis Vargas", "luis@employer.example", "BO"))
    colleague.goto("/places/code")
    both_widths(colleague)
    colleague.locator("input[name=code]").fill(code.lower())
    colleague.locator(PRIMARY).click()
    colleague.wait_for_url(re.compile("/places/code/"))
    colleague.locator(PRIMARY).click()
    colleague.wait_for_url(re.compile(r"/study/\d+"))

    page.reload()
    expect(page.locator("tr", has_text="Eva Rojas")).to_be_visible()
    expect(page.locator("tr", has_text="Luis Vargas")).to_be_visible()
    page.locator("main a[href$='/return']").click()
    both_widths(page)
    page.locator("input[name=count]").fill("3")
    page.locator("main form button").first.click()
    page.locator("button[name=confirm]").click()
    page.wait_for_url(re.compile(r"/places/[0-9a-f-]{36}$"))
    assert page.locator("main table tbody tr").count() == 7
