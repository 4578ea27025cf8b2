"""Tax rows: read, added, ended, switched; what a row says is never edited."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.core.pagination import paginate
from lms.core.templating import format_day
from lms.core.web import page_number
from lms.invoicing import queries
from lms.invoicing.errors import TaxRowRefused, TaxRowUsed
from lms.invoicing.forms import EndRowForm, TaxRowForm, tax_row_form
from lms.invoicing.models import Seller, TaxRow
from lms.invoicing.services import tax_rows as services
from lms.invoicing.views import bp


def _number(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


@bp.get("/admin/invoicing/tax-rows")
def tax_rows() -> ResponseReturnValue:
    """All rows by place and time."""
    require("invoicing.administer")
    sellers = queries.list_sellers()
    seller_id, country = _number("seller"), request.args.get("country", "")[:2]
    page = paginate(queries.list_tax_rows(seller_id=seller_id, country=country), page_number(), 50)
    return render_template(
        "invoicing/tax_rows.html",
        page=page,
        chosen={"seller": seller_id, "country": country},
        sellers=sellers,
        seller_choices=[(one.id, one.name or one.series) for one in sellers],
        used=queries.used_rows(page.items),
    )


@bp.post("/admin/invoicing/sellers/<int:seller_id>/canadian-rows")
def add_canadian_rows(seller_id: int) -> ResponseReturnValue:
    """Begin with the rows of a Canadian seller."""
    require("invoicing.administer")
    services.add_canadian_rows(queries.get_seller(seller_id), signed_in())
    flash(_("The rows are added. Let an adviser read them before tax is charged by them."), "info")
    return redirect(url_for(".tax_rows", seller=seller_id), 303)


def _form_page(form: TaxRowForm, seller: Seller, like: TaxRow | None) -> ResponseReturnValue:
    page = render_template("invoicing/tax_row.html", form=form, seller=seller, like=like)
    return page, 422 if form.errors else 200


@bp.route("/admin/invoicing/sellers/<int:seller_id>/tax-rows/new", methods=["GET", "POST"])
def add_tax_row(seller_id: int) -> ResponseReturnValue:
    """Add a row."""
    require("invoicing.administer")
    seller = queries.get_seller(seller_id)
    form = tax_row_form(None)
    if form.validate_on_submit():
        try:
            services.add_row(seller, form.terms(), signed_in())
        except TaxRowRefused as refusal:
            form.starts_on.errors = [str(refusal.text)]
        else:
            flash(_("The row is added."), "success")
            return redirect(url_for(".tax_rows", seller=seller.id), 303)
    return _form_page(form, seller, None)


@bp.route("/admin/invoicing/tax-rows/<int:row_id>/next", methods=["GET", "POST"])
def change_tax_rate(row_id: int) -> ResponseReturnValue:
    """Let another row follow this one, day by day."""
    require("invoicing.administer")
    row = queries.get_tax_row(row_id)
    form = tax_row_form(row)
    if form.validate_on_submit():
        terms = form.terms()
        try:
            if (terms.country, terms.province, terms.supply, terms.buyer, terms.jurisdiction) != (
                row.key
            ):
                raise TaxRowRefused(
                    _("A row that follows is for the same sales: only rate and words change.")
                )
            services.change_rate(row, terms, signed_in())
        except (TaxRowRefused, TaxRowUsed) as refusal:
            form.starts_on.errors = [str(refusal.text)]
        else:
            day = format_day(terms.starts_on - timedelta(days=1))
            flash(_("The rate changes. The old row ends on %(day)s.", day=day), "success")
            return redirect(url_for(".tax_rows", seller=row.seller_id), 303)
    return _form_page(form, row.seller, row)


@bp.route("/admin/invoicing/tax-rows/<int:row_id>/end", methods=["GET", "POST"])
def end_tax_row(row_id: int) -> ResponseReturnValue:
    """Let a row hold until a day."""
    require("invoicing.administer")
    row = queries.get_tax_row(row_id)
    form = EndRowForm()
    if form.validate_on_submit():
        assert form.last_day.data is not None
        try:
            services.end_row(row, form.last_day.data, signed_in())
        except (TaxRowRefused, TaxRowUsed) as refusal:
            form.last_day.errors = [str(refusal.text)]
        else:
            flash(_("The row ends on that day."), "success")
            return redirect(url_for(".tax_rows", seller=row.seller_id), 303)
    page = render_template(
        "invoicing/end_tax_row.html", form=form, row=row, last_use=services.last_use(row)
    )
    return page, 422 if form.errors else 200


@bp.post("/admin/invoicing/tax-rows/<int:row_id>/switch")
def switch_tax_row(row_id: int) -> ResponseReturnValue:
    """Switch a row on or off."""
    require("invoicing.administer")
    row = queries.get_tax_row(row_id)
    try:
        services.switch_row(row, signed_in(), on=not row.is_active)
    except (TaxRowRefused, TaxRowUsed) as refusal:
        flash(str(refusal.text), "error")
    else:
        flash(_("The row holds.") if row.is_active else _("The row holds no more."), "success")
    return redirect(url_for(".tax_rows", seller=row.seller_id), 303)
