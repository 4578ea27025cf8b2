"""Sellers: who sells, whether tax is charged, and how near the threshold is."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core.db import db
from lms.invoicing import queries
from lms.invoicing.forms import SellerForm, seller_form
from lms.invoicing.models import Seller
from lms.invoicing.services import sellers as services
from lms.invoicing.services.threshold import standing
from lms.invoicing.views import bp


@bp.get("/admin/invoicing/sellers")
def sellers() -> ResponseReturnValue:
    """All sellers, with where each stands."""
    require("invoicing.administer")
    found = queries.list_sellers()
    return render_template(
        "invoicing/sellers.html", sellers=[(seller, standing(seller)) for seller in found]
    )


def _page(form: SellerForm, seller: Seller | None) -> ResponseReturnValue:
    page = render_template("invoicing/seller.html", form=form, seller=seller)
    return page, 422 if form.errors else 200


@bp.route("/admin/invoicing/sellers/new", methods=["GET", "POST"])
def new_seller() -> ResponseReturnValue:
    """Add a seller."""
    require("invoicing.administer")
    form = seller_form(None)
    if form.validate_on_submit():
        series = (form.series.data or "").strip()
        if db.session.scalar(select(Seller.id).where(Seller.series == series)) is None:
            services.add_seller({"series": series, **form.values()}, signed_in())
            flash(_("The seller is kept."), "success")
            return redirect(url_for(".sellers"), 303)
        form.series.errors = [_("Another seller's numbers begin like this.")]
    return _page(form, None)


@bp.route("/admin/invoicing/sellers/<int:seller_id>", methods=["GET", "POST"])
def change_seller(seller_id: int) -> ResponseReturnValue:
    """Change what stands on new invoices."""
    require("invoicing.administer")
    seller = queries.get_seller(seller_id)
    form = seller_form(seller)
    if form.validate_on_submit():
        services.change_seller(seller, form.values(), signed_in())
        flash(_("The seller is kept. Invoices that exist do not change."), "success")
        return redirect(url_for(".sellers"), 303)
    return _page(form, seller)


@bp.post("/admin/invoicing/sellers/<int:seller_id>/main")
def make_main_seller(seller_id: int) -> ResponseReturnValue:
    """Let a seller sell from now on."""
    require("invoicing.administer")
    services.make_main(queries.get_seller(seller_id), signed_in())
    flash(_("New invoices are issued by this seller."), "success")
    return redirect(url_for(".sellers"), 303)
