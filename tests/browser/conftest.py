"""Fixtures of the browser journeys: a real product, a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from tests.browser.site import PASSWORD, Site
from tools.system import find_chromium

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo, running. Shared by the journeys: each uses people of its own."""
    running = Site(tmp_path_factory.mktemp("site"))
    running.prepare()
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium was found: install the package chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def open_context(browser: Browser, site: Site) -> Iterator[Callable[..., BrowserContext]]:
    """Another browser of another person: `open_context(viewport=PHONE, locale="es")`."""
    opened: list[BrowserContext] = []

    def open_one(**options) -> BrowserContext:
        options.setdefault("viewport", DESKTOP)
        options.setdefault("locale", "en-CA")
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(base_url=site.url, **options)
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    return watch(open_context().new_page())


def watch(page: Page) -> Page:
    """Fail when a page reports an error of its scripts or of its content policy."""

    def complain(message) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            raise AssertionError(f"{page.url}: {message.text}")

    def crash(error) -> None:
        raise AssertionError(f"{page.url}: {error}")

    page.on("console", complain)
    page.on("pageerror", crash)
    return page


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in through the form."""
    page.goto("/sign-in")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.locator("main form button").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def violations(page: Page, *rules: str) -> list:
    """What axe finds, of WCAG 2.2 AA or of these rules alone.

    It is loaded once into each page, and tells of nothing but violations. A page that gives way to
    the next one while it is looked at is not looked at: the next one is.
    """
    try:
        found = _run_axe(page, rules)
    except Error:
        page.wait_for_load_state()
        found = _run_axe(page, rules)
    return [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in found]


def _run_axe(page: Page, rules: Sequence[str]) -> list:
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    only = {"type": "rule", "values": list(rules)} if rules else WCAG
    return page.evaluate(
        "options => axe.run(options).then(found => found.violations)",
        {"runOnly": only, "resultTypes": ["violations"]},
    )


def check_access(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe finds, light and dark, and nothing scrolls sideways."""
    for scheme, rules in (("light", ()), ("dark", ("color-contrast",))):  # it changes colours alone
        page.emulate_media(color_scheme=scheme)
        found = violations(page, *rules)
        assert found == [], f"{page.url} ({scheme}): {found}"
    page.emulate_media(color_scheme="light")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 1, f"{page.url} scrolls sideways by {wide} px"
