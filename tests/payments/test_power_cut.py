"""The server dies between a payment and its enrolment: nothing is lost at the next start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from sqlalchemy import select

from lms.app import create_app
from lms.core import migrations
from lms.core.db import db, transaction
from lms.courses.models import Enrolment
from lms.ledger.models import LedgerEntry
from lms.ledger.services import check
from lms.payments import jobs
from lms.payments.models import Order, Payment
from lms.payments.services import orders
from lms.payments.views.checkout import open_payment_page
from tests.doubles.stripe import API_KEY, WEBHOOK_SECRET
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run
from tests.postgres import own_database

pytestmark = pytest.mark.slow

DIES = textwrap.dedent(
    """
    import os, signal, sys
    from lms.app import create_app
    from lms.core.db import db, transaction
    from lms.courses.services import enrolment
    from lms.payments.services import payments
    from lms.payments import queries
    import uuid

    def die(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    payments.activate = die  # the very moment between the money and the place
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
