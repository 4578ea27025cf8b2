"""The tax rows a Canadian seller begins with, as data. An adviser confirms them before use.

Sources: Excise Tax Act (Canada), Schedule IX (place of supply) and Schedule VI, Part V, ss. 7 and
18 (zero-rated supplies to non-residents); Act respecting the Québec sales tax; the rate of Nova
Scotia until 31 March 2025 and after it. The rows of the Andes are switched off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lms.invoicing.taxes import BuyerKind, Category, Fact

FIRST_DAY = date(2016, 7, 1)
_GST = {"en": "GST", "es": "GST", "fr": "TPS", "pt": "GST"}
_HST = {"en": "HST", "es": "HST", "fr": "TVH", "pt": "HST"}
_QST = {"en": "QST", "es": "QST", "fr": "TVQ", "pt": "QST"}
_ANDES = {
    "BO": (13_000, "IVA"),
    "CO": (19_000, "IVA"),
    "EC": (15_000, "IVA"),
    "PE": (18_000, "IGV"),
}
_NON_RESIDENT = {
    "en": "Zero-rated: supplied to a non-resident of Canada (Excise Tax Act, Sch. VI, Part V,"
    " s. 7)",
    "es": "Tasa cero: prestado a un no residente de Canadá (Excise Tax Act, anexo VI, parte V,"
    " art. 7)",
    "fr": "Détaxé : fourni à un non-résident du Canada (Loi sur la taxe d’accise, ann. VI,"
    " partie V, art. 7)",
    "pt": "Alíquota zero: fornecido a não residente no Canadá (Excise Tax Act, anexo VI,"
    " parte V, art. 7)",
}
_NON_RESIDENT_ORGANISATION = {
    "en": "Zero-rated: course leading to a certificate, supplied to an organisation outside Canada"
    " (Excise Tax Act, Sch. VI, Part V, s. 18)",
    "es": "Tasa cero: curso que lleva a un certificado, prestado a una organización fuera de"
    " Canadá (Excise Tax Act, anexo VI, parte V, art. 18)",
    "fr": "Détaxé : cours menant à un certificat, fourni à une organisation hors du Canada (Loi"
    " sur la taxe d’accise, ann. VI, partie V, art. 18)",
    "pt": "Alíquota zero: curso que leva a um certificado, fornecido a uma organização fora do"
    " Canadá (Excise Tax Act, anexo VI, parte V, art. 18)",
}


@dataclass(frozen=True)
class RowTerms:
    """What a tax row says: see `models.TaxRow`."""

    jurisdiction: str
    rate: int
    starts_on: date
    ends_on: date | None = None
    country: str = ""
    province: str = ""
    supply: str = ""
    buyer: str = ""
    category: str = Category.STANDARD
    requires: str = ""
    name: dict[str, str] = field(default_factory=dict)
    reason: dict[str, str] = field(default_factory=dict)
    is_active: bool = True

    def values(self) -> dict[str, Any]:
        """By the names of the columns."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def _canadian(
    province: str, rate: int, name: dict[str, str], jurisdiction: str, *days: date | None
) -> RowTerms:
    starts_on, ends_on = days or (FIRST_DAY, None)
    assert starts_on is not None
    return RowTerms(jurisdiction, rate, starts_on, ends_on, "CA", province, name=name)


def canadian_rows() -> list[RowTerms]:
    """Canada by province, the world outside it, and the Andes switched off."""
    rows = [
        _canadian("ON", 13_000, _HST, "CA-ON"),
        _canadian("NB", 15_000, _HST, "CA-NB"),
        _canadian("NL", 15_000, _HST, "CA-NL"),
        RowTerms("CA-PE", 15_000, date(2016, 10, 1), None, "CA", "PE", name=_HST),
        _canadian("NS", 15_000, _HST, "CA-NS", FIRST_DAY, date(2025, 3, 31)),
        _canadian("NS", 14_000, _HST, "CA-NS", date(2025, 4, 1), None),
        _canadian("QC", 5_000, _GST, "CA"),
        _canadian("QC", 9_975, _QST, "CA-QC"),
        _canadian("", 5_000, _GST, "CA"),
    ]
    for buyer, requires, reason in (
        (BuyerKind.CONSUMER, "", _NON_RESIDENT),
        (BuyerKind.ORGANISATION, Fact.CAN_BE_FAILED, _NON_RESIDENT_ORGANISATION),
    ):
        rows.append(
            RowTerms(
                "CA",
                0,
                FIRST_DAY,
                buyer=buyer,
                category=Category.EXPORT,
                requires=requires,
                name=_GST,
                reason=reason,
            )
        )
    rows += [
        RowTerms(
            country, rate, date(2026, 1, 1), country=country, name={"en": name}, is_active=False
        )
        for country, (rate, name) in _ANDES.items()
    ]
    return rows
