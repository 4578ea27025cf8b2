"""Invoices and credit notes: exact, numbered, kept as they were issued."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import IntegrityError

from lms.core import clock
from lms.core.db import db
from lms.core.files import file_store
from lms.core.money import Money
from lms.invoicing import documents, queries
from lms.invoicing.errors import DocumentChanged, DocumentNotReady, NoTaxRow, NothingToCredit
from lms.invoicing.models import Invoice, InvoiceDocument, InvoiceLine
from lms.invoicing.services import invoices, sellers, threshold
from lms.notifications.models import Notice
from tests.factories.accounts import make_administrator, make_user
from tests.factories.invoicing import make_invoice, make_seller


@pytest.fixture
def seller(app):
    return make_seller(series="LTDP")


def amounts(invoice: Invoice) -> tuple[int, int, int]:
    return invoice.net_minor, invoice.tax_minor, invoice.gross_minor


def test_an_invoice_splits_its_amount_by_the_tax_of_the_place(seller):
    ontario = make_invoice(seller, 11_300)
    quebec = make_invoice(seller, 11_498, province="QC")

    assert amounts(ontario) == (10_000, 1_300, 11_300)
    assert invoices.taxes_of(ontario) == {"CA-ON": Money(1_300, "CAD")}
    assert invoices.taxes_of(quebec) == {"CA": Money(500, "CAD"), "CA-QC": Money(998, "CAD")}


def test_without_a_country_the_sale_is_taxed_where_the_seller_is(seller):
    invoice = make_invoice(seller, 11_300, country=None, province="")

    assert amounts(invoice) == (10_000, 1_300, 11_300)
    assert invoice.evidence["place"] == ["CA", "ON"]


def test_zero_rating_keeps_its_evidence_and_its_reason_in_the_buyers_language(seller):
    invoice = make_invoice(
        seller, country="BO", province="", language="es", evidence={"residence": "BO"}
    )

    [one] = invoice.lines[0].taxes
    assert (one.category, one.amount_minor) == ("G", 0)
    assert one.reason.startswith("Tasa cero")
    assert invoice.evidence == {"residence": "BO", "place": ["BO", ""], "facts": []}


def test_a_seller_that_is_not_registered_charges_none_and_says_why(app):
    invoice = make_invoice(make_seller(registered=False, tax_numbers="none of your business"))

    [one] = invoice.lines[0].taxes
    assert (one.category, one.rate, invoice.tax_minor) == ("O", 0, 0)
    assert "not registered" in one.reason
    assert invoice.seller_details["tax_numbers"] == ""


def test_a_place_without_a_row_on_that_day_is_refused(seller):
    with pytest.raises(NoTaxRow):
        make_invoice(seller, day=date(2016, 3, 1))


def test_numbers_have_no_gaps_and_begin_anew_each_year(seller):
    with clock.set_to(datetime(2027, 12, 31, 12, tzinfo=UTC)):
        old = [make_invoice(seller) for _n in range(2)]
    with clock.set_to(datetime(2028, 1, 1, 12, tzinfo=UTC)):
        new = make_invoice(seller)
        note = invoices.issue_credit_note(new, Money(500, "CAD"), "refund:1")

    assert [one.number for one in old] == ["LTDP-2027-000001", "LTDP-2027-000002"]
    assert (new.number, note.number) == ("LTDP-2028-000001", "LTDP-C-2028-000001")


def test_a_refused_invoice_gives_its_number_back(seller):
    make_invoice(seller)
    sale = invoices.Sale("x:1", "", "", date(2027, 3, 1), [invoices.Item("x", Money(1, "CAD"))])
    savepoint = db.session.begin_nested()
    invoices.issue_invoice(seller, invoices.Buyer("Ana"), sale)
    savepoint.rollback()

    assert make_invoice(seller).sequence == 2


def test_a_sale_is_invoiced_once(seller):
    sale = invoices.Sale("x:1", "", "", date(2027, 3, 1), [invoices.Item("x", Money(1, "CAD"))])

    first = invoices.issue_invoice(seller, invoices.Buyer("Ana"), sale)
    again = invoices.issue_invoice(seller, invoices.Buyer("Ana"), sale)

    assert first is again


def test_credit_notes_take_back_net_and_each_tax_and_in_the_end_all_of_it(seller):
    invoice = make_invoice(seller, 11_498, province="QC")
    notes = [
        invoices.issue_credit_note(invoice, Money(minor, "CAD"), f"refund:{minor}")
        for minor in (3_833, 7_664, 1)
    ]

    assert [note.cancels for note in notes] == [invoice] * 3
    assert sum(note.net_minor for note in notes) == invoice.net_minor
    for jurisdiction, amount in invoices.taxes_of(invoice).items():
        back = [invoices.taxes_of(note).get(jurisdiction, Money(0, "CAD")) for note in notes]
        assert sum(one.minor for one in back) == amount.minor
    assert invoices.credited(invoice) == invoice.gross
    with pytest.raises(NothingToCredit):
        invoices.issue_credit_note(invoice, Money(1, "CAD"), "refund:more")


def test_a_credit_note_whose_money_did_not_arrive_is_invoiced_again(seller):
    invoice = make_invoice(seller)
    note = invoices.issue_credit_note(invoice, Money(4_000, "CAD"), "refund:1")

    again = invoices.undo_credit_note(note, "refund:1")

    assert (again.cancels, amounts(again)) == (note, amounts(note))
    assert invoices.credited(invoice) == Money(0, "CAD")
    whole = invoices.issue_credit_note(invoice, invoice.gross, "refund:2")
    assert amounts(whole) == amounts(invoice)


def test_quantity_times_unit_is_the_line_on_invoices_and_credit_notes(seller):
    invoice = make_invoice(seller, 33_900, quantity=3)  # net 300, 13 % on it
    [line] = invoice.lines
    assert (line.quantity, line.unit) == (3, Money(10_000, "CAD"))

    backs = [(11_300, 1, 10_000), (5_650, 1, 5_000), (16_950, 1, 15_000)]
    for minor, quantity, net in backs:  # one of three, half of one, all that is left
        note = invoices.issue_credit_note(invoice, Money(minor, "CAD"), f"refund:{minor}")
        [part] = note.lines
        assert (part.quantity, part.net_minor) == (quantity, net)
        assert part.unit is not None
        assert part.unit.minor * part.quantity == part.net_minor
    again = invoices.undo_credit_note(note, "refund:16950")
    assert [(one.quantity, one.net_minor) for one in again.lines] == [(1, 15_000)]
    two = make_invoice(seller, 33_900, quantity=3)
    [part] = invoices.issue_credit_note(two, Money(22_600, "CAD"), "refund:two").lines
    assert (part.quantity, part.unit) == (2, Money(10_000, "CAD"))


def test_a_line_that_does_not_divide_shows_its_total_alone(seller, signed_in):
    invoice = make_invoice(seller, 22_680, quantity=7)
    [line] = invoice.lines
    assert (line.quantity, line.unit) == (7, None)
    [whole] = invoices.issue_credit_note(invoice, invoice.gross, "refund:all").lines
    assert (whole.quantity, whole.unit) == (7, None)
    page = signed_in(make_administrator()).get(f"/admin/invoicing/invoices/{invoice.uuid}").text
    assert "Unit price" in page


@pytest.mark.parametrize("table", [Invoice, InvoiceLine])
def test_the_database_refuses_to_change_what_was_issued(seller, table):
    make_invoice(seller)

    with pytest.raises(IntegrityError, match="never changed"), db.session.begin_nested():
        db.session.execute(update(table).values(net_minor=1))
    with pytest.raises(IntegrityError, match="never changed"), db.session.begin_nested():
        db.session.execute(delete(table))


def test_the_buyers_data_is_sealed_in_the_database(seller):
    invoice = make_invoice(seller, address="Calle 5, Oruro", tax_id="1020703023")

    kept = db.session.execute(text("SELECT buyer_sealed FROM invoices")).scalar_one()

    assert "Oruro" not in kept
    assert invoice.buyer_details == {
        "name": "Rosa Quispe",
        "address": "Calle 5, Oruro",
        "tax_id": "1020703023",
    }


@pytest.mark.slow
def test_the_pdf_is_made_once_and_each_download_gives_the_same_bytes(seller, run_jobs, signed_in):
    user = make_user()
    invoice = make_invoice(
        seller, 22_600, user=user, language="fr", organisation="Université d’El Alto", quantity=2
    )
    path = f"/invoices/{invoice.uuid}.pdf"
    assert signed_in(user).get(path).status_code == 404
    run_jobs()

    first, second = (signed_in(user).get(path).data for _n in range(2))

    assert first == second
    assert first.startswith(b"%PDF-1.7")
    document = PdfReader(BytesIO(first))
    assert b'pdfaid:part="3"' in document.xmp_metadata.stream.get_data()
    page = document.pages[0].extract_text()
    for words in (
        f"Facture {invoice.number}",
        "Université d’El Alto",
        "TVH 13 %",
        "Prix unitaire",
        "CAD 100,00",
        "CAD 200,00",
    ):
        assert words in page, page


def test_a_file_that_was_changed_is_not_given_out(seller):
    invoice = make_invoice(seller)
    with pytest.raises(DocumentNotReady):
        documents.document_response(invoice)
    documents.keep_document(invoice, b"%PDF as it was made")
    documents.keep_document(invoice, b"%PDF another")
    db.session.expire_all()
    assert documents.document_response(invoice).data == b"%PDF as it was made"

    file_store().write(db.session.scalars(select(InvoiceDocument)).one().file.path, b"%PDF forged")
    with pytest.raises(DocumentChanged):
        documents.document_response(invoice)


def test_the_tax_sheet_takes_credit_notes_off(seller):
    today = clock.now().date()
    invoice = make_invoice(seller, 11_300)
    make_invoice(seller, 11_300, country="BO", province="")
    invoices.issue_credit_note(invoice, Money(1_130, "CAD"), "refund:1")

    found = queries.tax_sheet(seller.id, date(today.year, 1, 1), date(today.year + 1, 1, 1))

    lines = [(one.jurisdiction, one.category, one.base.minor, one.tax.minor) for one in found]
    assert lines == [("CA", "G", 11_300, 0), ("CA-ON", "S", 9_000, 1_170)]


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2027, 1, 1), date(2026, 4, 1), date(2027, 3, 31)),
        (date(2027, 6, 30), date(2026, 7, 1), date(2027, 6, 30)),
        (date(2027, 7, 1), date(2026, 10, 1), date(2027, 9, 30)),
        (date(2027, 12, 31), date(2027, 1, 1), date(2027, 12, 31)),
    ],
)
def test_the_threshold_looks_at_four_quarters(day, first, last):
    assert threshold.four_quarters(day) == (first, last)


def test_administrators_are_warned_once_before_the_sum_and_once_when_it_is_reached(app):
    administrator = make_administrator(language="en")
    seller = make_seller(registered=False, counting_rates={"USD": "1.5"}, warn_percent=80)

    def titles() -> list[str]:
        threshold.warn_of_thresholds()
        return [
            notice.values["percent"]
            for notice in db.session.scalars(
                select(Notice).where(Notice.user_id == administrator.id).order_by(Notice.id)
            )
        ]

    with clock.set_to(datetime(2027, 3, 1, 12, tzinfo=UTC)):
        make_invoice(seller, 3_999_999)
        make_invoice(seller, 100, day=date(2026, 3, 31))  # of a quarter before
        make_invoice(seller, 500, currency="EUR")
        assert titles() == []

        make_invoice(seller, 1, currency="USD")
        assert (titles(), titles()) == ([80], [80])
        assert threshold.standing(seller).uncounted == (Money(500, "EUR"),)

        make_invoice(seller, 1_000_000)
        assert titles() == [80, 100]


def test_the_first_sale_makes_a_seller_of_what_stands_on_receipts(app):
    first, second = sellers.main_seller(), sellers.main_seller()

    assert first is second
    assert not first.is_registered(date(2027, 1, 1))
    other = sellers.add_seller({"series": "TWO", "name": "Two"}, make_administrator())
    assert other.is_main is None
    sellers.make_main(other, make_administrator())
    assert sellers.main_seller() is other
