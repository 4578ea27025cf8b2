"""How the room invoicing says no."""

from __future__ import annotations

from flask_babel import lazy_gettext

from lms.core.errors import DomainError, InvalidInput, NotFound


class NoTaxRow(DomainError):
    """No tax row says what a sale is taxed with; the message names place and day."""

    message = lazy_gettext(
        "It is not written down yet what tax a sale to this place carries. Please write to us."
    )


class TaxRowRefused(InvalidInput):
    """A tax row would leave a gap, overlap another one, or contradict itself."""

    message = lazy_gettext("This tax row cannot be kept.")


class TaxRowUsed(DomainError):
    """An invoice stands on this row, so it can only be ended after the last of them."""

    message = lazy_gettext(
        "Invoices stand on this tax row, so it can only be ended, on a day after the last of them."
    )


class NothingToCredit(DomainError):
    """A credit note takes back more than what is left of its invoice."""

    message = lazy_gettext("There is nothing left to take back of this invoice.")


class DocumentNotReady(NotFound):
    """The PDF of an invoice is made a moment after the invoice."""

    message = lazy_gettext("This document is being made. Try again in a moment.")


class DocumentChanged(DomainError):
    """The kept PDF is not the one that was made: somebody changed the file."""

    status = 500
    message = lazy_gettext("This document is not as it was made. Please write to us.")
