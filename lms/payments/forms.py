"""The shape of what people type about payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import get_timezone, lazy_gettext
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import HiddenInput

from lms.accounts.forms import email_field, name_field
from lms.config import LANGUAGES
from lms.core.amounts import read_amount
from lms.core.choices import choices
from lms.core.money import Money
from lms.core.places import country_choices
from lms.core.settings import settings
from lms.core.validators import SensibleDate
from lms.payments.billing_form import BillingFields
from lms.payments.gateways.base import PaymentGateway, payment_gateways
from lms.payments.services.vouchers import MAX_BATCH, VoucherTerms
from lms.payments.terms_models import RefundPolicy
from lms.pricing.errors import QuoteChanged
from lms.pricing.scopes import says_reduction


class ActionForm(FlaskForm):  # type: ignore[misc]
    """A button that changes something: only the protection against forged requests."""


class BuyForm(BillingFields):
    """Country, currency, way to pay, and what the invoice says."""

    country = SelectField(lazy_gettext("Country where you live"), [Optional()])
    currency = SelectField(lazy_gettext("Currency"), [Optional()], validate_choice=False)
    gateway = RadioField(lazy_gettext("How would you like to pay?"), validate_choice=False)

    def offer_countries(self) -> None:
        """Fill in the countries, in the reader's language."""
        self.country.choices = choices([("", _("Not said")), *country_choices()])
        self.offer_provinces()

    def is_on_account(self) -> bool:
        """Whether an invoice was chosen."""
        gateway = payment_gateways.get(self.gateway.data or "")
        return gateway is not None and gateway.is_on_account

    def offer(self, currencies: Sequence[str], gateways: list[PaymentGateway]) -> None:
        """Fill in the choices that the price leaves."""
        self.gateways = gateways
        self.currency.choices = choices([(code, code) for code in currencies])
        self.gateway.choices = choices([(g.name, str(g.label)) for g in gateways])
        if self.gateway.data not in [g.name for g in gateways]:
            self.gateway.data = gateways[0].name if gateways else None


class CheckoutForm(BuyForm):
    """The checkout of a place: also a voucher, and what people choose to pay."""

    quote = HiddenField()
    voucher = StringField(lazy_gettext("Voucher code"), [Optional(), Length(max=64)])
    use_credit = BooleanField(lazy_gettext("Use my credit"))
    credit = HiddenField()
    amount = StringField(lazy_gettext("Amount that you choose"), [Optional(), Length(max=30)])
    in_parts = BooleanField(lazy_gettext("Pay in parts"))

    def chosen(self, currency: str | None) -> Money | None:
        """What somebody wants to pay, where people choose. Raises ValidationError."""
        text = (self.amount.data or "").strip()
        return read_amount(text, currency) if text and currency else None


class GuestCheckoutForm(CheckoutForm):
    """The checkout of somebody without an account."""

    name = name_field()
    email = email_field(lazy_gettext("E-mail"))


class ItemForm(BuyForm):
    """The checkout of something else. shown: the price on the page, as minor units and currency.

    quote: what the product quoted for it.
    """

    shown = HiddenField()
    quote = HiddenField()

    def shown_price(self) -> Money:
        """The price that the buyer was shown. Raises QuoteChanged when it is none."""
        minor, _space, currency = (self.shown.data or "").partition(" ")
        try:
            return Money(int(minor), currency)
        except ValueError:
            raise QuoteChanged from None


class OfferForm(FlaskForm):  # type: ignore[misc]
    """How an offer that is accepted is paid."""

    gateway = RadioField(lazy_gettext("How would you like to pay?"), validate_choice=False)
    purchase_order = StringField(
        lazy_gettext("Purchase order"),
        [Optional(), Length(max=60)],
        description=lazy_gettext("Your own number for this order."),
    )

    def offer(self, gateways: Sequence[PaymentGateway]) -> None:
        """Fill in the ways to pay."""
        self.gateway.choices = choices([(one.name, str(one.label)) for one in gateways])
        if self.gateway.data is None and gateways:
            self.gateway.data = gateways[0].name

    def needs_purchase_order(self) -> bool:
        """Whether an invoice was chosen and its purchase order was not said; says so there."""
        gateway = payment_gateways.get(self.gateway.data or "")
        if gateway is None or not gateway.is_on_account or (self.purchase_order.data or "").strip():
            return False
        self.purchase_order.errors = [_("Write the purchase order: the invoice carries it.")]
        return True


