"""The main job in one go: find, pay, study, pass, hold a certificate that anyone can verify."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from pypdf import PdfReader

from tests.browser.conftest import check_access, sign_in, watch
from tests.browser.steps import (
    PAID,
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


def test_a_learner_finds_pays_studies_passes_and_is_verified(site, page, open_context, tmp_path):
    ana = Visitor("Ana María Ñaupari Quispe", "ana@journey.example")
    register(page, site, ana)

    find_course(page, "planning community")
    expect(page.locator("h1")).to_contain_text("Tools for community planning")
    check_access(page)
    go_to_checkout(page)
    check_access(page)
    pay_by_card(page)
    wait_until_enrolled(page)
    receipt = site.wait_for_mail(ana.email, "(?i)receipt")
    assert [part.get_content_type() for part in receipt.iter_attachments()] == ["application/pdf"]

    page.goto("/my/courses")
    check_access(page)
    address = study_address(page)
    study(page, address, "en", "What I saw in my neighbourhood")

    site.wait_for_mail(ana.email, "(?i)certificate")
    link = wait_for_certificate(page)
    check_access(page)
    pdf = page.request.get(link)
    assert pdf.ok
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf.body())
    reader = PdfReader(path)
    text = " ".join(reader.pages[0].extract_text().split())
    assert len(reader.pages) == 1
    assert ana.name in text
    assert "Tools for community planning" in text

    code = re.search(r"PU(-[0-9A-Z]{4})+", text).group()
    stranger = watch(open_context().new_page())
    stranger.goto(f"/verify/{code}")
    expect(stranger.locator("h1")).to_contain_text("valid")
    expect(stranger.locator("main")).to_contain_text("12")
    check_access(stranger)
    stranger.goto("/verify")
    stranger.locator("input[type=file]").set_input_files(path)
    stranger.locator("form[enctype] button").click()
    expect(stranger.locator("h1")).to_contain_text("valid")
    badge = stranger.request.get(f"/verify/{code}.json").json()
    assert "OpenBadgeCredential" in badge["type"]

    page.goto("/my/courses")
    expect(page.locator(".learning-timeline")).to_contain_text("earned")

    instructor = watch(open_context().new_page())
    sign_in(instructor, "instructor@example.org")
    instructor.goto(f"/teach/courses/{PAID}")
    instructor.locator("a[href*='learners']").first.click()
    expect(instructor.locator("main")).to_contain_text(ana.name)
    check_access(instructor)
    instructor.get_by_role("link", name=ana.name).first.click()
    expect(instructor.locator(".learning-timeline")).to_contain_text("completed")

    administrator = watch(open_context().new_page())
    sign_in(administrator, "admin@example.org")
    administrator.goto("/admin/reports/")
    expect(administrator.locator("main")).to_contain_text("CAD")
    check_access(administrator)
    administrator.goto("/admin/payments?q=Ana María")
    expect(administrator.locator("main")).to_contain_text("CAD 180.00")
