"""Prices at the checkout: shown = quoted = ordered = asked for."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Enrolment
from lms.payments.gateways.stripe_amounts import from_stripe
from lms.payments.models import Order, Voucher
from lms.payments.services.prices import Wishes, show_price
from lms.pricing.models import PriceRequest, Quote, RunChoice
from lms.pricing.services.quotes import make_ticket
from tests.factories.accounts import make_user
from tests.factories.payments import make_paid_run, make_voucher
from tests.factories.pricing import make_agreement, make_amounts, make_role, make_tiers
from tests.payments.checkout_steps import place_order, quote_in


@pytest.fixture(autouse=True)
def tiers(app):
    make_tiers()


def make_priced_run(**values):
    """A run of 180 CAD, for lower middle income 54 CAD or 270 BOB."""
    run = make_paid_run(price=Money(18_000, "CAD"), **values)
    make_amounts(run, upper_middle=9_000, lower_middle=5_400, low=2_700)
    make_amounts(run, "BOB", high=90_000, upper_middle=45_000, lower_middle=27_000)
    return run


def make_bolivian(**values):
    user = make_user(country="BO", **values)
    make_role(user, country="BO")
    return user


def words_of(page) -> str:
    """The words of a page, without markup."""
    found = re.sub(r"<[^>]+>", " ", page.text[page.text.index("<main") :])
    return re.sub(r"\s+", " ", html.unescape(found))


def total_on(page) -> str:
    return re.search(r"To pay (\S+ [\d.,]+)", words_of(page)).group(1)


def only_order() -> Order:
    return db.session.scalars(select(Order)).one()


def asked_for(stripe, address) -> tuple[int, str]:
    session = stripe.double.get(address.rsplit("/", 1)[1])
    return session["amount_total"], session["currency"].upper()


def test_the_buyer_sees_each_step_and_pays_just_that(stripe, signed_in, check_out):
    run, ana = make_priced_run(), make_bolivian()
    browser = signed_in(ana)
    make_voucher("SPRING", percent=10)

    words = words_of(
        browser.post(f"/checkout/{run.uuid}", data={"country": "BO", "voucher": "spring"})
    )
    for line in (
        "List price BOB 900.00",
        "Price for Bolivia: Lower middle income −BOB 630.00",
        "Voucher SPRING −BOB 27.00",
        "To pay BOB 243.00",
    ):
        assert line in words
    address = check_out(browser, run, voucher="spring", currency="BOB")

    order = only_order()
    assert order.total == order.quote.total == Money(24_300, "BOB")
    assert (order.amount, order.discount) == (Money(27_000, "BOB"), Money(2_700, "BOB"))
    assert asked_for(stripe, address) == (24_300, "BOB")
    page = words_of(browser.get(f"/orders/{order.uuid}"))
    assert "Price for Bolivia: Lower middle income −BOB 630.00" in page
    assert "Total BOB 243.00" in page


def test_the_buyer_chooses_among_the_currencies_with_a_price(stripe, signed_in, check_out):
    run, browser = make_priced_run(), signed_in(make_bolivian())

    address = check_out(browser, run, currency="CAD")

    assert asked_for(stripe, address) == (5_400, "CAD")


def test_a_price_that_changed_is_looked_at_again_and_nothing_typed_is_lost(stripe, signed_in):
    run, browser = make_priced_run(), signed_in(make_bolivian())
    make_voucher("SPRING", percent=10)
    data = {"gateway": "stripe", "country": "BO", "voucher": "spring", "currency": "CAD"}
    shown = browser.post(f"/checkout/{run.uuid}", data=data | {"apply": "1"})
    make_amounts(run, lower_middle=6_000)

    answer = browser.post(f"/checkout/{run.uuid}", data=data | {"quote": quote_in(shown.text)})

    assert answer.status_code == 409
    assert "not the one you were shown" in answer.text
    assert total_on(answer) == "CAD 54.00"  # 60 less a tenth
    assert 'value="spring"' in answer.text
    assert not db.session.scalars(select(Order)).all()
    assert not db.session.scalars(select(Enrolment)).all()
    again = browser.post(f"/checkout/{run.uuid}", data=data | {"quote": quote_in(answer.text)})
    assert again.status_code == 303
    assert only_order().total == Money(5_400, "CAD")


@pytest.mark.parametrize("quote", ["", "nonsense"])
def test_nothing_is_ordered_without_a_quote(stripe, signed_in, quote):
    run, browser = make_priced_run(), signed_in(make_bolivian())

    answer = browser.post(f"/checkout/{run.uuid}", data={"gateway": "stripe", "quote": quote})

    assert answer.status_code == 409
    assert not db.session.scalars(select(Order)).all()


def test_a_quote_that_has_run_out_asks_to_look_again(stripe, signed_in):
    run, ana = make_priced_run(), make_bolivian()
    with clock.set_to(clock.now() - timedelta(hours=24)):
        old = str(make_ticket(show_price(run, ana, Wishes("BO")).calculation, ana))

    answer = signed_in(ana).post(
        f"/checkout/{run.uuid}", data={"gateway": "stripe", "country": "BO", "quote": old}
    )

    assert answer.status_code == 409
    assert "A price holds for a day" in answer.text


def test_the_quote_of_another_person_is_none(stripe, signed_in):
    run = make_priced_run()
    data = {"gateway": "stripe", "country": "BO"}
    shown = signed_in(make_bolivian()).get(f"/checkout/{run.uuid}")

    answer = signed_in(make_bolivian()).post(
        f"/checkout/{run.uuid}", data=data | {"quote": quote_in(shown.text)}
    )

    assert answer.status_code == 409


def test_a_quote_is_used_once(stripe, signed_in):
    """The same page sent again leads to the same order, and after that order is closed to none."""
    run, browser = make_priced_run(), signed_in(make_bolivian())
    data = {"gateway": "stripe", "country": "BO"}
    data["quote"] = quote_in(browser.get(f"/checkout/{run.uuid}").text)

    first = browser.post(f"/checkout/{run.uuid}", data=data)
    second = browser.post(f"/checkout/{run.uuid}", data=data)
    order = only_order()
    browser.post(f"/orders/{order.uuid}/cancel")
    third = browser.post(f"/checkout/{run.uuid}", data=data)

    assert first.location == second.location
    assert third.status_code == 409
    assert "it is closed" in third.text
    assert len(db.session.scalars(select(Quote)).all()) == 1


def test_trying_again_costs_what_the_order_says(stripe, signed_in, check_out):
    run, browser = make_priced_run(), signed_in(make_bolivian())
    check_out(browser, run)
    make_amounts(run, "BOB", lower_middle=40_000)

    answer = browser.post(f"/orders/{only_order().uuid}/pay")

    assert asked_for(stripe, answer.location) == (27_000, "BOB")
    assert only_order().total == Money(27_000, "BOB")


def test_a_word_that_nothing_agrees_with_is_told_plainly_with_two_ways_on(stripe, signed_in):
    run, ana = make_priced_run(), make_user(country="BO")
    make_role(ana, country="CA", name={"en": "Laval"})

    page = signed_in(ana).get(f"/checkout/{run.uuid}")

    words = words_of(page)
    assert "You say that you live in Bolivia, where the price is lower" in words
    assert "Your institution Laval is in Canada." in words
    assert "/prices/residence?country=BO" in page.text
    assert total_on(page) == "BOB 900.00"


def test_a_country_from_which_nobody_can_pay_is_told_before_and_led_to_a_free_place(
    stripe, signed_in
):
    run, yani = make_priced_run(), make_user(country="CU")
    make_voucher("FREE", percent=100)
    browser = signed_in(yani)

    page = browser.get(f"/checkout/{run.uuid}")
    refused = place_order(browser, run, {"gateway": "stripe", "country": "CU"})
    assert refused.status_code == 409
    free = place_order(browser, run, {"country": "CU", "voucher": "free"})

    words = words_of(page)
    assert "We cannot take a payment from Cuba. The card payment service takes no" in words
    assert "A place without charge is open to you" in words
    assert "Go on to pay" not in words
    assert free.status_code == 303
    assert (only_order().state, only_order().total.minor) == ("paid", 0)


def test_a_price_on_request_is_asked_for_and_told_once(stripe, signed_in, mails):
    run, ana = make_paid_run(price=Money(18_000, "CAD")), make_bolivian()
    make_amounts(run, upper_middle=9_000)
    boss = make_user(is_administrator=True)
    browser = signed_in(ana)

    page = browser.get(f"/checkout/{run.uuid}")
    ordered = place_order(browser, run, {"gateway": "stripe", "country": "BO"})
    browser.post(f"/prices/ask/{run.uuid}")
    browser.post(f"/prices/ask/{run.uuid}")

    assert "Price on request" in words_of(page)
    assert "Go on to pay" not in page.text
    assert ordered.status_code == 409
    assert len(db.session.scalars(select(PriceRequest)).all()) == 1
    assert [m["To"] for m in mails() if "asks for a price" in m["Subject"]] == [boss.email]
    listed = words_of(signed_in(boss).get("/admin/prices/requests"))
    assert ana.name in listed
    assert "Lower middle income, Low income" in listed


def test_people_choose_what_they_pay(stripe, signed_in, check_out):
    run, browser = make_priced_run(), signed_in(make_bolivian())
    db.session.add(RunChoice(run_id=run.id, minimum_percent=50, suggested_percent=100))
    db.session.commit()

    page = browser.get(f"/checkout/{run.uuid}")
    low = place_order(browser, run, {"gateway": "stripe", "country": "BO", "amount": "134.90"})
    address = check_out(browser, run, amount="300")

    assert "at least BOB 135.00; we suggest BOB 270.00" in words_of(page)
    assert low.status_code == 422
    assert "The least that this course takes is BOB 135.00." in words_of(low)
    assert 'value="134.90"' in low.text
    assert asked_for(stripe, address) == (30_000, "BOB")
    assert (only_order().amount.minor, only_order().discount.minor) == (30_000, 0)


def test_a_voucher_that_gives_less_than_a_contract_is_not_used_up(stripe, signed_in, check_out):
    run, ana = make_priced_run(), make_bolivian()
    make_agreement(make_role(ana, country="BO"), percent=50)
    voucher = make_voucher("SPRING", percent=10)
    browser = signed_in(ana)

    page = browser.post(
        f"/checkout/{run.uuid}", data={"voucher": "spring", "country": "BO", "apply": "1"}
    )
    check_out(browser, run, voucher="spring")

    assert "would not lower the price further: Voucher SPRING" in words_of(page)
    assert (only_order().total.minor, only_order().voucher) == (13_500, None)
    assert db.session.get_one(Voucher, voucher.id).uses == 0


def test_a_contract_that_covers_all_enrols_at_once(stripe, signed_in):
    run, ana = make_priced_run(), make_bolivian()
    make_agreement(make_role(ana, country="BO"), percent=100)

    answer = place_order(signed_in(ana), run, {"country": "BO"})

    assert answer.status_code == 303
    assert (only_order().state, only_order().enrolment.method) == ("paid", "payment")


def test_pages_show_the_readers_price_and_lists_the_lowest(client, signed_in, count_queries):
    run = make_priced_run()
    address = f"/courses/{run.course.slug}"

    assert "CAD 27.00" in words_of(client.get("/courses"))
    assert "from CAD 27.00 List price CAD 180.00" in words_of(client.get(address))
    assert "BOB 270.00 The price for Bolivia." in words_of(signed_in(make_bolivian()).get(address))
    assert "It is lower for people in Bolivia." in words_of(
        signed_in(make_user(country="BO")).get(address)
    )
    make_amounts(run, low=2_500)
    assert "CAD 25.00" in words_of(client.get("/courses"))


def test_the_catalogue_with_prices_takes_few_queries(client, count_queries):
    for _number in range(8):
        make_priced_run()
    client.get("/")
    make_priced_run()  # what was kept is drawn anew
    count_queries()

    assert client.get("/courses").status_code == 200
    assert count_queries() <= 10


@pytest.mark.slow
def test_shown_is_quoted_is_ordered_is_asked_for(stripe, signed_in):
    """Generated sales, from the page to the payment service."""
    chance = Random(5)
    for _number in range(40):
        currency = chance.choice(["CAD", "USD", "BOB", "PEN", "COP", "CLP"])
        run = make_paid_run(price=Money(chance.randint(2_000, 90_000) * 100, currency))
        sold_in = chance.choice(["CAD", "BOB", "COP", "CLP"])
        make_amounts(run, sold_in, lower_middle=chance.randint(1_000, 9_000) * 100)
        buyer = make_bolivian()
        browser = signed_in(buyer)
        data = {"gateway": "stripe", "country": "BO", "currency": sold_in}
        if chance.random() < 0.6:
            data["voucher"] = make_voucher(percent=chance.randint(1, 95)).code
        if chance.random() < 0.4:
            make_agreement(
                make_role(buyer, country="BO"),
                percent=chance.randint(1, 60),
                is_stackable=chance.random() < 0.5,
            )
        page = browser.post(f"/checkout/{run.uuid}", data=data | {"apply": "1"})

        answer = browser.post(f"/checkout/{run.uuid}", data=data | {"quote": quote_in(page.text)})

        assert answer.status_code == 303, words_of(answer)
        order = db.session.scalars(select(Order).order_by(Order.id.desc()).limit(1)).one()
        assert total_on(page) == order.total.format("en")
        assert order.quote.steps[-1]["after"] == order.total_minor == order.quote.total_minor
        asked, in_currency = asked_for(stripe, answer.location)
        assert from_stripe(asked, in_currency.lower()) == order.total == order.quote.total
