"""Claiming an account that was made by buying."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import tokens
from lms.accounts.errors import AddressTaken, LinkExpired
from lms.accounts.forms import AddressForm, ClaimForm, ConfirmationForm
from lms.accounts.models import User
from lms.accounts.permissions import present_user, signed_in
from lms.accounts.services import claiming, credentials
from lms.accounts.services.claim_links import send_links
from lms.accounts.sessions import start_session
from lms.accounts.views import bp
from lms.accounts.views.limits import limit_failures, limit_mails
from lms.core.db import transaction
from lms.core.errors import DomainError, InvalidInput
from lms.core.web import own_transaction, public


def _expired() -> ResponseReturnValue:
    return render_template("accounts/link_expired.html", purpose="claim"), 410


def _page(waiting: User, form: ClaimForm, status: int = 200, error: str = "") -> tuple[str, int]:
    """What waits, and the ways on: a password, the account that one has, or giving it back."""
    owner, user = claiming.find_owner(waiting), present_user()
    page = render_template(
        "accounts/claim.html",
        waiting=waiting,
        form=form,
        has_account=owner is not None,
        is_owner=owner is not None and user is not None and owner.id == user.id,
        token=request.view_args["token"] if request.view_args else "",
        error=error,
    )
    return page, status


@bp.route("/claim/<token>", methods=["GET", "POST"])
@public
@own_transaction
@limit_failures
def claim(token: str) -> ResponseReturnValue:
    """Choose a password for the account that waits, by the link from the mail, and sign in.

    The link itself changes nothing, since mail programs open links on their own.
    """
    try:
        waiting = tokens.read_claim(token)
        form = ClaimForm(waiting)
        if not form.validate_on_submit():
            return _page(waiting, form, 422 if request.method == "POST" else 200)
        password_hash = credentials.hash_new_password(waiting, form.password.data or "")
        with transaction():
            user, next_page = claiming.claim(token, form.name.data or "", password_hash)
            start_session(user)
    except LinkExpired:
        return _expired()
    except AddressTaken as refusal:
        return _page(tokens.read_claim(token), form, refusal.status)
    flash(_("The account is yours, and you are signed in."), "success")
    return redirect(next_page or "/", 303)


@bp.post("/claim/<token>/take")
@public
@own_transaction
@limit_failures
def take_over(token: str) -> ResponseReturnValue:
    """Take what waits into the account that one has, and is signed in to."""
    try:
        waiting = tokens.read_claim(token)
        if not ConfirmationForm().validate_on_submit():
            raise InvalidInput
        with transaction():
            next_page = claiming.take_over(token, signed_in())
    except LinkExpired:
        return _expired()
    except DomainError as refusal:
        if present_user() is None:
            raise
        return _page(waiting, ClaimForm(waiting), refusal.status, str(refusal.text))
    flash(_("It belongs to your account now."), "success")
    return redirect(next_page or "/", 303)


@bp.post("/claim/<token>/decline")
@public
@own_transaction
@limit_failures
def decline_claim(token: str) -> ResponseReturnValue:
    """Give back what was bought for one's address, and have the waiting account closed."""
    try:
        if not ConfirmationForm().validate_on_submit():
            raise InvalidInput
        with transaction():
            claiming.decline(token)
    except LinkExpired:
        return _expired()
    flash(_("It is given back, and the account that waited is closed."), "info")
    return redirect("/", 303)


@bp.route("/claim", methods=["GET", "POST"])
@public
@limit_mails
def claim_again() -> ResponseReturnValue:
    """Mail the links again for what waits for an address; the same answer for every address."""
    form = AddressForm(email=session.get("written_to"))
    if form.validate_on_submit():
        send_links(form.email.data or "")
        session["written_to"] = form.email.data
        return redirect(url_for(".claim_sent"), 303)
    return render_template("accounts/claim_again.html", form=form), 422 if form.errors else 200


@bp.get("/claim/sent")
@public
def claim_sent() -> ResponseReturnValue:
    """Say that a mail is on its way, if something waits for the address."""
    return render_template("accounts/claim_sent.html", address=session.get("written_to"))