class BasketForm(BuyForm):
    """The basket: also a voucher, and the quotes for what was shown."""

    voucher = StringField(lazy_gettext("Voucher code"), [Optional(), Length(max=64)])
    quotes = HiddenField()


class TransferForm(FlaskForm):  # type: ignore[misc]
    """What an administrator saw on the bank account."""

    amount = StringField(
        lazy_gettext("Amount received"),
        [InputRequired(lazy_gettext("Write the amount that arrived.")), Length(max=30)],
    )
    reference = StringField(
        lazy_gettext("The bank's reference"),
        [InputRequired(lazy_gettext("Write the bank's reference.")), Length(max=100)],
        description=lazy_gettext("The number on the statement of account; each is used once."),
    )


class WriteOffForm(FlaskForm):  # type: ignore[misc]
    """Why nobody believes that the rest will be paid."""

    reason = StringField(
        lazy_gettext("Reason"),
        [InputRequired(lazy_gettext("Write why, for whoever asks later.")), Length(max=300)],
    )


class ApprovalForm(FlaskForm):  # type: ignore[misc]
    """An organisation that may buy on invoice."""

    organisation = SelectField(
        lazy_gettext("Organisation"), [InputRequired(lazy_gettext("Choose an organisation."))]
    )
    note = StringField(
        lazy_gettext("Note"),
        [Optional(), Length(max=300)],
        description=lazy_gettext("For the administrators only."),
    )


class PlanForm(FlaskForm):  # type: ignore[misc]
    """The parts in which a run may be paid: a line for each."""

    parts = TextAreaField(
        lazy_gettext("Parts"),
        [Length(max=500)],
        description=lazy_gettext(
            "A line for each: a percentage, and the day as year-month-day. The first is paid at"
            " once and has no day. Left empty, a place is paid at once."
        ),
    )

    def show(self, plan: Sequence[tuple[int, date | None]]) -> None:
        """Fill in what is kept."""
        self.parts.data = "\n".join(
            f"{percent} {due_on.isoformat() if due_on else ''}".strip() for percent, due_on in plan
        )

    def validate_parts(self, field: TextAreaField) -> None:
        """A whole percentage, and a day of the calendar."""
        self._plan: list[tuple[int, date | None]] = []
        for line in (field.data or "").splitlines():
            words = line.replace("%", " ").split()
            if not words:
                continue
            try:
                day = date.fromisoformat(words[1]) if len(words) > 1 else None
                self._plan.append((int(words[0]), day))
            except ValueError:
                raise ValidationError(
                    _("Not a percentage and a day: %(line)s", line=line[:40])
                ) from None
            if len(words) > 2 or not 0 < self._plan[-1][0] < 100:
                raise ValidationError(_("Not a percentage and a day: %(line)s", line=line[:40]))

    def plan(self) -> list[tuple[int, date | None]]:
        """What was written."""
        return self._plan


class PartDueForm(FlaskForm):  # type: ignore[misc]
    """The way to pay a part."""

    gateway = StringField(validators=[InputRequired(), Length(max=40)], widget=HiddenInput())


class LeaveForm(FlaskForm):  # type: ignore[misc]
    """The sum that the buyer was shown, in minor units, and whether they take it as credit."""

    shown = IntegerField(validators=[InputRequired()], widget=HiddenInput())
    as_credit = HiddenField()  # "1" when they do


