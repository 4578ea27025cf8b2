"""Administrators' pages, and what others may see of them."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.core.money import Money
from lms.invoicing import documents
from lms.invoicing.models import Seller, TaxRow
from lms.invoicing.services import invoices
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_invoice, make_seller


@pytest.fixture
def desk(app, signed_in):
    return signed_in(make_administrator(language="en"))


def test_only_the_buyer_and_administrators_download_an_invoice(app, signed_in, desk, client):
    buyer = make_user()
    invoice = make_invoice(user=buyer)
    documents.keep_document(invoice, b"%PDF kept")
    db.session.commit()
    path = f"/invoices/{invoice.uuid}.pdf"

    assert signed_in(buyer).get(path).data == b"%PDF kept"
    assert desk.get(path).data == b"%PDF kept"
    assert signed_in(make_user()).get(path).status_code == 403
    assert client.get(path).status_code == 302


def test_other_people_reach_no_page_of_the_desk(app, signed_in):
    seller = make_seller()
    row = db.session.scalars(select(TaxRow)).first()
    invoice = make_invoice(seller)
    stranger = signed_in(make_user())
    pages = ["invoices", "invoices.csv", "tax-sheet", "tax-rows", "sellers", "sellers/new"]
    pages += [f"invoices/{invoice.uuid}", f"sellers/{seller.id}", f"tax-rows/{row.id}/end"]
    pages += [f"sellers/{seller.id}/tax-rows/new", f"tax-rows/{row.id}/next"]
    pages += [f"sellers/{seller.id}/tax-sheet.csv"]
    acts = ["sellers/new", f"sellers/{seller.id}", f"sellers/{seller.id}/main"]
    acts += [f"sellers/{seller.id}/canadian-rows", f"sellers/{seller.id}/tax-rows/new"]
    acts += [f"tax-rows/{row.id}/{act}" for act in ("next", "end", "switch")]

    assert {stranger.get(f"/admin/invoicing/{page}").status_code for page in pages} == {403}
    assert {stranger.post(f"/admin/invoicing/{act}").status_code for act in acts} == {403}


def test_invoices_are_found_by_number_order_buyer_and_kind(desk):
    seller = make_seller()
    first = make_invoice(seller, user=make_user(name="Rosa Quispe"))
    second = make_invoice(seller, organisation="Gobierno de Oruro", kind="organisation")
    note = invoices.issue_credit_note(first, Money(50, "CAD"), "refund:1")

    def shown(**filters: str) -> set[str]:
        page = desk.get("/admin/invoicing/invoices", query_string=filters).text
        return {one.number for one in (first, second, note) if one.number in page}

    assert shown() == {first.number, second.number, note.number}
    assert shown(q="quispe") == {first.number, note.number}
    assert shown(q="oruro") == {second.number}
    assert shown(q=second.reference) == {second.number}
    assert shown(kind="credit_note") == {note.number}
    assert shown(buyer="organisation") == {second.number}
    assert shown(year="1999") == set()
    page = desk.get(f"/admin/invoicing/invoices/{note.uuid}").text
    assert "Credit note" in page
    assert first.number in page


def test_the_table_of_invoices_has_negative_credit_notes_and_no_formula(desk):
    invoice = make_invoice(organisation="=cmd()", user=make_user(name="@rosa"))
    invoices.issue_credit_note(invoice, Money(50, "CAD"), "refund:1")

    table = desk.get("/admin/invoicing/invoices.csv").text

    assert "'=cmd()" in table
    assert "'@rosa" in table
    assert ",-0.50" in table


def test_a_seller_and_its_rows_are_made_in_the_browser(desk):
    form = {
        "series": "LTDP", "name": "Learning Together", "country": "CA", "province": "on",
        "threshold": "50,000", "threshold_currency": "CAD", "warn_percent": "80",
        "counting_rates": "USD 1.37", "registered_from": "2027-01-01",
    }  # fmt: skip
    assert desk.post("/admin/invoicing/sellers/new", data=form | {"series": "x"}).status_code == 422
    assert desk.post(
        "/admin/invoicing/sellers/new", data=form | {"counting_rates": "USD many"}
    ).status_code == 422  # fmt: skip
    assert desk.post("/admin/invoicing/sellers/new", data=form).status_code == 303
    assert desk.post("/admin/invoicing/sellers/new", data=form).status_code == 422
    bare = {name: text for name, text in form.items() if name != "counting_rates"}
    only = db.session.scalars(select(Seller)).one()
    assert desk.post(f"/admin/invoicing/sellers/{only.id}", data=bare).status_code == 303
    seller = db.session.scalars(select(Seller)).one()
    assert (seller.province, seller.threshold, seller.is_main) == ("ON", Money(5_000_000, "CAD"), 1)

    assert desk.post(f"/admin/invoicing/sellers/{seller.id}/canadian-rows").status_code == 303
    rows = desk.get("/admin/invoicing/tax-rows").text
    assert "9.975 %" in rows
    assert "Canada, Québec" in rows
    for page in ("sellers", "tax-sheet", "invoices", f"sellers/{seller.id}"):
        assert desk.get(f"/admin/invoicing/{page}").status_code == 200


ROW = {
    "country": "BO", "supply": "course", "buyer": "", "jurisdiction": "BO", "rate": "13",
    "category": "S", "starts_on": "2027-01-01", "ends_on": "", "name_en": "IVA", "is_active": "y",
}  # fmt: skip


def test_a_tax_row_is_added_followed_ended_and_switched_in_the_browser(desk):
    seller = make_seller(registered=False)
    new = f"/admin/invoicing/sellers/{seller.id}/tax-rows/new"

    assert desk.get(new).status_code == 200
    assert desk.post(new, data=ROW | {"rate": "13.00001"}).status_code == 422
    assert desk.post(new, data=ROW | {"category": "Z"}).status_code == 422
    assert desk.post(new, data=ROW).status_code == 303
    again = desk.post(new, data=ROW | {"starts_on": "2027-05-01"})
    assert again.status_code == 422
    assert "May 1, 2027" in again.text
    row = db.session.scalars(select(TaxRow)).one()

    follow = f"/admin/invoicing/tax-rows/{row.id}/next"
    assert 'value="13"' in desk.get(follow).text
    wrong = ROW | {"rate": "14", "starts_on": "2027-07-01", "jurisdiction": "BO-L"}
    assert desk.post(follow, data=wrong).status_code == 422
    right = ROW | {"rate": "14.5", "starts_on": "2027-07-01"}
    assert desk.post(follow, data=right).status_code == 303
    old, later = db.session.scalars(select(TaxRow).order_by(TaxRow.starts_on)).all()
    assert (old.ends_on, later.rate) == (date(2027, 6, 30), 14_500)

    end = f"/admin/invoicing/tax-rows/{later.id}/end"
    assert desk.get(end).status_code == 200
    assert desk.post(end, data={"last_day": "2027-06-01"}).status_code == 422
    assert desk.post(end, data={"last_day": "2027-12-31"}).status_code == 303
    assert desk.post(f"/admin/invoicing/tax-rows/{later.id}/switch").status_code == 303
    db.session.refresh(later)
    assert not later.is_active


def test_the_tax_sheet_is_read_and_downloaded(desk):
    invoice = make_invoice(minor=11_300)
    period = {"first": "2000-01-01", "last": "2100-01-01", "seller": str(invoice.seller_id)}

    page = desk.get("/admin/invoicing/tax-sheet", query_string=period).text
    table = desk.get(
        f"/admin/invoicing/sellers/{invoice.seller_id}/tax-sheet.csv", query_string=period
    ).text

    assert "CAD 13.00" in page
    assert "CA-ON,S Taxed,13,CAD,100.00,13.00,1" in table
