"""What a buyer says for the invoice: province, organisation, address, tax number."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from lms.core import clock
from lms.core.choices import choices
from lms.core.settings import settings
from lms.invoicing.services.sellers import is_tax_charged
from lms.invoicing.tax_ids import WrongTaxId, check_tax_id
from lms.invoicing.taxes import BuyerKind
from lms.invoicing.words import PROVINCES
from lms.payments.services.terms import Billing
from lms.payments.terms_models import OrderTerms


class BillingFields(FlaskForm):  # type: ignore[misc]
    """Fields of the checkout that the invoice needs; stands beside one named `country`."""

    province = SelectField(
        lazy_gettext("Province"),
        [Optional()],
        description=lazy_gettext("In Canada: it decides which tax is in the price."),
    )
    organisation = StringField(
        lazy_gettext("Organisation"),
        [Optional(), Length(max=200)],
        description=lazy_gettext("When an organisation buys: its name stands on the invoice."),
    )
    address = TextAreaField(lazy_gettext("Address"), [Optional(), Length(max=500)])
    tax_id = StringField(
        lazy_gettext("Tax number"),
        [Optional(), Length(max=40)],
        description=lazy_gettext("Of the country above; it is checked."),
    )
    purchase_order = StringField(
        lazy_gettext("Purchase order"),
        [Optional(), Length(max=60)],
        description=lazy_gettext("Your own number for this order."),
    )

    def offer_provinces(self) -> None:
        """Fill in the provinces, in the reader's language."""
        self.province.choices = choices([("", _("Not in Canada")), *PROVINCES.items()])

    def show_billing(self, terms: OrderTerms | None) -> None:
        """Show again what was said for the order before."""
        if terms is None:
            return
        self.province.data, self.organisation.data = terms.province, terms.organisation
        self.purchase_order.data = terms.purchase_order
        self.address.data = terms.details.get("address", "")
        self.tax_id.data = terms.details.get("tax_id", "")

    def needs_province(self) -> bool:
        """Whether the tax depends on a province that was not chosen; says so at the field."""
        today = clock.local_date(clock.now(), settings().default_time_zone)
        country = self["country"].data
        if country != "CA" or self.province.data or not is_tax_charged(today):
            return False
        self.province.errors = [_("Choose your province: it decides which tax is in the price.")]
        return True

    def needs_purchase_order(self, is_on_account: bool) -> bool:
        """Whether the order is on invoice and its purchase order was not said; says so there."""
        if not is_on_account or (self.purchase_order.data or "").strip():
            return False
        self.purchase_order.errors = [_("Write the purchase order: the invoice carries it.")]
        return True

    def needs_organisation(self) -> bool:
        """Whether nobody is named to whom an offer is made; says so at the field."""
        if (self.organisation.data or "").strip():
            return False
        self.organisation.errors = [_("Write the organisation to which the offer is made.")]
        return True

    def validate_tax_id(self, field: StringField) -> None:
        """A number as the tax office of the country gives it out."""
        if not field.data:
            return
        country = self["country"].data or ""
        if not country:
            raise ValidationError(_("Choose the country of the tax number first."))
        try:
            field.data = check_tax_id(country, field.data)
        except WrongTaxId:
            raise ValidationError(
                _("This is not a tax number of the chosen country. Compare it with your papers.")
            ) from None

    def billing(self) -> Billing:
        """What was said."""
        organisation = (self.organisation.data or "").strip()
        return Billing(
            buyer=BuyerKind.ORGANISATION if organisation else BuyerKind.CONSUMER,
            organisation=organisation,
            province=self.province.data or "",
            purchase_order=(self.purchase_order.data or "").strip(),
            address=(self.address.data or "").strip(),
            tax_id=(self.tax_id.data or "").strip(),
        )
