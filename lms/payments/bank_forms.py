"""The shape of what people say about bank accounts and their files."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import FieldList, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from lms.core.choices import choices
from lms.core.settings import settings
from lms.payments.bank_cells import DayOrder, DecimalSign
from lms.payments.bank_layouts import Layout, Purpose
from lms.payments.bank_records import DELIMITERS, ENCODINGS, MOST_COLUMNS

PURPOSES = {
    Purpose.NOTHING: lazy_gettext("Not needed"),
    Purpose.DAY: lazy_gettext("Day"),
    Purpose.AMOUNT: lazy_gettext("Amount, negative when money went"),
    Purpose.MONEY_IN: lazy_gettext("Money that came"),
    Purpose.MONEY_OUT: lazy_gettext("Money that went"),
    Purpose.SIDE: lazy_gettext("Came or went (C, D)"),
    Purpose.TEXT: lazy_gettext("Words"),
    Purpose.NAME: lazy_gettext("Who paid"),
    Purpose.REFERENCE: lazy_gettext("The bank’s own number of the line"),
    Purpose.BALANCE: lazy_gettext("Balance after the line"),
    Purpose.CURRENCY: lazy_gettext("Currency"),
}
DAY_ORDERS = {
    DayOrder.DAY_FIRST: lazy_gettext("Day, month, year: 31/12/2027"),
    DayOrder.MONTH_FIRST: lazy_gettext("Month, day, year: 12/31/2027"),
    DayOrder.YEAR_FIRST: lazy_gettext("Year, month, day: 2027-12-31"),
}
_SEPARATORS = {
    ",": lazy_gettext("Comma"),
    ";": lazy_gettext("Semicolon"),
    "\t": lazy_gettext("Tab"),
    "|": lazy_gettext("Vertical line"),
}


class BankAccountForm(FlaskForm):  # type: ignore[misc]
    """An account of the seller whose files shall be read."""

    name = StringField(
        lazy_gettext("Name of the account"),
        [InputRequired(lazy_gettext("Write a name.")), Length(max=100)],
        description=lazy_gettext("Such as the bank and the currency."),
    )
    currency = SelectField(lazy_gettext("Currency"))

    def offer(self) -> None:
        """Fill in the currencies."""
        self.currency.choices = choices([(code, code) for code in settings().currencies])


class BankFileForm(FlaskForm):  # type: ignore[misc]
    """A file of a bank."""

    file = FileField(
        lazy_gettext("Movements of the account, as CSV"),
        [FileRequired(lazy_gettext("Choose a file."))],
        description=lazy_gettext("At most 10 MB and 50,000 lines. Nothing is booked before you"
                                 " have seen what it does."),
    )  # fmt: skip


class LayoutForm(FlaskForm):  # type: ignore[misc]
    """How the bank writes its file."""

    encoding = SelectField(lazy_gettext("Written in"))
    delimiter = SelectField(lazy_gettext("Between the columns stands"), coerce=str)
    decimal = SelectField(lazy_gettext("Before the cents stands"))
    day_order = SelectField(lazy_gettext("How days are written"))
    columns = FieldList(SelectField(), max_entries=MOST_COLUMNS)

    @classmethod
    def of(cls, layout: Layout, *, is_new: bool) -> LayoutForm:
        """The form for a file. is_new: filled from the layout, else from what was sent."""
        form = cls(
            **({"formdata": None} if is_new else {}),
            data={
                "encoding": layout.encoding,
                "delimiter": layout.delimiter,
                "decimal": layout.decimal,
                "day_order": layout.day_order,
                "columns": [str(purpose) for purpose in layout.purposes],
            },
        )
        form._offer(layout)
        return form

    def _offer(self, layout: Layout) -> None:
        names = {value: code for code, value in ENCODINGS.items()}
        names[ENCODINGS[layout.encoding]] = layout.encoding
        self.encoding.choices = choices([(code, name) for name, code in names.items()])
        signs = dict.fromkeys((*DELIMITERS, layout.delimiter))
        self.delimiter.choices = choices([(s, _SEPARATORS.get(s, s)) for s in signs])
        self.decimal.choices = choices(
            [(DecimalSign.COMMA.value, _("Comma: 1.234,50")),
             (DecimalSign.POINT.value, _("Point: 1,234.50"))]
        )  # fmt: skip
        self.day_order.choices = choices([(one.value, words) for one, words in DAY_ORDERS.items()])
        for n, field in enumerate(self.columns):
            field.choices = choices([(one.value, words) for one, words in PURPOSES.items()])
            heading = layout.headings[n] if n < len(layout.headings) else ""
            field.label.text = heading or _("Column %(number)d", number=n + 1)

    def layout(self, before: Layout) -> Layout:
        """What was chosen."""
        purposes: Sequence[str] = [str(field.data or "") for field in self.columns]
        return Layout(
            str(self.encoding.data),
            str(self.delimiter.data),
            before.starts_at,
            before.headings,
            purposes,
            str(self.day_order.data),
            str(self.decimal.data),
        )


class ConfirmFileForm(FlaskForm):  # type: ignore[misc]
    """What was looked at is right."""

    version = IntegerField(validators=[InputRequired()], widget=HiddenInput())
    closing = StringField(
        lazy_gettext("Balance after the last line, if you know it"),
        [Optional(), Length(max=30)],
        description=lazy_gettext("With it, the nightly check finds lines that are missing."),
    )


class MatchForm(FlaskForm):  # type: ignore[misc]
    """The order that a line of the bank belongs to."""

    order = StringField(
        lazy_gettext("Number of the order"),
        [InputRequired(lazy_gettext("Write the number of the order.")), Length(max=60)],
    )
    reason = TextAreaField(
        lazy_gettext("How do you know that it belongs there?"),
        [InputRequired(lazy_gettext("Say how you know, for whoever asks later.")), Length(max=500)],
    )
