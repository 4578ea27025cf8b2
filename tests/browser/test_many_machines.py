"""The main job across two servers and two workers, one of each killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESKTOP, watch
from tests.browser.many_machines import BUCKET, ManyMachines, many_machines
from tests.browser.steps import (
    Visitor,
    course_activities,
    find_course,
    go_to_checkout,
    pay_by_card,
    register,
    study_address,
    take_quiz,
    wait_for_certificate,
    wait_until_enrolled,
    write_post,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManyMachines]:
    with many_machines(tmp_path_factory.mktemp("machines")) as running:
        yield running


def test_the_main_job_survives_the_loss_of_a_server_and_a_worker(
    machines: ManyMachines, browser: Browser
):
    context = browser.new_context(base_url=machines.url, viewport=DESKTOP, locale="en-CA")
    context.set_default_timeout(30_000)
    page = watch(context.new_page())
    ana = Visitor("Ana Quispe", "ana@machines.example")
    register(page, machines, ana)
    find_course(page, "planning")
    go_to_checkout(page)
    pay_by_card(page)
    wait_until_enrolled(page, 60)
    page.goto("/my/courses")
    address = study_address(page)

    activities = list(course_activities())
    for number, document in enumerate(activities):
        if number == len(activities) // 2:
            machines.kill_one_of_each()
        page.goto(f"{address}/{document['slug']}")
        if document["kind"] == "quiz":
            take_quiz(page, document, "en")
        elif document["kind"] == "forum":
            write_post(page, f"About {document['slug']}", "What I saw in my street. " * 8)
        else:
            page.locator(".study-steps .button-primary").click()
            page.wait_for_load_state()

    answer = page.request.get(wait_for_certificate(page))
    assert answer.body().startswith(b"%PDF")
    machines.wait_for_mail(ana.email, "(?i)certificate", 60)
    stranger = watch(browser.new_context(base_url=machines.url, locale="en-CA").new_page())
    page.goto("/my/certificates")
    stranger.goto(page.locator("main a[href*='/verify/']").first.get_attribute("href"))
    expect(stranger.locator("h1")).to_contain_text("valid")
    receipts = [m for m in machines.mails(ana.email) if "receipt" in str(m["Subject"]).lower()]
    assert len(receipts) == 1, "a mail is sent once, whoever died"
    context.close()


def test_uploads_lie_in_the_common_store(machines: ManyMachines):
    import json

    import boto3

    options = json.loads(machines.extra["LMS_FILES_OPTIONS"])
    client = boto3.client(
        "s3", endpoint_url=options["endpoint_url"], region_name="us-east-1",
        aws_access_key_id=options["key"], aws_secret_access_key=options["secret"],
    )  # fmt: skip

    assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] > 0
    assert not (machines.data_dir / "files").exists()
