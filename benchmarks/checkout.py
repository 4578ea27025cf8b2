"""`python -m benchmarks.checkout`: quotes and orders a second, beside a bare page in the same run.

Everything happens in one process, through the product's own app: the demo's card service answers
within it. Times are those of the processor, so that other work on the machine does not count; the
ratios to a page without content are what stays the same on another machine.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from flask import Flask, render_template
from flask.testing import FlaskClient

from lms.accounts.models import User
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db
from lms.core.money import Money
from lms.core.web import public
from lms.courses.models import CourseRun
from lms.payments.services.prices import Wishes, show_price
from lms.pricing.services.quotes import make_ticket
from tests.factories.accounts import make_user
from tests.factories.invoicing import make_seller
from tests.factories.payments import make_paid_run, make_voucher
from tests.factories.pricing import make_amounts, make_role, make_tiers

BARE = "/empty"
LEAST = {"a quote": 0.15, "the checkout page": 0.04, "an order up to the payment page": 0.012}


@dataclass(frozen=True)
class Rate:
    """How often a deed was done in a second of the processor."""

    name: str
    times: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Times in a second."""
        return self.times / self.seconds


def measure(name: str, deeds: Iterator[Callable[[], None]]) -> Rate:
    """Do all of them."""
    times, begun = 0, time.process_time()
    for deed in deeds:
        deed()
        times += 1
    return Rate(name, times, time.process_time() - begun)


def make_sale(buyers: int) -> tuple[CourseRun, list[User]]:
    """A run with amounts for tiers in two currencies, a voucher, and buyers whose tier is known."""
    make_tiers()
    make_seller()
    run = make_paid_run(price=Money(20_000, "CAD"))
    make_amounts(run, upper_middle=10_000, lower_middle=6_000, low=3_000)
    make_amounts(run, "BOB", high=105_000, upper_middle=52_000, lower_middle=31_000)
    make_voucher("TENTH", percent=10)
    people = [make_user(country="BO") for _number in range(buyers)]
    home = make_role(people[0], country="BO")
    for person in people[1:]:
        make_role(person, home)
    return run, people


def browser_of(app: Flask, person: User) -> FlaskClient:
    """A browser in which the person is signed in."""
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"], session["_fresh"] = open_sign_in(person), True
    return browser


def quotes(run: CourseRun, people: list[User]) -> Iterator[Callable[[], None]]:
    """What a buyer is shown with a voucher, with the ticket that holds it."""

    def quote(person: User) -> None:
        wishes = Wishes("BO", "BOB", voucher_code="TENTH")
        found = show_price(run, person, wishes).calculation
        assert found is not None
        assert found.total == Money(27_900, "BOB")
        make_ticket(found, person)

    return ((lambda person=person: quote(person)) for person in people)


def bare(browser: FlaskClient, times: int) -> Iterator[Callable[[], None]]:
    """The page without content."""

    def ask() -> None:
        assert browser.get(BARE).status_code == 200

    return (ask for _number in range(times))


def shown(browsers: list[FlaskClient], page: str) -> Iterator[Callable[[], None]]:
    """The checkout as it is opened."""

    def look(browser: FlaskClient) -> None:
        assert browser.get(page).status_code == 200

    return ((lambda browser=browser: look(browser)) for browser in browsers)


def orders(browsers: list[FlaskClient], page: str) -> Iterator[Callable[[], None]]:
    """Look at the price with a voucher, then go on to the payment page: two requests."""
    typed = {"gateway": "stripe", "country": "BO", "currency": "BOB", "voucher": "TENTH"}

    def place(browser: FlaskClient) -> None:
        answer = browser.post(page, data=typed | {"apply": "1"})
        quote = re.search(r'name="quote"[^>]*value="([^"]*)"', answer.text)
        assert quote is not None
        answer = browser.post(page, data=typed | {"quote": unescape(quote.group(1))})
        assert answer.status_code == 303
        assert "/test-payments/pay/" in answer.location

    return ((lambda browser=browser: place(browser)) for browser in browsers)


@contextmanager
def own_app() -> Iterator[Flask]:
    """The demo without its people, on SQLite, with a page that holds the frame alone."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder), demo=True, rate_limits=False, log_level="WARNING",
            base_url="http://127.0.0.1:9",
        )  # fmt: skip
        app = create_app(settings, testing=True)
        app.config["WTF_CSRF_ENABLED"] = False
        app.add_url_rule(BARE, "empty", public(lambda: render_template("core/base.html")))
        with app.app_context():
            Model.metadata.create_all(db.engine)
        yield app
        with app.app_context():
            db.engine.dispose()


def rates(buyers: int) -> list[Rate]:
    """All of them, the bare page first. Requests have a context of their own, as in a server."""
    with own_app() as app:
        with app.app_context():
            run, people = make_sale(buyers)
            page = f"/checkout/{run.uuid}"
            browsers = [browser_of(app, person) for person in people]
            db.session.commit()
            quoted = measure("a quote", quotes(run, people))
            db.session.close()
        for deed in bare(browsers[0], 20):  # the first time takes longer
            deed()
        return [
            measure("bare page, signed in", bare(browsers[0], 2 * buyers)),
            quoted,
            measure("the checkout page", shown(browsers, page)),
            measure("an order up to the payment page", orders(browsers, page)),
        ]


def main() -> int:
    """Measure, tell, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checkout", description=__doc__)
    parser.add_argument("--buyers", type=int, default=200)
    first, *others = rates(parser.parse_args().buyers)
    print("| what | a second | of the bare page |\n| --- | ---: | ---: |")
    print(f"| {first.name} | {first.per_second:,.0f} | 1 |")
    missed = 0
    for one in others:
        ratio = one.per_second / first.per_second
        missed += ratio < LEAST[one.name]
        print(f"| {one.name} | {one.per_second:,.0f} | {ratio:.3f} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
