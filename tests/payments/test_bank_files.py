"""What banks write: encodings, separators, decimals, orders of days, and what is no such file."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest

from lms.payments.bank_cells import (
    guess_day_order,
    guess_decimal,
    read_day,
    read_minor,
)
from lms.payments.bank_files import read_file
from lms.payments.bank_layouts import Purpose, guess_layout
from lms.payments.errors import BankFileRefused
from lms.payments.services.bank_matching import order_numbers

TODAY = date(2027, 6, 30)
BOLIVIAN = (
    "Banco de Ejemplo S.A.;;;;\r\n"
    "Cuenta;10000-123;;;\r\n"
    "Fecha;Descripción;Débito;Crédito;Saldo\r\n"
    "03/05/2027;Depósito P-2027-000123 señora Núñez;;1.234,50;2.234,50\r\n"
    "03/05/2027;Comisión;12,00;;2.222,50\r\n"
    "14/05/2027;Transferencia;;100,00;2.322,50\r\n"
    "Saldo final;;;;2.322,50\r\n"
)


def read(content: bytes, currency: str = "BOB"):
    layout = guess_layout(content, TODAY)
    return layout, read_file(content, layout, currency)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_one_file_in_any_writing_gives_the_same_lines(encoding):
    _layout, found = read(BOLIVIAN.encode(encoding))

    assert not found.problems
    assert [(one.day, one.minor) for one in found.lines] == [
        (date(2027, 5, 3), 123_450),
        (date(2027, 5, 3), -1_200),
        (date(2027, 5, 14), 10_000),
    ]
    assert found.lines[0].text == "Depósito P-2027-000123 señora Núñez"
    assert [one.line for one in found.lines] == [4, 5, 6]
    assert found.passed_over == [7]
    assert (found.opening, found.closing) == (100_000, 232_250)


@pytest.mark.parametrize(
    "text",
    [
        'Date,Description,Amount\n2027-05-03,Wire,"1,234.50"\n',
        "Date;Description;Amount\n05/03/2027;Wire;1234.50\n05/28/2027;Wire;1\n",
        "Date\tDescription\tAmount\n3 mai 2027\tVirement\t1 234,50 $\n",
        "sep=|\nDate|Details|Amount\n20270503|Wire|CAD 1'234.50\n",
        "2027-05-03;Wire;1234,50\n2027-05-04;Wire;2,00\n",
        "03-May-27;Wire;1,234.50 CR\n04-May-27;Wire;2.00 DR\n",
    ],
)
def test_separators_decimals_and_days_are_found(text):
    _layout, found = read(text.encode(), "CAD")

    assert not found.problems
    assert (found.lines[0].day, found.lines[0].minor) == (date(2027, 5, 3), 123_450)


def test_the_newest_line_first_gives_the_same_balances():
    rows = BOLIVIAN.splitlines()
    turned = "\r\n".join([*rows[:3], *rows[5:2:-1]])

    _layout, found = read(turned.encode())

    assert (found.opening, found.closing) == (100_000, 232_250)


def test_a_row_that_cannot_be_read_is_named():
    broken = BOLIVIAN.replace("14/05/2027", "32/05/2027").replace(";100,00", ";cien")

    _layout, found = read(broken.encode())

    assert [one.line for one in found.problems] == [6]
    assert "32/05/2027" in found.problems[0].text
    mended = broken.replace("32/05", "12/05")
    assert "cien" in read(mended.encode())[1].problems[0].text


def test_a_row_in_another_currency_is_named():
    text = "Fecha;Moneda;Importe;Concepto\n03/05/2027;BOB;10,00;a\n04/05/2027;USD;10,00;b\n"

    _layout, found = read(text.encode())

    assert [one.line for one in found.problems] == [3]


def test_the_layout_of_the_file_before_is_kept_while_the_headings_are_the_same():
    text = "Fecha;Nota;Otra;Importe\n03/05/2027;P-2027-000001;x;10,00\n"
    kept = guess_layout(text.encode(), TODAY)
    purposes = [Purpose.DAY, Purpose.NOTHING, Purpose.NAME, Purpose.AMOUNT]
    kept = type(kept)(**(kept.as_json() | {"purposes": purposes}))

    assert guess_layout(text.encode("cp1252"), TODAY, kept).purposes == purposes
    other = text.replace("Nota", "Detalle").encode()
    assert guess_layout(other, TODAY, kept).purposes != purposes


def _spreadsheet() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as box:
        box.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (_spreadsheet(), "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "spreadsheet"),
        (b"%PDF-1.7 whatever", "no text file"),
        (bytes(range(256)) * 20, "no text file"),
        (b"<html><table><tr><td>03/05/2027</td></tr></table></html>", "web page"),
        (b"a,b\n" * 3_000_000, "too large"),
        (b"2027-05-03,1.00\n" * 50_001, "too long"),
        (b"name,city\nAna,La Paz\n", "No line"),
        (b'2027-05-03,"open,1.00\n2027-05-04,b,1.00\n', "Line 1"),
        (b"2027-05-03" + b",1" * 80, "columns"),
    ],
)
def test_what_is_no_file_of_movements_is_refused_with_the_reason(app, content, words):
    with app.test_request_context(), pytest.raises(BankFileRefused) as refusal:
        read(content)

    assert words in str(refusal.value.text)


@pytest.mark.parametrize(
    ("text", "decimal", "minor"),
    [
        ("1.234,50", ",", 123_450),
        ("(12.00)", ".", -1_200),
        ("12,00-", ",", -1_200),
        ("−5", ".", -500),
        ("Bs 1.000", ",", 100_000),
        ("R$ 3,5", ",", 350),
        ("1\u202f234,50 $", ",", 123_450),
        ("12.345", ",", 1_234_500),
        ("12.345", ".", None),
        ("1.23.456", ",", None),
        ("1e5", ".", None),
        ("12 %", ".", None),
        ("=1+1", ".", None),
        ("9" * 30, ".", None),
        ("", ".", None),
    ],
)
def test_amounts_are_read_strictly(text, decimal, minor):
    assert read_minor(text, decimal, "BOB") == minor


def test_a_currency_without_cents_takes_none():
    assert read_minor("12.345", ",", "CLP") == 12_345
    assert read_minor("12,50", ",", "CLP") is None


@pytest.mark.parametrize(
    ("cells", "sign"),
    [(["1.234,50"], ","), (["12.50", "1,000"], "."), (["1.000", "2.500"], ","), (["7"], ".")],
)
def test_the_decimal_sign_is_guessed_by_the_whole_column(cells, sign):
    assert guess_decimal(cells) == sign


def test_the_order_of_days_is_guessed_and_told_when_it_is_not_sure():
    assert guess_day_order(["03/05/2027", "14/05/2027"], TODAY) == ("dmy", True)
    assert guess_day_order(["05/03/2027", "05/14/2027"], TODAY) == ("mdy", True)
    assert guess_day_order(["2027/05/03"], TODAY) == ("ymd", True)
    order, is_sure = guess_day_order(["03/05/2027", "04/05/2027"], TODAY)
    assert (order, is_sure) == ("dmy", False)
    assert guess_day_order(["06/09/2027", "06/10/2027"], TODAY)[0] == "mdy"  # else still to come


@pytest.mark.parametrize(
    ("days", "may_be_turned"),
    [
        (["03/04/2026"], True),
        (["03/04/2026", "05/05/2026"], True),
        (["03/04/2026", "12/04/2026"], True),
        (["05/05/2026"], False),  # the same either way
        (["03/14/2026"], False),
        (["03/04/2026", "14/04/2026"], False),  # one says it for all
        (["2026-03-04"], False),
        (["2026/03/04", "2026/05/06"], False),
        (["3 abr 2026"], False),  # the month is a word
        (["11/02/2027"], False),  # the other way round it would not have come yet
        (["11/02/2028"], True),  # it has not come either way
    ],
)
def test_days_that_could_be_months_are_known(app, days, may_be_turned):
    today = date(2027, 3, 1)
    content = "\n".join(["Fecha;Texto;Importe", *(f"{day};pago;10,00" for day in days)]).encode()
    found = read_file(content, guess_layout(content, today), "CAD")
    assert (len(found.lines), found.may_be_turned(today)) == (len(days), may_be_turned)


@pytest.mark.parametrize("text", ["31/02/2027", "2027", "12/2027", "hello", "", "1/1/1"])
def test_what_is_no_day_is_none(text):
    assert read_day(text, "dmy") is None or text == "1/1/1"


@pytest.mark.parametrize(
    "text",
    [
        "Pago P-2027-000123 gracias",
        "p2027000123",
        "PAGOP2027-000123 CURSO",
        "P 2027 000123",
        "P–2027–000123",
        "REF/P/2027/000123/BO",
        "P-2027-000 123",
        "Inv P-2027-00012 3 ana",
    ],
)
def test_the_number_of_an_order_is_found_however_banks_cut_it(text):
    assert order_numbers(text) == ["P-2027-000123"]


def test_other_numbers_are_none():
    assert order_numbers("Factura 2027-000123, 10.05.2027 P-27-1") == []
    assert order_numbers("P-2027-000001 y P-2027-000002") == ["P-2027-000001", "P-2027-000002"]
