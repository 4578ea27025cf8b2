"""What people do in the journeys, by the controls alone: the same in every language."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyotp
import yaml
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PASSWORD, check_access
from tests.browser.site import ROOT, Site, link_in

PACKAGES = ROOT / "content_packages"
PAID = "tools-for-community-planning"
PRIMARY = "main .button-primary"


@dataclass(frozen=True)
class Visitor:
    """A person of a journey."""

    name: str
    email: str
    country: str = "BO"


def press(page: Page, name: str) -> None:
    """Press a button that sends a form, and wait until what follows is loaded."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def reload_until(page: Page, shows: Callable[[], object], seconds: float = 90) -> None:
    """A worker does it: load the page again, as it says, until it shows.

    The page before must be loaded: one that is still on its way cannot be loaded again.
    """
    ends = time.monotonic() + seconds
    while not shows():
        assert time.monotonic() < ends, f"{page.url} does not show what was waited for"
        time.sleep(0.3)
        page.wait_for_load_state()
        page.reload()


def set_up_second_factor(page: Page) -> pyotp.TOTP:
    """From the page's link, such as the yellow box of a desk, to the recovery codes and back."""
    page.locator("main a[href*='second-factor']").first.click()
    check_access(page)
    page.locator("input[name=present_password]").fill(PASSWORD)
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("set-up"))
    check_access(page)
    app = pyotp.TOTP(page.locator("main p .code").inner_text().replace(" ", ""))
    page.locator("input[name=code]").fill(app.now())
    page.locator(PRIMARY).click()
    expect(page.locator("main li.code")).to_have_count(10)
    check_access(page)
    page.locator("main a.button-primary").click()
    return app


def remove_second_factor(page: Page) -> None:
    """Sign in with the password alone again, as other journeys do."""
    page.goto("/account/second-factor")
    page.locator("main .button-danger").click()
    page.locator("dialog[open] button[value=yes]").click()
    expect(page.locator("main input[name=present_password]")).to_be_visible()


def register(page: Page, site: Site, visitor: Visitor) -> None:
    """Make an account and confirm it by the mail that arrives."""
    page.goto("/register")
    page.locator("input[name=name]").fill(visitor.name)
    page.locator("input[name=email]").fill(visitor.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("select[name=country]").select_option(visitor.country)
    page.locator("input[name=accept]").check()
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("check-mailbox"))
    mail = site.wait_for_mail(visitor.email, ".")
    page.goto(link_in(mail, r"https?://\S+/confirm/\S+"))
    if page.locator(f"{PRIMARY}").count() and "/confirm/" in page.url:
        page.locator(PRIMARY).first.click()
    if "/sign-in" in page.url:
        page.locator("input[name=email]").fill(visitor.email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator(PRIMARY).click()
    page.goto("/my/courses")
    assert "/sign-in" not in page.url


def find_course(page: Page, words: str, slug: str = PAID) -> None:
    """Search the catalogue and open the course."""
    page.goto("/")
    search = page.locator("main form[role=search], main form.search").first
    search.locator("input[name=q]").fill(words)
    search.locator("button").click()
    page.locator(f"main a[href*='/courses/{slug}']").first.click()
    page.wait_for_url(re.compile(f"/courses/{slug}"))


def go_to_checkout(page: Page) -> None:
    """Press the button of the first run that can be bought."""
    page.locator("main a[href*='/checkout/']").first.click()
    page.wait_for_url(re.compile("/checkout/"))


def pay_by_card(page: Page, card: str = "4242 4242 4242 4242") -> None:
    """From the checkout to the hosted page, and pay there."""
    page.locator("input[name=gateway][value=stripe]").check()
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/test-payments/"))
    page.locator("#card").fill(card)
    page.locator("button[name=way][value=card]").click()


def wait_until_enrolled(page: Page, seconds: float = 30) -> None:
    """The order page tells of the payment, whether the webhook came before or after."""
    page.wait_for_url(re.compile("/orders/"))
    expect(page.locator("main a[href*='/study/']").first).to_be_visible(timeout=seconds * 1000)


def course_activities(slug: str = PAID) -> Iterator[dict[str, Any]]:
    """The activities of a shipped course in order, as its package has them."""
    for path in sorted((PACKAGES / slug / "modules").glob("*/[0-9]*.yaml")):
        document = yaml.safe_load(path.read_text())
        document["slug"] = path.stem.split("-", 1)[1]
        yield document


def _plain(text: str) -> str:
    """A text without marks and spaces, to compare what is shown with what was written."""
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\W_]+", "", text).lower()


