"""What visitors and learners send."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField
from wtforms.validators import Length

from lms.core.money import InvalidAmount, Money
from lms.core.settings import settings
from lms.core.text import current_language
from lms.courses.queries.catalogue import Filters


def _number(text: str, low: int, high: int) -> int | None:
    return int(text) if text.isdecimal() and low <= int(text[:6]) <= high else None


class CatalogueFilters(Form):
    """The filters of the catalogue, read from the address; nonsense narrows nothing."""

    q = StringField(lazy_gettext("What do you need to learn?"), [Length(max=200)])
    topic = StringField()
    month = StringField()  # 2027-02
    language = StringField()
    price = StringField()
    up_to = StringField()  # major units as the reader writes them
    currency = StringField()
    weeks = StringField()
    credit = StringField()

    def __init__(self, values: MultiDict[str, str]) -> None:
        super().__init__(values)

    def _text(self, name: str) -> str:
        return str(self[name].data or "").strip()[:200]

    @property
    def month_start(self) -> date | None:
        """The first day of the wanted month."""
        year, _, month = self._text("month").partition("-")
        y, m = _number(year, 2000, 2999), _number(month, 1, 12)
        return date(y, m, 1) if y and m else None

    def filters(self) -> Filters:
        """What to look for."""
        currency = self._text("currency")
        up_to: int | None = None
        if currency in settings().currencies and self._text("up_to"):
            try:
                up_to = Money.parse(self._text("up_to"), currency, current_language()).minor
            except InvalidAmount:
                up_to = None
        price = self._text("price")
        return Filters(
            query=self._text("q"),
            topic=self._text("topic"),
            month=self.month_start,
            language=self._text("language") if self._text("language").isalpha() else "",
            price=price if price in ("free", "paid") else "",
            up_to_minor=up_to if up_to is not None and 0 <= up_to < 10**12 else None,
            currency=currency,
            weeks=_number(self._text("weeks"), 1, 52),
            with_credit=bool(self._text("credit")),
        )

    def kept(self) -> dict[str, str]:
        """The filters that are set, for addresses of other pages of the same list."""
        return {field.name: self._text(field.name) for field in self if self._text(field.name)}
