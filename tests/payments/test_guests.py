"""Buying without an account, and claiming it afterwards by the link in the mail."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select

from lms.accounts.models import AccountClaim, SignIn, User
from lms.accounts.services.claim_links import send_links
from lms.accounts.tokens import claim_token
from lms.core import clock
from lms.core.db import db
from lms.core.site_settings import write
from lms.courses.models import Enrolment, EnrolmentState
from lms.ledger.services.check import unexplained
from lms.payments.jobs import forget_guests, remind_guests
from lms.payments.models import Order, OrderState, Refund
from lms.payments.queries import paid_not_enrolled
from lms.payments.services.guests import GuestSales
from tests.accounts.letters import link_in, text_of
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.courses import make_enrolment
from tests.factories.payments import make_order, make_paid_run, set_bank_account
from tests.payments.checkout_steps import quote_in
from tests.payments.conftest import path_of

pytestmark = pytest.mark.slow

NEW = "casa verde monte alto"
ROSA = {"name": "Rosa Quispe", "email": "Rosa@example.org", "country": "BO", "gateway": "stripe"}


def go_to_pay(browser, run, **values):
    data = ROSA | values
    address = f"/checkout/{run.uuid}/guest"
    shown = browser.post(address, data=data | {"apply": "1"})
    assert shown.status_code == 200, shown.text
    return browser.post(address, data=data | {"quote": quote_in(shown.text)})


def buy(browser, stripe, run, **values):
    """Pay without an account; gives the order."""
    answer = go_to_pay(browser, run, **values)
    assert answer.status_code == 303, answer.text
    stripe.pay(answer.location)
    stripe.deliver()
    return db.session.scalars(select(Order).order_by(Order.id.desc())).first()


def claim_link(mails):
    return link_in([mail for mail in mails() if mail["Subject"] == "Claim your account"][-1])


def enrolments():
    db.session.expire_all()
    return db.session.scalars(select(Enrolment).order_by(Enrolment.id)).all()


def test_a_stranger_pays_at_once_claims_by_mail_and_studies(app, stripe, client, mails):
    run = make_paid_run()

    assert client.get(f"/checkout/{run.uuid}").location == f"/checkout/{run.uuid}/guest"
    order = buy(client, stripe, run)

    assert (order.state, order.buyer_name) == (OrderState.PAID, "Rosa Quispe")
    assert enrolments()[0].state == EnrolmentState.ACTIVE
    page = client.get(f"/orders/{order.uuid}?back=paid").text
    assert "Rosa@example.org" in page
    assert f"/study/{run.id}" not in page
    assert {mail["To"] for mail in mails()} == {"Rosa@example.org"}
    assert any("receipt" in mail["Subject"] for mail in mails())
    link = claim_link(mails)
    assert "Rosa" in client.get(link).text

    done = client.post(link, data={"name": "Rosa Quispe Mamani", "password": NEW})

    assert (done.status_code, done.location) == (303, f"/study/{run.id}")
    assert client.get(done.location, follow_redirects=True).status_code == 200
    user = db.session.scalars(select(User)).one()
    assert (user.email, user.is_confirmed, user.claim) == ("Rosa@example.org", True, None)
    assert user.name == "Rosa Quispe Mamani"
    assert order.number in client.get("/orders").text
    assert unexplained() == []


def test_a_link_for_claiming_works_once_and_not_for_ever(app, stripe, client, mails):
    order = buy(client, stripe, make_paid_run())
    link = claim_link(mails)
    old = f"/claim/{claim_token(order.user)}"
    with time_machine.travel(clock.now() + timedelta(days=15)):
        assert client.get(old).status_code == 410

    assert client.post(link, data={"name": "Rosa", "password": "rosa"}).status_code == 422
    assert client.post(link, data={"name": "Rosa", "password": NEW}).status_code == 303

    stranger = app.test_client()
    for path in (link, old):
        assert stranger.get(path).status_code == 410
        assert stranger.post(path, data={"name": "Eve", "password": NEW}).status_code == 410
        assert stranger.post(f"{path}/decline").status_code == 410
        assert stranger.post(f"{path}/take").status_code == 410
    assert stranger.get("/claim/nothing").status_code == 410


def test_opening_the_link_changes_nothing(app, stripe, client, mails):
    buy(client, stripe, make_paid_run())

    app.test_client().get(claim_link(mails))

    assert db.session.scalar(select(func.count()).select_from(AccountClaim)) == 1
    assert db.session.scalar(select(func.count()).select_from(SignIn)) == 0


def test_claiming_begins_a_fresh_session_whoever_was_signed_in(app, stripe, signed_in, mails):
    buyer = app.test_client()
    order = buy(buyer, stripe, make_paid_run())
    ana = make_user()
    browser = signed_in(ana)
    with browser.session_transaction() as session:
        before = session["_user_id"]
        session["planted"] = "by others"

    browser.post(claim_link(mails), data={"name": "Rosa", "password": NEW})

    with browser.session_transaction() as session:
        assert session["_user_id"] != before
        assert "planted" not in session
    assert order.number in browser.get("/orders").text
    assert order.number not in buyer.get(f"/orders/{order.uuid}").text


def test_a_buyer_sees_the_order_in_their_own_browser_alone(app, stripe, client, signed_in):
    order = buy(client, stripe, make_paid_run())
    paths = [f"/orders/{order.uuid}{end}" for end in ("", "/state", "/receipt.pdf")]

    for path in paths:
        assert client.get(path).status_code == 200
        assert app.test_client().get(path).location.startswith("/sign-in")
        assert signed_in(make_user()).get(path).status_code == 403
    for deed in ("check", "pay", "cancel"):
        answer = app.test_client().post(f"/orders/{order.uuid}/{deed}")
        assert (answer.status_code, answer.location) == (302, "/sign-in")
    assert client.get("/orders").location.startswith("/sign-in")
    for deed in ("leave", "keep-dates"):
        assert client.post(f"/orders/{order.uuid}/{deed}").location == "/sign-in"


def test_the_answers_are_the_same_whoever_has_the_address(app, stripe, mails):
    run, other = make_paid_run(), make_paid_run()
    known = make_user(email="known@example.org", country="CA")
    make_enrolment(run, known)
    waits = make_order(other, known)

    def seen(email):
        browser = app.test_client()
        pages = []
        for one in (run, other):
            answer = go_to_pay(browser, one, email=email)
            pages.append((answer.status_code, path_of(answer.location)[:20]))
            with browser.session_transaction() as session:
                key = session["guest_orders"][-1]
            page = browser.get(f"/orders/{UUID(key)}").text
            words = re.sub(r"<[^>]*>", "", page[page.index("<main") :])
            pages.append(re.sub(r"P-\d+-\d+|\d+:\d\d", "", words))
        return pages

    assert seen("known@example.org") == seen("nobody@example.org")
    assert mails() == []
    assert db.session.get(Order, waits.id).state == OrderState.PENDING
    for email in ("known@example.org", "nobody@example.org"):
        assert app.test_client().post("/claim", data={"email": email}).location == "/claim/sent"


def test_a_stranger_who_buys_for_an_address_reaches_nothing_of_its_account(app, stripe, mails):
    known = make_user(email="known@example.org", name="Known Person")
    earlier = make_order(make_paid_run(), known, state=OrderState.PAID)
    stranger = app.test_client()

    order = buy(stranger, stripe, make_paid_run(), email="known@example.org")

    assert order.user_id != known.id
    assert stranger.get(f"/orders/{earlier.uuid}").location.startswith("/sign-in")
    for path in ("/orders", "/account", "/account/data", "/notices/"):
        assert stranger.get(path).location.startswith("/sign-in")
    page = stranger.get(f"/orders/{order.uuid}").text
    assert "Known Person" not in page
    assert earlier.number not in page
    assert db.session.get(User, known.id).name == "Known Person"
    assert [mail["To"] for mail in mails()] == ["known@example.org"] * len(mails())


def test_who_has_an_account_signs_in_and_takes_the_place(app, stripe, client, signed_in, mails):
    known = make_user(email="rosa@example.org")
    run = make_paid_run(capacity=1)
    order = buy(client, stripe, run)
    link = claim_link(mails)

    page = client.get(link).text
    assert "You have an account with this address" in page
    refused = client.post(link, data={"name": "Eve", "password": NEW})
    assert refused.status_code == 409
    assert client.post(f"{link}/take").location.startswith("/sign-in")
    assert signed_in(make_user()).post(f"{link}/take").status_code == 410
    done = signed_in(known).post(f"{link}/take")

    assert (done.status_code, done.location) == (303, f"/study/{run.id}")
    before, own = enrolments()
    assert (before.state, own.state, own.user_id) == ("withdrawn", "active", known.id)
    assert db.session.get(Order, order.id).user_id == known.id
    assert db.session.scalars(paid_not_enrolled()).all() == []
    assert unexplained() == []
    assert db.session.scalar(select(func.count()).select_from(AccountClaim)) == 0
    page = signed_in(known).get(f"/orders/{order.uuid}").text
    [invoice] = re.findall(r"/invoices/[^\"]+", page)
    assert signed_in(known).get(invoice).status_code == 200
    assert signed_in(make_user()).get(invoice).status_code == 403
    assert client.get(f"/orders/{order.uuid}").location.startswith("/sign-in")
    assert signed_in(known).post(f"{link}/take").status_code == 410


def test_who_studies_already_gives_the_second_place_back(app, stripe, client, signed_in, mails):
    starts = clock.now().date() + timedelta(days=10)
    run = make_paid_run(starts_on=starts, ends_on=starts + timedelta(days=20))
    known = make_user(email="rosa@example.org")
    make_enrolment(run, known)
    order = buy(client, stripe, run)
    link = claim_link(mails)

    refused = signed_in(known).post(f"{link}/take")

    assert refused.status_code == 409
    assert "already enrolled" in refused.text
    assert "120.00" in refused.text  # what returns to who paid

    assert signed_in(known).post(f"{link}/decline").status_code == 303
    assert not any(mail["To"].endswith("invalid") for mail in mails())
    stripe.deliver()
    db.session.expire_all()
    refund = db.session.scalars(select(Refund)).one()
    assert (refund.amount, refund.state) == (run.price, "done")
    assert db.session.get(Order, order.id).state == OrderState.REFUNDED
    waiting = db.session.get(User, order.user_id)
    assert (waiting.closed_at is not None, waiting.name) == (True, "Closed account")
    assert db.session.get(Order, order.id).buyer_name is None


def test_a_new_link_comes_for_whatever_waits_also_by_the_forgotten_password(
    app, stripe, client, mails
):
    go_to_pay(app.test_client(), make_paid_run())
    send_links("rosa@example.org")
    db.session.commit()
    assert mails() == []  # nothing is paid yet

    buy(client, stripe, make_paid_run())
    first = len(mails())
    app.test_client().post("/claim", data={"email": "ROSA@example.org"})
    app.test_client().post("/forgotten-password", data={"email": "rosa@example.org"})

    links = [mail["Subject"] for mail in mails()[first:]]
    assert links == ["Claim your account"] * 2
    assert "give it back" in text_of(mails()[-1])


def test_nobody_signs_in_to_what_waits(app, stripe, client):
    order = buy(client, stripe, make_paid_run())

    for email in ("rosa@example.org", order.user.email):
        answer = app.test_client().post("/sign-in", data={"email": email, "password": PASSWORD})
        assert answer.status_code == 422


def test_the_same_browser_goes_on_with_its_own_order(app, stripe, client):
    run = make_paid_run(capacity=1)
    go_to_pay(client, run)

    assert go_to_pay(client, run).status_code == 303
    other = go_to_pay(app.test_client(), run)

    assert other.status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Order)) == 1


@pytest.mark.parametrize("field", ["name", "email"])
def test_name_and_address_are_asked_for_and_what_was_typed_stays(client, stripe, field):
    run = make_paid_run()

    answer = client.post(f"/checkout/{run.uuid}/guest", data=ROSA | {field: "", "voucher": "X1"})

    assert answer.status_code == 422
    assert 'value="X1"' in answer.text
    assert db.session.scalar(select(func.count()).select_from(User)) == 0


def test_a_price_that_was_not_shown_is_not_charged(client, stripe):
    run = make_paid_run()

    forged = client.post(f"/checkout/{run.uuid}/guest", data=ROSA | {"quote": "1.2.3"})

    assert forged.status_code == 409
    assert db.session.scalar(select(func.count()).select_from(User)) == 0


def test_ways_that_hold_a_seat_for_days_need_an_account(client, stripe):
    set_bank_account()
    run = make_paid_run()

    page = client.get(f"/checkout/{run.uuid}/guest").text

    assert 'value="bank_transfer"' not in page
    assert go_to_pay(client, run, gateway="bank_transfer").location.startswith("http")
    order = db.session.scalars(select(Order)).one()
    assert order.gateway == "stripe"


def test_where_selling_to_strangers_is_off_they_sign_in(client):
    run = make_paid_run()
    write(GuestSales(is_open=False), None)
    db.session.commit()

    for path in (f"/checkout/{run.uuid}", f"/checkout/{run.uuid}/guest"):
        assert client.get(path).location.startswith("/sign-in")
    assert client.post(f"/checkout/{run.uuid}/guest", data=ROSA).location == "/sign-in"


def test_who_has_not_claimed_is_reminded_twice_before_the_course_begins(app, stripe, client, mails):
    starts = clock.now().date() + timedelta(days=10)
    buy(client, stripe, make_paid_run(starts_on=starts, ends_on=starts + timedelta(days=20)))

    def sent_after(days):
        with time_machine.travel(clock.now() + timedelta(days=days)):
            before = len(mails())
            for _again in range(3):
                remind_guests()
            return len(mails()) - before

    assert [sent_after(days) for days in (1, 6, 7, 8, 9, 10, 11)] == [0, 0, 1, 0, 1, 0, 0]


def test_what_was_never_paid_is_forgotten(app, stripe, client):
    go_to_pay(client, make_paid_run())
    buy(app.test_client(), stripe, make_paid_run(), name="Ana Flores", email="other@example.org")
    db.session.execute(
        Order.__table__.update().where(Order.state != "paid").values(state="expired")
    )
    db.session.commit()

    forget_guests()
    assert db.session.scalar(select(func.count()).select_from(AccountClaim)) == 2
    with time_machine.travel(clock.now() + timedelta(days=31)):
        forget_guests()

    db.session.expire_all()
    [kept] = db.session.scalars(select(AccountClaim))
    assert kept.email == "other@example.org"
    assert "Rosa" not in "".join(db.session.scalars(select(User.name)))


def test_administrators_see_who_waits_and_send_the_link_again(stripe, client, signed_in, mails):
    order = buy(client, stripe, make_paid_run())
    admin = signed_in(make_user(is_administrator=True))

    page = html.unescape(admin.get("/admin/people?q=rosa@example").text)

    assert "Rosa@example.org" in page
    assert "Waits to be claimed" in page
    before = len(mails())
    admin.post(f"/admin/people/{order.user_id}/confirmation")
    assert [mail["Subject"] for mail in mails()[before:]] == ["Claim your account"]
