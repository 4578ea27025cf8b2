"""The same job by other ways: a declined card, a voucher, Spanish on a phone, no JavaScript."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, check_access, sign_in, watch
from tests.browser.steps import (
    PRIMARY,
    Visitor,
    find_course,
    go_to_checkout,
    pay_by_card,
    register,
    study,
    study_address,
    wait_for_certificate,
    wait_until_enrolled,
)

DECLINED, GOOD = "4000 0000 0000 0002", "4242 4242 4242 4242"


def test_a_declined_card_costs_nothing_and_the_next_one_pays(site, page):
    register(page, site, Visitor("Luis Choque", "luis@declined.example"))
    find_course(page, "tools")
    go_to_checkout(page)

    pay_by_card(page, DECLINED)
    expect(page.locator("[role=alert]")).to_be_visible()
    check_access(page)
    assert not site.mails("luis@declined.example")[1:], "nobody is told of a payment"

    page.locator("#card").fill(GOOD)
    page.locator("button[name=way][value=card]").click()
    wait_until_enrolled(page)
    site.wait_for_mail("luis@declined.example", "(?i)receipt")


def test_somebody_who_leaves_the_payment_page_can_come_back_to_it(site, page):
    register(page, site, Visitor("Rita Vargas", "rita@abandoned.example"))
    find_course(page, "tools")
    go_to_checkout(page)
    page.locator("input[name=gateway][value=stripe]").check()
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/test-payments/"))

    page.locator("main form a").first.click()
    page.wait_for_url(re.compile("/orders/"))
    check_access(page)
    expect(page.locator("main a[href*='/study/']")).to_have_count(0)
    page.locator(PRIMARY).first.click()
    page.wait_for_url(re.compile("/test-payments/"))
    page.locator("#card").fill(GOOD)
    page.locator("button[name=way][value=card]").click()

    wait_until_enrolled(page)


@pytest.fixture
def voucher(open_context) -> str:
    """A voucher of 100 % that an administrator made in the browser."""
    page = watch(open_context().new_page())
    sign_in(page, "admin@example.org")
    page.goto("/admin/payments/vouchers/new")
    page.locator("input[name=percent]").fill("100")
    page.locator("input[name=label]").fill("Scholarship of the journey")
    check_access(page)
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile(r"/vouchers/\d+"))
    return page.locator("h1").inner_text()


def test_with_a_voucher_and_without_javascript(site, open_context, voucher, tmp_path):
    page = open_context(java_script_enabled=False).new_page()
    marie = Visitor("Marie-Ève Côté", "marie@voucher.example", "CA")
    register(page, site, marie)
    find_course(page, "planning")
    go_to_checkout(page)

    page.locator("select[name=province]").select_option("QC")
    page.locator("input[name=voucher]").fill("wrong code")
    page.locator("button[name=apply]").click()
    expect(page.locator(".field-error").first).to_be_visible()
    expect(page.locator("input[name=voucher]")).to_have_value("wrong code")
    page.locator("input[name=voucher]").fill(voucher.lower())
    page.locator("button[name=apply]").click()
    expect(page.locator("input[name=gateway]")).to_have_count(0)
    page.locator(PRIMARY).click()
    wait_until_enrolled(page)

    page.goto("/my/courses")
    study(page, study_address(page), "en", "What I saw")
    assert _certificate_names(page, tmp_path, marie.name)


def test_in_spanish_on_a_phone(site, open_context, tmp_path):
    page = watch(
        open_context(viewport=PHONE, locale="es-BO", has_touch=True, is_mobile=True).new_page()
    )
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    check_access(page)
    wayra = Visitor("Wayra Quispe Huanca", "wayra@phone.example")
    register(page, site, wayra)
    find_course(page, "planificacion")
    check_access(page)
    go_to_checkout(page)
    check_access(page)
    pay_by_card(page)
    wait_until_enrolled(page)
    check_access(page)

    page.goto("/my/courses")
    check_access(page)
    address = study_address(page)
    page.goto(f"{address}/facilitation-plan")
    check_access(page)
    study(page, address, "es", "Lo que vi en mi barrio")

    mail = site.wait_for_mail(wayra.email, "(?i)certificado")
    assert mail["Content-Language"] == "es"
    assert _certificate_names(page, tmp_path, wayra.name)
    check_access(page)


def _certificate_names(page: Page, folder: Path, name: str) -> bool:
    """Whether the downloaded certificate is one page that names the holder."""
    from pypdf import PdfReader

    answer = page.request.get(wait_for_certificate(page))
    path = folder / "certificate.pdf"
    path.write_bytes(answer.body())
    pages = PdfReader(path).pages
    return len(pages) == 1 and name in " ".join(pages[0].extract_text().split())
