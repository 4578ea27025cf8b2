"""Signing in and out, and the way back for people who forgot their password."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import queries, tokens
from lms.accounts.errors import Deactivated, LinkExpired, NotConfirmed, WrongCredentials
from lms.accounts.forms import AddressForm, NewPasswordForm, SignInForm
from lms.accounts.permissions import present_user
from lms.accounts.services import credentials
from lms.accounts.sessions import end_session, start_session
from lms.accounts.views import bp
from lms.accounts.views.limits import limit_failures, limit_mails
from lms.core.db import transaction
from lms.core.web import own_transaction, public, safe_next


@bp.route("/sign-in", methods=["GET", "POST"])
@public
@own_transaction
@limit_failures
def sign_in() -> ResponseReturnValue:
    """Sign in, then go on to where the person wanted to go."""
    if present_user():
        return redirect(safe_next("/"), 303)
    form = SignInForm(email=session.get("written_to"), next=safe_next(""))
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), 422 if form.errors else 200
    try:
        password = form.password.data or ""
        user = credentials.authenticate(form.email.data or "", password)
    except WrongCredentials as error:
        form.form_errors.append(str(error.text))
        return render_template("accounts/sign_in.html", form=form), 422
    except NotConfirmed as error:
        session["written_to"] = form.email.data
        return render_template("accounts/sign_in.html", form=form, unconfirmed=error.text), 403
    except Deactivated as error:
        return render_template("accounts/sign_in.html", form=form, deactivated=error.text), 403
    renewed = credentials.renewed_hash(user, password)
    with transaction():
        if renewed:
            credentials.keep_hash(user, renewed)
        if queries.has_second_factor(user):
            session["half"], session["half_remember"] = tokens.half_token(user), form.remember.data
            return redirect(url_for(".sign_in_code", next=safe_next("") or None), 303)
        start_session(user, remember=form.remember.data)
    return redirect(safe_next("/"), 303)


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """Sign out on this device."""
    end_session()
    flash(_("You are signed out."), "info")
    return redirect("/", 303)


@bp.route("/forgotten-password", methods=["GET", "POST"])
@public
@limit_mails
def request_reset() -> ResponseReturnValue:
    """Mail a link for choosing a new password."""
    form = AddressForm(email=session.get("written_to"))
    if form.validate_on_submit():
        credentials.request_reset(form.email.data or "")
        session["written_to"] = form.email.data
        return redirect(url_for(".reset_sent"), 303)
    return render_template("accounts/request_reset.html", form=form), 422 if form.errors else 200


@bp.get("/forgotten-password/sent")
@public
def reset_sent() -> ResponseReturnValue:
    """Say that a mail is on its way, if there is such an account."""
    return render_template("accounts/reset_sent.html", address=session.get("written_to"))


@bp.route("/new-password/<token>", methods=["GET", "POST"])
@public
@own_transaction
def reset_password(token: str) -> ResponseReturnValue:
    """Choose a new password by the link from the mail."""
    try:
        person = tokens.read_reset(token)
        form = NewPasswordForm(person)
        if not form.validate_on_submit():
            status = 422 if request.method == "POST" else 200
            return render_template("accounts/reset_password.html", form=form), status
        password_hash = credentials.hash_new_password(person, form.password.data or "")
        with transaction():
            session["written_to"] = credentials.reset_password(token, password_hash).email
    except LinkExpired:
        return render_template("accounts/link_expired.html", purpose="reset"), 410
    flash(_("Your new password is set. Sign in with it."), "success")
    return redirect(url_for(".sign_in"), 303)