class PolicyForm(FlaskForm):  # type: ignore[misc]
    """A refund policy for orders placed from a day on."""

    starts_on = DateField(
        lazy_gettext("For orders placed from"),
        [InputRequired(lazy_gettext("Write the first day.")), SensibleDate()],
    )
    fee_percent = IntegerField(
        lazy_gettext("Fee after the start, in per cent of what is not taught yet"),
        [InputRequired(lazy_gettext("Write a percentage.")), NumberRange(0, 100)],
    )
    nothing_after_percent = IntegerField(
        lazy_gettext("Nothing comes back when so many per cent of the weeks are over"),
        [InputRequired(lazy_gettext("Write a percentage.")), NumberRange(1, 100)],
    )
    moved_days = IntegerField(
        lazy_gettext("All comes back when a run is moved by more days than"),
        [InputRequired(lazy_gettext("Write a number of days.")), NumberRange(0, 365)],
    )
    caps = TextAreaField(
        lazy_gettext("The fee is at most"),
        [InputRequired(lazy_gettext("Write an amount for each currency.")), Length(max=500)],
        description=lazy_gettext("A line for each currency: CAD 50.00"),
    )

    def validate_caps(self, field: TextAreaField) -> None:
        """An amount for each currency that is sold in."""
        self._caps: dict[str, int] = {}
        for line in (field.data or "").splitlines():
            if not line.strip():
                continue
            code, _space, text = line.strip().partition(" ")
            if code not in settings().currencies:
                raise ValidationError(_("Not a currency and an amount: %(line)s", line=line[:40]))
            self._caps[code] = read_amount(text, code).minor
        missing = [code for code in settings().currencies if code not in self._caps]
        if missing:
            raise ValidationError(
                _("Write an amount for each currency: %(codes)s.", codes=", ".join(missing))
            )

    def row(self) -> RefundPolicy:
        """What was written."""
        return RefundPolicy(
            starts_on=self.starts_on.data,
            fee_percent=self.fee_percent.data,
            fee_caps=self._caps,
            nothing_after_percent=self.nothing_after_percent.data,
            moved_days=self.moved_days.data,
        )


class PayOutForm(FlaskForm):  # type: ignore[misc]
    """Credit that an administrator sent to somebody's bank."""

    amount = StringField(
        lazy_gettext("Amount sent"),
        [InputRequired(lazy_gettext("Write the amount that was sent.")), Length(max=30)],
    )
    reference = StringField(
        lazy_gettext("The bank's reference"),
        [InputRequired(lazy_gettext("Write the bank's reference.")), Length(max=100)],
    )


class RefundForm(FlaskForm):  # type: ignore[misc]
    """How much an administrator gives back, and why."""

    amount = StringField(
        lazy_gettext("Amount"),
        [Optional(), Length(max=30)],
        description=lazy_gettext(
            "Left empty, all of it goes back. After a part the buyer keeps what was bought."
        ),
    )
    as_credit = BooleanField(
        lazy_gettext("Keep it for the buyer as credit"),
        description=lazy_gettext("No money moves; the credit pays a later order."),
    )
    note = StringField(
        lazy_gettext("Reason"),
        [Optional(), Length(max=300)],
        description=lazy_gettext("For the administrators only."),
    )

    def chosen(self, currency: str) -> Money | None:
        """The part that goes back, None for all. Raises ValidationError."""
        text = (self.amount.data or "").strip()
        return read_amount(text, currency) if text else None


class SettleForm(FlaskForm):  # type: ignore[misc]
    """A refund that an administrator sent."""

    reference = StringField(
        lazy_gettext("The bank's reference"),
        [InputRequired(lazy_gettext("Write the bank's reference.")), Length(max=100)],
    )


