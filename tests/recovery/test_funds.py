"""What administrators read of scholarship funds, and what a donor reads."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from lms.core import clock
from lms.core.db import db
from lms.payments.models import RefundReason
from lms.payments.services import orders, payments, refunds
from lms.recovery.services import sharing
from tests.factories.accounts import make_user
from tests.factories.courses import make_course
from tests.factories.pricing import make_tiers
from tests.factories.scholarships import make_award, make_fund, make_priced_run

FUNDERS = "/admin/recovery/funders"
TODAY = clock.now().date()
DAYS = (TODAY - timedelta(days=40), TODAY + timedelta(days=40))


@pytest.fixture
def fund(app):
    make_tiers()
    return make_fund(1_000_000, key="andes", name={"en": "Andes fund"})


def use(award):
    order = orders.place_order(award.run, award.user, "stripe", country="BO")
    if order.total:
        payments.take_payment(order, "stripe", f"pi_{order.id}", order.total)
    return order


def test_each_figure_of_a_fund_opens_what_is_behind_it(admin, signed_in, fund):
    run = make_priced_run()
    use(make_award(fund, run))
    half = use(make_award(fund, run, percent=50))
    refunds.refund_order(half, RefundReason.BY_ADMINISTRATOR)
    for refund in half.refunds:
        refunds.settle_refund(refund, "re_1")
    make_award(fund, run, percent=75)
    db.session.commit()
    browser = signed_in(admin)

    page = browser.get("/admin/reports/recovery-funds").text
    csv = browser.get("/admin/reports/recovery-funds/csv?period=all").text

    assert "Andes fund" in page
    figures = ["10000.00", "180.00", "60.00", "9880.00", "90.00", "9790.00"]
    assert ",".join(figures) in csv
    links = re.findall(r'href="(/admin/(?:ledger/entries|scholarships)[^"]*)"', page)
    opened = {link.replace("&amp;", "&") for link in links}
    account = "account=Liabilities:Fund:Andes"
    assert "/admin/scholarships?state=awarded&fund=andes" in opened
    assert "/admin/scholarships/funds/andes" in opened
    assert {f"/admin/ledger/entries?{account}&kind={kind}" for kind in
            ("fund_paid_in", "sale", "credit_note")} <= opened  # fmt: skip
    for link in opened:
        assert browser.get(link).status_code == 200, link
    assert "1 entry" in browser.get(f"/admin/ledger/entries?{account}&kind=credit_note").text
    assert signed_in(make_user()).get("/admin/reports/recovery-funds").status_code in (403, 404)


def test_a_donor_reads_figures_of_five_people_and_more(admin, signed_in, client, fund):
    many = make_priced_run(make_course(title={"en": "Maps"}))
    few = make_priced_run(make_course(title={"en": "Rivers"}))
    for number in range(8):
        award = make_award(fund, many, make_user(name=f"Person {number}"))
        use(award)
    for number in range(2):
        use(make_award(fund, few, make_user(name=f"Other {number}")))
    db.session.commit()
    typed = {
        "title": "For Ana Giver", "tables": ["fund"], "course": "", "fund": "andes",
        "first": DAYS[0].isoformat(), "last": DAYS[1].isoformat(),
        "expires_on": DAYS[1].isoformat(),
    }  # fmt: skip
    browser = signed_in(admin)

    assert browser.post(FUNDERS, data=typed | {"fund": ""}).status_code == 422
    page = browser.post(FUNDERS, data=typed).text
    shown = client.post(re.search(r"http://[^/]+(/funders/[\w-]+)", page).group(1)).text

    cells = re.findall(r'<td class="number"[^>]*>([^<]+)<', shown)
    assert cells[:5] == ["10", "10", "10", "0", "CAD 1,200.00"]
    assert "Rivers" not in shown
    assert "Person" not in shown


def test_a_fund_with_few_people_shows_no_figures(admin, client, fund):
    for _number in range(3):
        use(make_award(fund, make_priced_run()))
    _link, token = sharing.share("For Ana", ["fund"], None, DAYS, DAYS[1], admin.id, fund)
    db.session.commit()

    shown = client.post(f"/funders/{token}").text

    assert "Too few people to show figures." in shown
    assert "360.00" not in shown
