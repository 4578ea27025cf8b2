"""The server dies between a payment and its enrolment: nothing is lost at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.accounts.models import User
from lms.app import create_app
from lms.core import clock, migrations, outbox
from lms.core.db import db, transaction
from lms.courses.events import CourseRunCancelled
from lms.courses.models import CourseRun, Enrolment
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.payments import jobs, queries
from lms.payments.models import Order, Payment, Refund
from lms.payments.services import orders, payments, refunds
from lms.payments.views.checkout import open_payment_page
from tests.doubles.stripe import API_KEY, WEBHOOK_SECRET
from tests.factories.accounts import make_user
from tests.factories.payments import PRICE, make_paid_run
from tests.postgres import own_database

pytestmark = pytest.mark.slow

DIES = textwrap.dedent(
    """
    import os, signal, sys
    from lms.app import create_app
    from lms.core.db import db, transaction
    from lms.courses.services import enrolment
    from lms.payments.services import payments, places
    from lms.payments import queries
    import uuid

    def die(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    places.activate = die  # the very moment between the money and the place
    app = create_app()
    with app.app_context(), transaction():
        order = queries.get_order(uuid.UUID(sys.argv[1]))
        payments.take_payment(order, "stripe", sys.argv[2], order.total)
    """
)


def test_killed_between_payment_and_enrolment(settings, tmp_path, stripe_server):
    keys = {
        "stripe_secret_key": API_KEY,
        "stripe_webhook_secret": WEBHOOK_SECRET,
        "stripe_api_base": stripe_server.address,
    }
    with stripe_server.store.change() as change:  # what other tests left at the service
        change.connection.execute("DELETE FROM things")
    with own_database(settings, tmp_path, "power", **keys) as own:
        app = create_app(own, testing=True)
        with app.app_context():
            migrations.upgrade()
            run = make_paid_run()
            with transaction():
                order = orders.place_order(run, make_user(), "stripe", country="BO")
                order_uuid = order.uuid
            with app.test_request_context():
                address = open_payment_page(order_uuid).location
            session = address.rsplit("/", 1)[1]
            stripe_server.pay(session, "4242424242424242")
            intent = stripe_server.get(session)["payment_intent"]
            db.session.rollback()
            environment = {
                **os.environ,
                "LMS_DATA_DIR": str(tmp_path),
                "LMS_SECRET_KEY": "a key for tests only",
                "LMS_BASE_URL": "http://puente.test",
                **({"LMS_DATABASE_URL": own.database_url} if own.database_url else {}),
            }

            died = subprocess.run(
                [sys.executable, "-c", DIES, str(order_uuid), intent],
                env=environment, check=False, capture_output=True, text=True,
            )  # fmt: skip

            assert died.returncode == -signal.SIGKILL, died.stderr
            assert db.session.scalars(select(Payment)).all() == []
            assert db.session.scalars(select(LedgerEntry)).all() == []
            db.session.rollback()
            jobs.sync_movements()  # what the next start finds
            db.session.expire_all()
            assert db.session.scalars(select(Order.state)).all() == ["paid"]
            assert db.session.scalars(select(Enrolment.state)).all() == ["active"]
            assert not check.unexplained()
            db.session.close()
            db.engine.dispose()


DIES_WHILE_REFUNDING = textwrap.dedent(
    """
    import os, signal
    from lms.app import create_app
    from lms.core import outbox
    from lms.payments.gateways.stripe import StripeGateway

    sent = []
    refund = StripeGateway.refund

    def dying(self, row):
        reference = refund(self, row)
        sent.append(reference)
        if len(sent) == 2:  # the service has sent it, and nobody here has noted it
            os.kill(os.getpid(), signal.SIGKILL)
        return reference

    StripeGateway.refund = dying
    app = create_app()
    with app.app_context():
        for _round in range(5):
            outbox.run_due()
    """
)


def test_killed_while_a_cancelled_run_gives_all_back(settings, tmp_path, stripe_server):
    keys = {
        "stripe_secret_key": API_KEY,
        "stripe_webhook_secret": WEBHOOK_SECRET,
        "stripe_api_base": stripe_server.address,
    }
    with own_database(settings, tmp_path, "cancelled", **keys) as own:
        app = create_app(own, testing=True)
        with app.app_context():
            migrations.upgrade()
            run_id, intents = make_paid_run().id, []
            for _buyer in range(4):
                user_id = make_user().id
                with transaction():
                    run, user = (
                        db.session.get_one(CourseRun, run_id),
                        db.session.get_one(User, user_id),
                    )
                    order_uuid = orders.place_order(run, user, "stripe", country="BO").uuid
                with app.test_request_context():
                    session = open_payment_page(order_uuid).location.rsplit("/", 1)[1]
                stripe_server.pay(session, "4242424242424242")
                intents.append(stripe_server.get(session)["payment_intent"])
                with transaction():
                    order = queries.get_order(order_uuid)
                    payments.take_payment(order, "stripe", intents[-1], order.total)
            with transaction():
                refunds.refund_cancelled_run(
                    CourseRunCancelled(db.session.get_one(CourseRun, run_id))
                )
            db.session.rollback()
            environment = {
                **os.environ,
                "LMS_DATA_DIR": str(tmp_path),
                "LMS_SECRET_KEY": "a key for tests only",
                "LMS_BASE_URL": "http://puente.test",
                "LMS_STRIPE_SECRET_KEY": API_KEY,
                "LMS_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "LMS_STRIPE_API_BASE": stripe_server.address,
                **({"LMS_DATABASE_URL": own.database_url} if own.database_url else {}),
            }

            died = subprocess.run(
                [sys.executable, "-c", DIES_WHILE_REFUNDING],
                env=environment, check=False, capture_output=True, text=True,
            )  # fmt: skip

            assert died.returncode == -signal.SIGKILL, died.stderr
            states = db.session.scalars(select(Refund.state)).all()
            assert states.count("done") == 1
            db.session.rollback()
            with clock.set_to(clock.now() + timedelta(hours=1)):  # what the next start does
                while outbox.run_due():
                    pass
            db.session.expire_all()
            assert db.session.scalars(select(Order.state)).all() == ["refunded"] * 4
            assert db.session.scalars(select(Enrolment.state)).all() == ["refunded"] * 4
            charges = [stripe_server.get(one)["latest_charge"] for one in intents]
            sent = [stripe_server.get(charge)["amount_refunded"] for charge in charges]
            given = db.session.scalars(select(Refund.amount_minor)).all()
            assert sent == list(given) == [PRICE.minor] * 4
            assert not check.unexplained()
            db.session.close()
            db.engine.dispose()
