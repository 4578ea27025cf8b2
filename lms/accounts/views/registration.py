"""Making an account, and confirming its address."""

from __future__ import annotations

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import tokens
from lms.accounts.errors import LinkExpired
from lms.accounts.forms import (
    AddressForm,
    ConfirmationForm,
    ConfirmationWithPasswordForm,
    RegistrationForm,
)
from lms.accounts.passwords import hash_password, is_password
from lms.accounts.permissions import present_user
from lms.accounts.services import registration
from lms.accounts.sessions import start_session
from lms.accounts.views import bp
from lms.accounts.views.limits import limit_failures, limit_mails
from lms.core.db import transaction
from lms.core.settings import settings
from lms.core.text import current_language
from lms.core.web import own_transaction, public, safe_next


@bp.route("/register", methods=["GET", "POST"])
@public
@own_transaction
@limit_mails
def register() -> ResponseReturnValue:
    """Make an account."""
    if present_user():
        return redirect(safe_next("/"), 303)
    form = RegistrationForm(language=current_language(), next=safe_next(""))
    if form.validate_on_submit():
        password_hash = hash_password(form.password.data or "")
        with transaction():
            key = registration.register(
                name=form.name.data or "",
                email=form.email.data or "",
                password_hash=password_hash,
                language=form.language.data,
                country=form.country.data or None,
                time_zone=form.time_zone.data or None,
                next_page=safe_next(""),
            )
        session["written_to"] = form.email.data
        session["registered"] = [*_registered_here(), key][-3:]
        return redirect(url_for(".check_mailbox", next=safe_next("") or None), 303)
    return render_template("accounts/register.html", form=form), 422 if form.errors else 200


def _registered_here() -> list[str]:
    """Keys of the last registrations that were made in this browser."""
    return list(session.get("registered", []))


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
        registration.resend_confirmation(form.email.data or "", _registered_here(), safe_next(""))
        session["written_to"] = form.email.data
        return redirect(url_for(".check_mailbox", next=safe_next("") or None), 303)
    return render_template(
        "accounts/resend_confirmation.html", form=form
    ), 422 if form.errors else 200


@bp.route("/confirm/<token>", methods=["GET", "POST"])
@public
@own_transaction
@limit_failures
def confirm(token: str) -> ResponseReturnValue:
    """Confirm the address of an account by the link from the mail, and sign in.

    The link itself changes nothing, since mail programs open links on their own. In another
    browser than the one that registered it needs the password typed there: the owner of the
    address must not confirm what a stranger typed.
    """
    try:
        typed = tokens.read_confirmation(token)
        is_here = typed.key.hex in _registered_here()
        form = ConfirmationForm() if is_here else ConfirmationWithPasswordForm()
        session["written_to"] = typed.email
        if not form.validate_on_submit():
            status = 422 if form.errors else 200
            return render_template("accounts/confirm.html", address=typed.email, form=form), status
        if not is_here and not is_password(typed.password_hash, form.password.data or ""):
            form.password.errors = [_("This is not the password chosen at that registration.")]
            return render_template("accounts/confirm.html", address=typed.email, form=form), 422
        with transaction():
            user, next_page = registration.confirm(token)
            start_session(user)
    except LinkExpired:
        return render_template("accounts/link_expired.html", purpose="confirm"), 410
    flash(_("Your address is confirmed, and you are signed in."), "success")
    return redirect(next_page or "/", 303)


@bp.get("/terms")
@public
def terms() -> ResponseReturnValue:
    """Terms of use, and what is kept about people."""
    return render_template("accounts/terms.html", help_address=settings().admin_email)
