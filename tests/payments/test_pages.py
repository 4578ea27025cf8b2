"""Each page as a stranger, as the wrong person and as the right one; lists in few queries."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.models import AuditEntry, SiteSetting
from lms.payments.documents import receipt_pdf
from lms.payments.gateways.base import payment_gateways
from lms.payments.models import Order
from lms.payments.services.receipts import issue_receipt
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_course, make_enrolment
from tests.factories.payments import (
    make_order,
    make_paid_order,
    make_paid_run,
    make_refund,
    make_voucher,
    set_bank_account,
)
from tests.payments.checkout_steps import place_order

OWN = ["", "/state", "/receipt.pdf"]
OWN_DEEDS = ["/check", "/pay", "/cancel"]
ADMINISTRATION = [
    "/admin/payments",
    "/admin/payments/exceptions",
    "/admin/payments/settings",
    "/admin/payments/vouchers",
    "/admin/payments/vouchers/new",
    "/admin/payments/vouchers/{voucher}",
    "/admin/payments/orders/{order}",
    "/admin/payments/orders/{order}/refund",
    "/admin/payments/orders/{order}/receipt.pdf",
]
ADMINISTRATION_DEEDS = [
    "/admin/payments/settings",
    "/admin/payments/vouchers/new",
    "/admin/payments/vouchers/{voucher}/deactivate",
    "/admin/payments/orders/{order}/transfer",
    "/admin/payments/orders/{order}/refund",
    "/admin/payments/refunds/{refund}/done",
]


@pytest.fixture
def receipted(app) -> Order:
    order = make_paid_order(user=make_user(name="Ana Flores"))
    issue_receipt(order)
    db.session.commit()
    return order


@pytest.fixture
def places(receipted):
    """Addresses of the administration filled in."""
    order = make_paid_order()
    refund = make_refund(order.payments[0], 100, state="requested", done_at=None)
    values = {
        "order": receipted.uuid,
        "voucher": make_voucher().id,
        "refund": refund.id,
    }
    return lambda addresses: [address.format(**values) for address in addresses]


@pytest.mark.parametrize("part", OWN)
def test_an_order_is_its_buyers_alone(receipted, client, signed_in, part):
    address = f"/orders/{receipted.uuid}{part}"

    assert client.get(address).location.startswith("/sign-in")
    assert signed_in(make_user()).get(address).status_code == 403
    assert signed_in(make_administrator()).get(address).status_code == 403
    assert signed_in(receipted.user).get(address).status_code == 200


@pytest.mark.parametrize("part", OWN_DEEDS)
def test_only_the_buyer_acts_on_an_order(client, signed_in, part):
    order = make_order()
    address = f"/orders/{order.uuid}{part}"

    assert client.post(address).location.startswith("/sign-in")
    assert signed_in(make_user()).post(address).status_code == 403
    assert signed_in(make_administrator()).post(address).status_code == 403
    db.session.refresh(order)
    assert order.state == "pending"
    unknown = address.replace(str(order.uuid), "00000000-0000-4000-8000-000000000000")
    assert signed_in(order.user).post(unknown).status_code == 404


def test_only_administrators_see_and_do_what_is_theirs(places, client, signed_in):
    person, administrator = signed_in(make_user()), signed_in(make_administrator())
    for address in places(ADMINISTRATION):
        assert client.get(address).location.startswith("/sign-in")
        assert person.get(address).status_code == 403
        assert administrator.get(address).status_code == 200, address
    for address in places(ADMINISTRATION_DEEDS):
        assert client.post(address).location.startswith("/sign-in")
        assert person.post(address).status_code == 403
    assert administrator.get("/admin/payments/vouchers/999").status_code == 404
    assert administrator.post("/admin/payments/refunds/999/done").status_code == 404


def test_the_checkout_offers_a_stranger_to_sign_in_and_come_back(client):
    run = make_paid_run()

    answer = client.get(f"/checkout/{run.uuid}", follow_redirects=True)

    assert f'href="/sign-in?next=/checkout/{run.uuid}"' in answer.text
    assert client.post(f"/checkout/{run.uuid}").location.startswith("/sign-in")


def test_the_checkout_shows_what_is_bought(stripe, signed_in):
    set_bank_account()
    db.session.merge(SiteSetting(name="refund_rule", value={"es": "Hasta el primer día."}))
    run, ana = make_paid_run(), make_user(language="es", country="BO")

    page = signed_in(ana).get(f"/checkout/{run.uuid}")

    assert page.status_code == 200
    assert "CAD 120,00" in page.text
    assert "Hasta el primer día." in page.text
    assert '<option selected value="BO">Bolivia' in page.text


def test_what_cannot_be_bought_has_no_checkout(signed_in):
    browser = signed_in(make_user())
    draft, hidden = make_paid_run(state="draft"), make_paid_run(make_course(state="draft"))

    for run in (draft, hidden):
        assert browser.get(f"/checkout/{run.uuid}").status_code == 403
        assert browser.post(f"/checkout/{run.uuid}").status_code == 403
    unknown = "/checkout/00000000-0000-4000-8000-000000000000"
    assert browser.get(unknown).status_code == 404
    assert browser.get("/checkout/nonsense").status_code == 404


def test_who_is_enrolled_is_sent_to_the_course(stripe, signed_in):
    run, ana = make_paid_run(), make_user()
    make_enrolment(run, ana)
    browser = signed_in(ana)

    assert browser.get(f"/checkout/{run.uuid}").location == f"/study/{run.id}"
    answer = browser.post(f"/checkout/{run.uuid}", data={"gateway": "stripe"})
    assert answer.location == f"/study/{run.id}"
    assert db.session.scalars(select(Order)).all() == []


@pytest.mark.parametrize(
    "data",
    [
        {"gateway": "cash"},
        {"gateway": "stripe", "country": "XX"},
        {"gateway": "stripe", "voucher": "x" * 65},
        {"gateway": "stripe", "voucher": "nothing"},
    ],
)
def test_nonsense_in_the_checkout_changes_nothing(stripe, signed_in, data):
    run = make_paid_run()

    answer = place_order(signed_in(make_user()), run, data)

    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        # an unknown way to pay falls back to the first there is
        assert data["gateway"] == "cash"
    else:
        assert db.session.scalars(select(Order)).all() == []


def test_ones_orders_are_listed_in_few_queries(signed_in, count_queries):
    ana = make_user()
    for _number in range(25):
        issue_receipt(make_paid_order(user=ana))
    make_paid_order()
    db.session.commit()
    browser = signed_in(ana)
    count_queries()

    page = browser.get("/orders")

    assert count_queries() <= 12
    assert page.text.count("/receipt.pdf") == 20
    assert "/orders?page=2" in page.text
    assert "No orders yet" in signed_in(make_user()).get("/orders").text


def test_all_orders_are_listed_and_filtered_in_few_queries(signed_in, count_queries):
    administrator = signed_in(make_administrator())
    for _number in range(30):
        make_paid_order()
    wanted = make_order(make_paid_run(), make_user(name="Rosa Quispe"), state="expired")
    count_queries()

    page = administrator.get("/admin/payments")

    assert count_queries() <= 12
    assert "31 orders" in page.text
    for query in (
        f"q={wanted.number}",
        "q=quispe",
        f"q={wanted.uuid}",
        "state=expired",
        f"course={wanted.run.course_id}",
        f"run={wanted.run_id}",
        "state=expired&gateway=stripe&currency=CAD&country=BO",
    ):
        found = administrator.get(f"/admin/payments?{query}")
        assert "1 order<" in found.text, query
        assert wanted.number in found.text
    for query in ("q=%25", "currency=EUR", "first=2099-01-01", "last=2001-01-01", "state=odd"):
        assert "No order found" in administrator.get(f"/admin/payments?{query}").text
    reference = db.session.scalars(select(Order).limit(1)).one().payments[0].reference
    assert wanted.number not in administrator.get(f"/admin/payments?q={reference}").text
    for query in ("first=nonsense", "course=x", "page=0", "page=99999"):
        assert administrator.get(f"/admin/payments?{query}").status_code == 200


def test_other_pages_take_few_queries_too(receipted, signed_in, count_queries):
    administrator, buyer = signed_in(make_administrator()), signed_in(receipted.user)
    voucher = make_voucher()
    for _number in range(3):
        make_voucher(course=receipted.run.course)
    run = make_paid_run()
    set_bank_account()
    for browser, address in (
        (buyer, f"/orders/{receipted.uuid}"),
        (buyer, f"/checkout/{run.uuid}"),
        (administrator, f"/admin/payments/orders/{receipted.uuid}"),
        (administrator, "/admin/payments/vouchers"),
        (administrator, f"/admin/payments/vouchers/{voucher.id}"),
        (administrator, "/admin/payments/vouchers/new"),
        (administrator, "/admin/payments/exceptions"),
    ):
        count_queries()
        assert browser.get(address).status_code == 200
        assert count_queries() <= 18, address


def test_an_order_page_tells_what_happened(receipted, signed_in):
    page = signed_in(make_administrator()).get(f"/admin/payments/orders/{receipted.uuid}")

    for words in ("Ana Flores", receipted.number, "Money received: CAD 120.00", "R-20"):
        assert words in page.text


def test_a_receipt_is_in_the_buyers_language_and_names_the_seller(app, signed_in):
    import io

    from pypdf import PdfReader

    seller = {"name": "Puente, cooperativa", "address": "Calle 1\nLa Paz", "tax_number": "77"}
    db.session.merge(SiteSetting(name="seller", value=seller))
    order = make_paid_order(user=make_user(name="Ana Ñuñez"), language="es")
    receipt = issue_receipt(order)
    db.session.commit()
    seller["name"] = "Somebody else"  # receipts keep the seller of their day
    db.session.merge(SiteSetting(name="seller", value=seller))

    answer = signed_in(order.user).get(f"/orders/{order.uuid}/receipt.pdf")

    assert answer.mimetype == "application/pdf"
    pdf = PdfReader(io.BytesIO(answer.data))
    text = " ".join(page.extract_text() for page in pdf.pages)
    for words in (receipt.number, order.number, "Ana Ñuñez", "Puente, cooperativa", "La Paz"):
        assert words in text
    assert "CAD 120,00" in text
    assert pdf.trailer["/Root"]["/Lang"] == "es"
    assert len(pdf.pages) == 1
    assert receipt_pdf(order, "en").startswith(b"%PDF")


def test_there_is_no_receipt_without_a_payment(signed_in):
    order = make_order()
    assert signed_in(order.user).get(f"/orders/{order.uuid}/receipt.pdf").status_code == 404


def test_the_seller_is_written_in_the_browser(signed_in):
    administrator = signed_in(make_administrator())
    data = {
        "seller_name": "Puente",
        "guests_open": "y",
        "bank_account": "10000-1",
        "bank_holder": "Puente",
        "rule_es": "Hasta el primer día.",
    }

    assert administrator.post("/admin/payments/settings", data=data).status_code == 303
    administrator.post("/admin/payments/settings", data=data)

    kept = {row.name: row.value for row in db.session.scalars(select(SiteSetting))}
    assert kept["seller"] == {"name": "Puente"}
    assert kept["bank_account"] == {"account": "10000-1", "holder": "Puente"}
    assert kept["refund_rule"] == {"es": "Hasta el primer día."}
    page = administrator.get("/admin/payments/settings")
    assert 'value="10000-1"' in page.text
    assert len(db.session.scalars(select(AuditEntry)).all()) == 3
    too_long = administrator.post("/admin/payments/settings", data={"seller_name": "x" * 201})
    assert too_long.status_code == 422


def test_the_test_page_does_not_exist_outside_of_the_demo(client):
    assert client.get("/test-payments/pay/cs_test_1").status_code == 404
    assert client.post("/test-payments/v1/checkout/sessions").status_code == 404


def test_what_is_kept_about_a_person_can_be_had_and_loses_its_name(receipted, app):
    from lms.payments.personal_data import PERSONAL_DATA

    make_refund(receipted.payments[0], 100)
    make_paid_order()

    [exported] = PERSONAL_DATA.export(receipted.user_id)
    assert exported["buyer_name"] == "Ana Flores"
    assert exported["payments"][0]["amount_minor"] == 12_000
    assert exported["refunds"][0]["amount_minor"] == 100

    PERSONAL_DATA.erase(receipted.user_id)
    db.session.refresh(receipted)
    assert receipted.buyer_name is None
    assert receipted.total_minor == 12_000
    assert db.session.scalar(select(Order.buyer_name).where(Order.id != receipted.id))


def test_a_menu_leads_to_ones_orders(signed_in):
    assert 'href="/orders"' in signed_in(make_user()).get("/orders").text


def test_the_demo_does_not_say_that_one_pays_at_stripe(app, monkeypatch):
    gateway = payment_gateways["stripe"]
    given = app.extensions["settings"]
    with app.test_request_context():
        for is_demo, words in ((True, "no money moves"), (False, "secure page of Stripe")):
            changed = given.model_copy(update={"demo": is_demo})
            monkeypatch.setitem(app.extensions, "settings", changed)
            assert words in str(gateway.description)