class VoucherForm(FlaskForm):  # type: ignore[misc]
    """One voucher, or a batch of them."""

    code = StringField(
        lazy_gettext("Code"),
        [Optional(), Length(min=4, max=40)],
        description=lazy_gettext(
            "Letters and digits; capitals, spaces and hyphens do not matter. Left empty, a code is"
            " made."
        ),
    )
    count = IntegerField(
        lazy_gettext("How many"),
        [Optional(), NumberRange(1, MAX_BATCH)],
        description=lazy_gettext("More than one: each gets a code of its own."),
        default=1,
    )
    label = StringField(
        lazy_gettext("What for"),
        [Optional(), Length(max=120)],
        description=lazy_gettext("Helps you to find it again, such as the name of a campaign."),
    )
    kind = RadioField(lazy_gettext("What it takes off"), default="percent")
    percent = IntegerField(lazy_gettext("Percent"), [Optional(), NumberRange(1, 100)])
    amount = StringField(lazy_gettext("Amount"), [Optional(), Length(max=30)])
    currency = SelectField(lazy_gettext("Currency"), [Optional()])
    scope = SelectField(lazy_gettext("Where it can be used"), [Optional()])
    max_uses = IntegerField(
        lazy_gettext("Uses"),
        [Optional(), NumberRange(1, 100_000)],
        description=lazy_gettext("How many orders it can be used on; empty means no limit."),
        default=1,
    )
    valid_from = DateField(lazy_gettext("First day"), [Optional(), SensibleDate()])
    valid_until = DateField(lazy_gettext("Last day"), [Optional(), SensibleDate()])

    def offer(self, scopes: list[tuple[str, str]]) -> None:
        """Fill in the choices that there are now. scopes: as `chosen_scope` reads them."""
        self.kind.choices = choices(
            [("percent", _("A percentage")), ("amount", _("A fixed amount"))]
        )
        self.currency.choices = choices([(code, code) for code in settings().currencies])
        self.scope.choices = choices([("", _("Every course")), *scopes])

    def validate_count(self, field: IntegerField) -> None:
        """A code belongs to one voucher."""
        if self.code.data and (field.data or 1) > 1:
            raise ValidationError(_("A code of your own makes one voucher only."))

    def validate_code(self, field: StringField) -> None:
        """Something must be left of it when spaces and hyphens are taken out."""
        if field.data and sum(sign.isalnum() for sign in field.data) < 4:
            raise ValidationError(_("A code needs at least four letters or digits."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Besides each field: what the voucher gives must be said."""
        is_valid = bool(super().validate(extra_validators))
        return says_reduction(self) and is_valid

    def validate_valid_until(self, field: DateField) -> None:
        """Not before the first day."""
        if field.data and self.valid_from.data and field.data < self.valid_from.data:
            raise ValidationError(_("The last day lies before the first one."))

    def terms(self, **scope: Any) -> VoucherTerms:
        """What was chosen; days begin and end in the administrator's time zone."""
        zone = ZoneInfo(str(get_timezone()))
        first, last = self.valid_from.data, self.valid_until.data
        is_percent = self.kind.data == "percent"
        return VoucherTerms(
            percent=self.percent.data if is_percent else None,
            off=None
            if is_percent
            else read_amount(self.amount.data or "", str(self.currency.data)),
            label=(self.label.data or "").strip(),
            max_uses=self.max_uses.data,
            valid_from=datetime.combine(first, time.min, zone) if first else None,
            valid_until=datetime.combine(last, time(23, 59, 59), zone) if last else None,
            **scope,
        )


class SellerForm(FlaskForm):  # type: ignore[misc]
    """Who sells, where transfers go, and when money goes back."""

    seller_name = StringField(lazy_gettext("Name of the seller"), [Optional(), Length(max=200)])
    seller_address = TextAreaField(lazy_gettext("Address"), [Optional(), Length(max=500)])
    seller_tax_number = StringField(lazy_gettext("Tax number"), [Optional(), Length(max=60)])
    seller_email = EmailField(lazy_gettext("E-mail"), [Optional(), Length(max=254)])
    guests_open = BooleanField(
        lazy_gettext("People can buy first and make their account afterwards"),
        description=lazy_gettext("They pay in ways that hold a place for no more than an hour."),
    )
    bank_holder = StringField(lazy_gettext("Account holder"), [Optional(), Length(max=200)])
    bank_bank = StringField(lazy_gettext("Bank"), [Optional(), Length(max=200)])
    bank_account = StringField(
        lazy_gettext("Account number or IBAN"),
        [Optional(), Length(max=60)],
        description=lazy_gettext("Without it nobody can choose to pay by bank transfer."),
    )
    bank_swift = StringField(lazy_gettext("SWIFT or BIC"), [Optional(), Length(max=20)])


for _code, _name in LANGUAGES.items():
    setattr(
        SellerForm,
        f"rule_{_code}",
        TextAreaField(_name, [Optional(), Length(max=1000)]),
    )
