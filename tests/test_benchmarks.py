"""The benchmark's own arithmetic, and its generator on a very small scale."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import func, select

from benchmarks import certificates, checkout
from benchmarks.bulk import prepare
from benchmarks.data import THREAD, Generator, Sizes
from benchmarks.ledger import seed as seed_ledger
from benchmarks.load import Order, Supply, as_bytes, run
from benchmarks.orders import COURSES
from benchmarks.pages import PAGES, make_requests
from benchmarks.results import Measure, Results, judge
from benchmarks.weights import Weight
from lms.app import create_app
from lms.certificates.services.verify import verify_code
from lms.config import Settings
from lms.core.db import Model, db
from lms.courses.models import Enrolment
from lms.forums.models import Post
from lms.ledger.models import LedgerEntry
from lms.ledger.services.check import unexplained
from lms.payments.models import Order as PaidOrder
from lms.payments.models import Payment
from lms.xapi.models import StoredStatement
from tests.factories.courses import make_course

PAGE = {page.name: page for page in PAGES}
SPEEDS = certificates.Speeds(1.0, 1.0, 1.0)


def measure(page="empty", readers=8, rate=20, constant=100, errors=0, times=None):
    found = Measure(PAGE[page], readers)
    found.sample.times, found.sample.seconds = times or [0.01] * rate, 1.0
    found.sample.errors = errors
    found.constant.times, found.constant.seconds = [0.001] * constant, 1.0
    return found


def results(*measures, weights=None):
    return Results("SQLite", {}, SPEEDS, 0, list(measures), weights or {})


def verdict(found, word):
    return next(v for v in judge(found) if word in v.target)


@pytest.mark.parametrize(("rate", "is_met"), [(20, True), (19, False)])
def test_a_ratio_is_the_share_of_the_constant_answers_rate(rate, is_met):
    one = measure(rate=rate)

    assert one.ratio == pytest.approx(rate / 100)
    assert verdict(results(one), "of the constant").is_met is is_met


def test_processor_time_is_for_one_answer():
    one = measure(rate=20)
    one.sample.processor, one.constant.processor = 0.1, 0.1

    assert one.sample.processor_ms() == pytest.approx(5.0)
    assert one.processor_ratio == pytest.approx(0.2)


def test_one_error_is_a_miss():
    assert verdict(results(measure()), "no errors").is_met
    assert not verdict(results(measure(errors=1)), "no errors").is_met


def test_slow_answers_beside_quick_ones_are_a_miss():
    even, uneven = [0.01] * 100, [0.01] * 90 + [0.04] * 10

    assert verdict(results(measure(times=even)), "p95").is_met
    assert not verdict(results(measure(times=uneven)), "p95").is_met


def test_weights_are_judged_by_who_reads_the_page():
    heavy = Weight(page=10_000, first_visit=70_000)
    found = results(measure("catalogue"), measure("study"), weights={"catalogue": heavy})

    assert not verdict(found, "catalogue: first").is_met
    found.weights = {"study": heavy}
    assert verdict(found, "study page: first").is_met


@pytest.fixture
def echo():
    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200 if self.path == "/yes" else 500)
            self.send_header("Content-Length", "3")
            self.send_header("X-Queries", "7")
            self.end_headers()
            self.wfile.write(b"yes")

        def log_message(self, *values):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_readers_count_answers_errors_queries_and_bytes(echo):
    requests = [(as_bytes({"method": "GET", "path": path}), 200) for path in ("/yes", "/no")]

    outcome = asyncio.run(run(Order(echo, "empty", 2, 5.0), Supply(requests, is_endless=False)))

    assert (len(outcome.times), outcome.errors, outcome.queries, outcome.bytes) == (2, 1, 7, 6)
    assert "500" in outcome.first_error


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    app = create_app(Settings(data_dir=folder, base_url="http://127.0.0.1:1", rate_limits=False))
    with app.app_context():
        Model.metadata.create_all(db.engine)
        with db.engine.connect() as connection:
            prepare(connection)
            made = Generator(connection, Sizes.at(0.001), "http://127.0.0.1:1")
            made.write()
            connection.invalidate()
        yield app, made
        db.session.close()
        db.engine.dispose()


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


@pytest.mark.slow
def test_the_generated_site_is_whole_and_its_pages_answer(site):
    app, made = site
    speeds, codes = certificates.measure(made, 3)
    certificates.fill(made)
    requests = make_requests(made, codes, {})

    assert count(StoredStatement) >= made.sizes.statements
    assert count(Enrolment) == 2 * made.sizes.learners
    assert count(Post) == THREAD * made.sizes.discussions
    assert count(PaidOrder) == count(Payment)
    assert speeds.issued > 0
    assert verify_code(codes[-1]).is_valid
    with db.engine.connect() as connection:
        assert not connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    db.session.close()
    client = app.test_client(use_cookies=False)
    for page in PAGES:
        if page.name == "statements":  # needs a key of the store
            continue
        one = requests[page.name][-1]
        answer = contextvars.Context().run(  # as a process of its own would see it
            client.open,
            one.path,
            method=one.method,
            headers=one.headers,
            data=one.body or None,
            content_type="application/x-www-form-urlencoded" if one.body else None,
        )
        assert answer.status_code == one.status, page.label


@pytest.mark.sqlite
@pytest.mark.needs("recovery")
def test_the_orders_of_the_benchmark_agree_with_their_ledger_and_its_sums(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, default_time_zone="UTC"), testing=True)
    with app.app_context():
        Model.metadata.create_all(db.engine)
        for _number in range(COURSES):
            make_course()
        db.session.close()
        with db.engine.connect() as connection:
            seed_ledger(connection, 240, runs=12)
        entries = count(LedgerEntry)
        found = unexplained()
        db.session.close()
        db.engine.dispose()

    assert entries > 3 * 240
    assert not found


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.needs("payments")
def test_buyers_of_the_benchmark_reach_the_payment_page():
    found = checkout.rates(2)

    assert [one.name for one in found[1:]] == list(checkout.LEAST)
    assert all(one.times >= 2 and one.per_second > 0 for one in found)
