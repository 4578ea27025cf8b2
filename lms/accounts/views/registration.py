"""Making an account, and confirming its address."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import tokens
from lms.accounts.errors import LinkExpired
from lms.accounts.forms import AddressForm, RegistrationForm
from lms.accounts.permissions import present_user
from lms.accounts.services import registration
from lms.accounts.views import bp
from lms.accounts.views.limits import limit_mails
from lms.core.settings import settings
from lms.core.text import current_language
from lms.core.web import public, safe_next


@bp.route("/register", methods=["GET", "POST"])
@public
@limit_mails
def register() -> ResponseReturnValue:
    """Make an account."""
    if present_user():
        return redirect(safe_next("/"), 303)
    form = RegistrationForm(language=current_language(), next=safe_next(""))
    if form.validate_on_submit():
        registration.register(
            name=form.name.data or "",
            email=form.email.data or "",
            password=form.password.data or "",
            language=form.language.data,
            country=form.country.data or None,
            time_zone=form.time_zone.data or None,
            next_page=safe_next(""),
        )
        session["written_to"] = form.email.data
        return redirect(url_for(".check_mailbox", next=safe_next("") or None), 303)
    return render_template("accounts/register.html", form=form), 422 if form.errors else 200


@bp.get("/register/check-mailbox")
@public
def check_mailbox() -> ResponseReturnValue:
    """Say that a mail is on its way, and what to do when it does not come."""
    return render_template(
        "accounts/check_mailbox.html", address=session.get("written_to"), next=safe_next("")
    )


@bp.route("/confirm/again", methods=["GET", "POST"])
@public
@limit_mails
def resend_confirmation() -> ResponseReturnValue:
    """Mail the link for confirming again."""
    form = AddressForm(email=session.get("written_to"), next=safe_next(""))
    if form.validate_on_submit():
        registration.resend_confirmation(form.email.data or "", safe_next(""))
        session["written_to"] = form.email.data
        return redirect(url_for(".check_mailbox", next=safe_next("") or None), 303)
    return render_template(
        "accounts/resend_confirmation.html", form=form
    ), 422 if form.errors else 200


@bp.route("/confirm/<token>", methods=["GET", "POST"])
@public
def confirm(token: str) -> ResponseReturnValue:
    """Confirm the address of an account by the link from the mail.

    The link itself changes nothing, since mail programs open links on their own.
    """
    try:
        user, next_page = tokens.read_confirmation(token)
        if request.method == "POST":
            registration.confirm(token)
    except LinkExpired:
        return render_template("accounts/link_expired.html", purpose="confirm"), 410
    if request.method == "GET":
        return render_template("accounts/confirm.html", user=user)
    session["written_to"] = user.email
    flash(_("Your address is confirmed. Sign in to go on."), "success")
    return redirect(url_for(".sign_in", next=next_page or None), 303)


@bp.get("/terms")
@public
def terms() -> ResponseReturnValue:
    """Terms of use, and what is kept about people."""
    return render_template("accounts/terms.html", help_address=settings().admin_email)
