"""The shape of what people say that movements of money were."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length

from lms.core.choices import choices
from lms.ledger.accounts import Account, account_label


class ExplainForm(FlaskForm):  # type: ignore[misc]
    """What an open movement at a payment service was."""

    account = SelectField(
        lazy_gettext("What was it?"),
        [InputRequired(lazy_gettext("Choose what it was."))],
    )
    explanation = TextAreaField(
        lazy_gettext("How do you know?"),
        [InputRequired(lazy_gettext("Say how you know, for whoever asks later.")), Length(max=500)],
    )

    def offer(self, known: Iterable[Account]) -> None:
        """Fill in what it may have been."""
        words = [(account.value, account_label(account)) for account in known]
        self.account.choices = choices([("", _("Choose")), *words])


class ExplainManyForm(ExplainForm):
    """What several open movements were, all of them the same."""

    chosen = SelectMultipleField(
        lazy_gettext("Movements"),
        [InputRequired(lazy_gettext("Choose one movement or more in the list.")), Length(max=500)],
        coerce=int,
        validate_choice=False,
    )
