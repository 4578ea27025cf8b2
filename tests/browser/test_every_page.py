"""Every page that can be reached by links, as each role: opens, is accessible, does not overflow.

The crawl follows links of one's own site and opens one address of each endpoint (several of the
study page, one for each kind of activity), so that a new page is tested as soon as it is linked.
"""

from __future__ import annotations

from collections import Counter, deque
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

from lms.app import create_app
from lms.config import Settings
from tests.browser.conftest import DESKTOP, PHONE, sign_in, violations, watch

ROLES = {
    "stranger": ["/", "/sign-in", "/verify/PU-0000-0000-0000-0000", "/no/such/page"],
    "learner": ["/", "/my/courses", "/account"],
    "instructor": ["/teach/", "/my/courses"],
    "association": ["/verify", "/verify/many", "/verify/programs"],
    "admin": ["/admin/", "/teach/", "/"],
}
# Several addresses of these: what they show depends on the activity.
MORE = {"courses.study": 5, "courses.preview_activity": 4, "courses.course_page": 2}
# Answers that are no pages.
NO_PAGE = {
    "static", "courses.media", "courses.share_picture", "courses.calendar_feed", "site.constant",
    "metrics.show", "health.alive", "health.ready",
}  # fmt: skip
# Rules whose outcome depends on what is shown, and how large.
OF_WIDTH = (
    "target-size", "scrollable-region-focusable", "aria-hidden-focus", "button-name", "link-name",
    "label", "nested-interactive",
)  # fmt: skip
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> MapAdapter:
    settings = Settings(data_dir=tmp_path_factory.mktemp("routes"), secret_key="k", demo=True)
    return create_app(settings, testing=True).url_map.bind("127.0.0.1")


@pytest.fixture(scope="module")
def looked_at() -> Counter[str]:
    """How many pages of each endpoint were looked at thoroughly, by whichever role."""
    return Counter()


def endpoint_of(routes: MapAdapter, address: str) -> str | None:
    """The endpoint that answers a GET of this address; None when there is none."""
    try:
        return str(routes.match(urlsplit(address).path, method="GET")[0])
    except RequestRedirect as redirect:
        return endpoint_of(routes, redirect.new_url)
    except HTTPException:
        return None


def look_at(page: Page, complaints: list[str], *, again: bool) -> None:
    """Check one page: both widths, light and dark; wide, only what the width can change.

    again: another role has seen this kind of page; what this role alone sees shows when it is wide.
    """
    for size, rules in ((DESKTOP, ()),) if again else ((PHONE, ()), (DESKTOP, OF_WIDTH)):
        page.set_viewport_size(size)
        page.evaluate(DRAWN)  # what depends on the width has been measured
        for problem in violations(page, *rules):
            complaints.append(f"{page.url} at {size['width']}: {problem}")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wide > 1:
            complaints.append(f"{page.url} at {size['width']} scrolls sideways by {wide} px")
    if not again:
        page.emulate_media(color_scheme="dark")
        for problem in violations(page, "color-contrast"):
            complaints.append(f"{page.url} in the dark: {problem}")
        page.emulate_media(color_scheme="light")
    headings = page.locator("h1").count()
    if headings != 1:
        complaints.append(f"{page.url} has {headings} first headings")


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_and_is_accessible(site, open_context, routes, looked_at, role):
    page = watch(open_context().new_page())
    if role != "stranger":
        sign_in(page, site.demo["accounts"][role]["email"])
    waiting = deque(ROLES[role])
    opened: dict[str, int] = {}
    seen: set[str] = set()
    complaints: list[str] = []
    while waiting:
        address = waiting.popleft()
        endpoint = endpoint_of(routes, address) or address
        if address in seen or opened.get(endpoint, 0) >= MORE.get(endpoint, 1):
            continue
        seen.add(address)
        head = page.request.fetch(address, method="GET", max_redirects=5)
        if "text/html" not in head.headers.get("content-type", ""):
            continue
        opened[endpoint] = opened.get(endpoint, 0) + 1
        answer = page.goto(address)
        expected = {404} if endpoint == address or "0000-0000" in address else {200}
        if answer is None or answer.status not in expected:
            complaints.append(f"{address} answered {answer.status if answer else None}")
            continue
        look_at(page, complaints, again=looked_at[endpoint] >= MORE.get(endpoint, 1))
        looked_at[endpoint] += 1
        for link in page.locator("a[href]").evaluate_all("all => all.map(a => a.href)"):
            parts = urlsplit(urljoin(site.url, link))
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            where = endpoint_of(routes, path)
            if parts.netloc == urlsplit(site.url).netloc and where and where not in NO_PAGE:
                waiting.append(path)

    assert complaints == []
    assert len(opened) >= 8, f"{role} reached only {sorted(opened)}"
