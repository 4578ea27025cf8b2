"""One's own account: profile, password and address, data, closing."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts import queries, tokens
from lms.accounts.errors import LastAdministrator, LinkExpired, WrongCredentials
from lms.accounts.forms import ChangePasswordForm, CloseForm, NewEmailForm, ProfileForm
from lms.accounts.models import User
from lms.accounts.permissions import require, signed_in
from lms.accounts.services import closing, credentials, downloads, sign_ins
from lms.accounts.services import profile as profiles
from lms.accounts.sessions import end_session, start_session
from lms.accounts.views import bp
from lms.accounts.views.limits import limit_failures, limit_own_mails
from lms.core import clock
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.files import send_stored
from lms.core.web import own_transaction, public


def _own_account() -> User:
    user = signed_in()
    require("accounts.edit_profile", user)
    return user


@bp.route("/account", methods=["GET", "POST"])
def profile() -> ResponseReturnValue:
    """See and change what the person tells about themselves."""
    user = _own_account()
    form = ProfileForm(user)
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template("accounts/profile.html", form=form, user=user), status
    profiles.edit_profile(
        user,
        name=form.name.data or "",
        language=form.language.data,
        time_zone=form.time_zone.data,
        country=form.country.data or None,
        profession=form.profession.data or None,
    )
    session["language"] = user.language
    flash(_("Your profile is saved."), "success")
    return redirect(url_for(".profile"), 303)


@bp.get("/account/security")
def security() -> ResponseReturnValue:
    """Address, password and sessions."""
    return _security_page(_own_account())


def _security_page(
    user: User,
    email_form: NewEmailForm | None = None,
    password_form: ChangePasswordForm | None = None,
) -> ResponseReturnValue:
    status = 422 if email_form or password_form else 200
    return render_template(
        "accounts/security.html",
        user=user,
        email_form=email_form or NewEmailForm(formdata=None),
        password_form=password_form or ChangePasswordForm(user, formdata=None),
    ), status


@bp.post("/account/email")
@own_transaction
@limit_failures
@limit_own_mails
def request_new_email() -> ResponseReturnValue:
    """Mail a link to the new address."""
    user = _own_account()
    form = NewEmailForm()
    if not form.validate_on_submit():
        return _security_page(user, email_form=form)
    try:
        credentials.check_password(user, form.email_password.data or "")
    except WrongCredentials:
        form.email_password.errors = [_("This is not your present password.")]
        return _security_page(user, email_form=form)
    with transaction():
        credentials.request_new_email(user, form.email.data or "")
    flash(
        _("Open the link in the mail that we sent to %(address)s.", address=form.email.data),
        "success",
    )
    return redirect(url_for(".security"), 303)


@bp.route("/account/email/<token>", methods=["GET", "POST"])
@public
def confirm_new_email(token: str) -> ResponseReturnValue:
    """Confirm the new address by the link from the mail; also on a device not signed in."""
    try:
        user, email = tokens.read_new_email(token)
        if request.method == "GET":
            return render_template("accounts/confirm_new_email.html", address=email)
        credentials.change_email(token)
    except LinkExpired:
        return render_template("accounts/link_expired.html", purpose="new_email"), 410
    session["written_to"] = user.email
    flash(_("Your new address is in use. Sign in with it."), "success")
    return redirect(url_for(".sign_in"), 303)


@bp.post("/account/password")
@own_transaction
@limit_failures
def change_password() -> ResponseReturnValue:
    """Replace the password and sign out everywhere else."""
    user = _own_account()
    form = ChangePasswordForm(user)
    if not form.validate_on_submit():
        return _security_page(user, password_form=form)
    try:
        credentials.check_password(user, form.old_password.data or "")
    except WrongCredentials:
        form.old_password.errors = [_("This is not your present password.")]
        return _security_page(user, password_form=form)
    password_hash = credentials.hash_new_password(user, form.password.data or "")
    with transaction():
        credentials.set_password(user, password_hash)
        start_session(user, remember=session.permanent)
    flash(_("Your password is changed. On all other devices you are signed out."), "success")
    return redirect(url_for(".security"), 303)


@bp.post("/account/sign-out-everywhere")
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign out on all devices but this one."""
    user = _own_account()
    sign_ins.end_all_sign_ins(user)
    start_session(user, remember=session.permanent)
    flash(_("You are signed out on all other devices."), "success")
    return redirect(url_for(".security"), 303)


@bp.get("/account/data")
def data() -> ResponseReturnValue:
    """The download of all my data, and closing the account."""
    return _data_page(_own_account(), CloseForm(formdata=None))


def _data_page(user: User, close_form: CloseForm, status: int = 200) -> ResponseReturnValue:
    return render_template(
        "accounts/data.html",
        user=user,
        download=queries.newest_download(user.id, clock.now()),
        close_form=close_form,
    ), status


@bp.post("/account/data")
def request_download() -> ResponseReturnValue:
    """Have a file made of all that is kept about the person."""
    user = _own_account()
    downloads.request_download(user)
    flash(_("We are collecting your data. A mail tells you when the file is ready."), "success")
    return redirect(url_for(".data"), 303)


@bp.get("/account/data/file")
def download_data() -> ResponseReturnValue:
    """Fetch the file with all my data."""
    user = _own_account()
    download = queries.newest_download(user.id, clock.now())
    if download is None or download.file is None:
        raise NotFound(_("This file is not kept any more. Ask for a new one in your account."))
    return send_stored(download.file, download=True)


@bp.post("/account/close")
@own_transaction
@limit_failures
def close() -> ResponseReturnValue:
    """Close the account for good."""
    user = _own_account()
    form = CloseForm()
    if not form.validate_on_submit():
        return _data_page(user, form, 422)
    try:
        credentials.check_password(user, form.close_password.data or "")
        with transaction():
            closing.close_account(user)
            end_session()
    except WrongCredentials:
        form.close_password.errors = [_("This is not your present password.")]
        return _data_page(user, form, 422)
    except LastAdministrator as error:
        form.form_errors.append(str(error.text))
        return _data_page(user, form, 409)
    flash(_("Your account is closed. Thank you for having been here."), "success")
    return redirect("/", 303)
