"""Numbers of tax offices: right ones in their short form, wrong ones refused."""

from __future__ import annotations

import pytest

from lms.invoicing.tax_ids import WrongTaxId, check_tax_id


@pytest.mark.parametrize(
    ("country", "number", "short"),
    [
        ("CA", "12302 6635 RC 0001", "123026635RC0001"),
        ("CA", "1234567890 TQ 0001", "1234567890TQ0001"),
        ("BO", "1020703023", "1020703023"),
        ("BO", "102.070.3023", "1020703023"),
        ("CO", "213.123.432-1", "2131234321"),
        ("PE", "20512333797", "20512333797"),
        ("EC", "1792060346-001", "1792060346001"),
        ("CL", "76086428-5", "760864285"),
        ("DE", "DE 136,695 976", "136695976"),
        ("KE", "P051234567X", "P051234567X"),  # nobody knows a rule
    ],
)
def test_a_right_number_is_kept_in_its_short_form(country, number, short):
    assert check_tax_id(country, number) == short


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("CA", "123026636"),
        ("CA", "12345TQ0001"),
        ("BO", "12345"),
        ("BO", "1111111111"),
        ("BO", "0102070302"),
        ("BO", "12a4567"),
        ("CO", "213.123.432-2"),
        ("PE", "20512333798"),
        ("DE", "136695978"),
        ("KE", "none"),
        ("KE", ""),
        ("KE", "1" * 41),
    ],
)
def test_a_wrong_number_is_refused(country, number):
    with pytest.raises(WrongTaxId):
        check_tax_id(country, number)
