"""The demo without Stripe keys: a real server and worker that pay at their own test page."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select

from lms.accounts.models import User
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, transaction
from lms.courses.models import Enrolment
from lms.payments.demo_gateway.keys import demo_keys, is_demo
from lms.payments.models import Order, Refund, WebhookEvent
from tests.browser.site import Site
from tests.factories.accounts import make_administrator, make_user
from tests.factories.payments import make_paid_run, make_voucher
from tests.payments.checkout_steps import quote_in

pytestmark = pytest.mark.slow


@dataclass
class Demo:
    """A running demo, and an app on the same data folder."""

    site: Site
    app: Flask

    def sign_in(self, user: User) -> requests.Session:
        """A browser in which the person is signed in."""
        serializer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        browser = requests.Session()
        key = open_sign_in(user)
        db.session.commit()
        cookie = serializer.dumps({"_user_id": key, "_fresh": True})
        browser.cookies.set("puente", cookie, domain="127.0.0.1", path="/")
        return browser

    def post(self, browser: requests.Session, page: str, **data: str) -> requests.Response:
        """Fill in the form of a page and send it; then look at the answer."""
        found = browser.get(self.site.url + page, timeout=30)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', found.text)
        assert token is not None, found.text
        return browser.post(
            self.site.url + page,
            data={"csrf_token": token.group(1), **data},
            allow_redirects=False,
            timeout=60,
        )

    def quote(self, browser: requests.Session, page: str, **data: str) -> str:
        """The quote for what is typed at the checkout."""
        return quote_in(self.post(browser, page, apply="1", **data).text)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    site = Site(
        tmp_path_factory.mktemp("demo"),
        extra={"LMS_SERVER_WORKERS": "2", "LMS_SERVER_THREADS": "2"},
    )
    app = create_app(Settings(data_dir=site.data_dir, demo=True, base_url=site.url), testing=True)
    if not list((Path(app.static_folder or "") / "build").glob("app-*.css")):
        pytest.skip("the style sheets and scripts are not built: node build.mjs")
    with app.app_context():
        Model.metadata.create_all(db.engine)
        site.start()
        yield Demo(site, app)
        site.stop()
        db.session.close()
        db.engine.dispose()


def wait_for(what: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not what():
        db.session.rollback()
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)
    db.session.rollback()


def test_more_payers_than_threads_pay_at_once_and_are_enrolled_by_messages(demo):
    with transaction():
        run = make_paid_run(capacity=9)
        path, run_id = f"/checkout/{run.uuid}", run.id
        browsers = [demo.sign_in(make_user()) for _number in range(10)]
    pages: list[str] = []
    barrier = threading.Barrier(len(browsers))

    def pay(browser: requests.Session) -> None:
        barrier.wait()
        quote = demo.quote(browser, path, gateway="stripe")
        answer = demo.post(browser, path, gateway="stripe", quote=quote)
        if answer.status_code != 303:
            assert answer.status_code == 409
            return
        page = answer.headers["Location"]
        assert page.startswith(f"{demo.site.url}/test-payments/pay/")
        done = requests.post(
            page, data={"card": "4242424242424242"}, allow_redirects=False, timeout=30
        )
        assert done.status_code == 303
        pages.append(page)

    threads = [threading.Thread(target=pay, args=(browser,)) for browser in browsers]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(pages) == 9
    assert time.monotonic() - began < 25  # nobody waited for a thread that waited for a thread
    enrolled = select(Enrolment.id).where(Enrolment.run_id == run_id, Enrolment.state == "active")
    wait_for(lambda: len(db.session.scalars(enrolled).all()) == 9)
    assert db.session.scalars(select(WebhookEvent.id)).first() is not None


def test_a_payment_is_made_without_script_and_refunded_by_the_worker(demo):
    with transaction():
        run, ana = make_paid_run(), make_user(name="Ana Flores", language="es")
        make_voucher("MITAD", percent=50)
        run_path, browser = f"/checkout/{run.uuid}", demo.sign_in(ana)

    wanted = {"gateway": "stripe", "voucher": "mitad"}
    quote = demo.quote(browser, run_path, **wanted)
    page = demo.post(browser, run_path, quote=quote, **wanted).headers["Location"]
    assert "PRUEBA" in requests.get(page, timeout=30).text
    declined = requests.post(page, data={"card": "4000000000000002"}, timeout=30)
    assert declined.status_code == 402
    asked = requests.post(page, data={"card": "4000002500003155"}, timeout=30)
    assert "CAD 60,00" in asked.text
    back = requests.post(page, data={"way": "bank_yes"}, allow_redirects=False, timeout=30)
    order_url = back.headers["Location"]
    wait_for(lambda: "/study/" in browser.get(order_url, timeout=30).text)
    mail = demo.site.wait_for_mail(ana.email, "(?i)receipt|recibo")
    [receipt] = mail.iter_attachments()
    assert receipt.get_content().startswith(b"%PDF")

    order = db.session.scalars(select(Order).where(Order.user_id == ana.id)).one()
    page = f"/admin/payments/orders/{order.uuid}/refund"
    done = select(Refund.id).where(Refund.order_id == order.id, Refund.state == "done")
    with transaction():
        administrator = demo.sign_in(make_administrator())
    demo.post(administrator, page)

    wait_for(lambda: db.session.scalar(done))


def test_keys_are_made_once_and_kept_from_others(tmp_path: Path):
    config = Settings(data_dir=tmp_path / "fresh", demo=True)

    assert demo_keys(config) == demo_keys(config)

    path = config.data_path / "test_payments.json"
    assert path.stat().st_mode & 0o077 == 0
    assert demo_keys(Settings(data_dir=tmp_path / "other")) != demo_keys(config)


def test_stripe_keys_switch_the_test_page_off():
    keys = {"stripe_secret_key": SecretStr("sk_test"), "stripe_webhook_secret": SecretStr("wh")}
    assert is_demo(Settings(demo=True))
    assert not is_demo(Settings(demo=True, **keys))
    assert not is_demo(Settings(demo=False))