def answer(
    questions: Locator, document: dict[str, Any], language: str, *, right: bool = True
) -> None:
    """Answer the shown questions of a quiz, rightly or wrongly."""
    known = {
        _plain(question["prompt"][language]): question
        for question in document["settings"].get("questions") or document["questions"]
    }
    for shown in questions.all():
        prompt = _plain(shown.locator(".question-prompt").inner_text())
        question = known.get(prompt) or next(q for key, q in known.items() if key in prompt)
        _answer_one(shown, question, language, right)


def _answer_one(shown: Locator, question: dict[str, Any], language: str, right: bool) -> None:
    kind = question["kind"]
    if kind == "multiple_choice":
        wanted = [c for c in question["choices"] if bool(c.get("correct")) is right]
        if question.get("single", True):
            wanted = wanted[:1]
        for choice in wanted:
            shown.locator(f"input[value='{choice['id']}']").check()
    elif kind == "true_false":
        value = question["correct"] is right
        shown.locator(f"input[value='{'true' if value else 'false'}']").check()
    elif kind == "numerical":
        value = question["value"] if right else question["value"] + 1000
        text = f"{value:g}".replace(".", "," if language in ("es", "fr", "pt") else ".")
        shown.locator("input").fill(text)
    else:
        shown.locator("input").fill(question["accept"][language][0] if right else "?")


def take_quiz(page: Page, document: dict[str, Any], language: str, *, right: bool = True) -> None:
    """Start an attempt on the quiz page, answer and hand in; ends on the result."""
    page.locator(".quiz-start button").click()
    page.wait_for_url(re.compile("/attempts/"))
    answer(page.locator("fieldset.question"), document, language, right=right)
    page.locator("button[name=action][value=hand_in]").click()
    page.wait_for_load_state()
    dialog = page.locator("dialog[open] .button-primary, dialog[open] button[value=confirm]")
    if dialog.count():
        dialog.first.click()
    confirmed = page.locator("button[name=confirmed]")
    if confirmed.count():
        confirmed.click()
    page.wait_for_url(re.compile("/result|/attempts/"))


def write_post(page: Page, title: str, text: str) -> None:
    """Start a discussion from the forum's page."""
    page.locator("main a[href*='/new'], main a[href*='/start']").first.click()
    page.locator("input[name=title]").fill(title)
    page.locator("textarea[name=text]").fill(text)
    page.locator(PRIMARY).click()
    page.wait_for_url(re.compile("/discussions?/"))


def study(page: Page, study_url: str, language: str, words: str, slug: str = PAID) -> None:
    """Do every activity of the course, one after the other."""
    for document in course_activities(slug):
        page.goto(f"{study_url}/{document['slug']}")
        if document["kind"] == "quiz":
            take_quiz(page, document, language)
            continue
        if document["kind"] == "forum":
            write_post(page, f"{words}: {document['slug']}", f"{words}. " * 12)
            continue
        page.locator(f".study-steps {PRIMARY.split()[-1]}").click()
        page.wait_for_load_state()


def study_address(page: Page) -> str:
    """The address of the run that a link on the page leads to, without the activity."""
    link = page.locator("main a[href*='/study/']").first.get_attribute("href") or ""
    found = re.search(r"/study/\d+", link)
    assert found, link
    return found.group()


def wait_for_certificate(page: Page) -> str:
    """Look at one's certificates until the PDF is there; gives its address."""
    page.goto("/my/certificates")
    link = page.locator("main a[href*='.pdf']")
    reload_until(page, link.count)
    return str(link.first.get_attribute("href"))
