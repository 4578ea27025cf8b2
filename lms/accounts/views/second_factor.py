"""The second factor: setting it up, proving it when signing in and before acts that matter."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno
from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts import queries, tokens
from lms.accounts.errors import (
    LinkExpired,
    SecondFactorMissing,
    SecondFactorNeeded,
    TooManyCodes,
    WrongCode,
    WrongCredentials,
)
from lms.accounts.forms import CodeForm, PresentPasswordForm
from lms.accounts.models import User
from lms.accounts.permissions import present_user, require, signed_in
from lms.accounts.services import credentials
from lms.accounts.services import second_factor as services
from lms.accounts.sessions import present_sign_in, start_session
from lms.accounts.step_up import FIELD, check_code, require_second_factor
from lms.accounts.views import bp
from lms.accounts.views.limits import limit_failures
from lms.core import clock
from lms.core.db import transaction
from lms.core.error_pages import error_answer, wants_json
from lms.core.web import own_transaction, public, safe_next


def _own() -> User:
    user = signed_in()
    require("accounts.edit_profile", user)
    return user


def _page(user: User, form: PresentPasswordForm | None = None) -> ResponseReturnValue:
    factor = queries.find_second_factor(user)
    return render_template(
        "accounts/second_factor.html",
        factor=factor if factor and factor.confirmed_at else None,
        form=form or PresentPasswordForm(formdata=None, next=safe_next("")),
    ), 422 if form else 200


@bp.get("/account/second-factor")
def second_factor() -> ResponseReturnValue:
    """Whether there is one, and what can be done with it."""
    return _page(_own())


@bp.post("/account/second-factor")
@own_transaction
@limit_failures
def begin_second_factor() -> ResponseReturnValue:
    """Make a secret for the app, for who knows the password."""
    user = _own()
    form = PresentPasswordForm()
    if not form.validate_on_submit():
        return _page(user, form)
    try:
        credentials.check_password(user, form.present_password.data or "")
    except WrongCredentials:
        form.present_password.errors = [_("This is not your present password.")]
        return _page(user, form)
    with transaction():
        services.begin(user)
    return redirect(url_for(".set_up_second_factor", next=safe_next("") or None), 303)


@bp.route("/account/second-factor/set-up", methods=["GET", "POST"])
def set_up_second_factor() -> ResponseReturnValue:
    """Show the secret to the app, and take the first code."""
    user = _own()
    factor = queries.find_second_factor(user)
    if factor is None or factor.confirmed_at is not None:
        return redirect(url_for(".second_factor"), 303)
    form = CodeForm(next=safe_next(""))
    if form.validate_on_submit():
        try:
            codes = check_code(factor, user, form.code.data or "", is_first=True)
        except (WrongCode, TooManyCodes) as error:
            form.code.errors = [str(error.text)]
        else:
            _note_proof()
            return render_template(
                "accounts/recovery_codes.html", codes=codes, next=safe_next("/account")
            )
    drawn = segno.make(services.app_address(factor), error="m", micro=False).svg_inline(
        border=4, scale=4, dark="#1d2b33", light="#ffffff"
    )
    secret = services.secret_of(factor)
    return (
        render_template(
            "accounts/second_factor_set_up.html",
            form=form,
            qr=Markup(drawn),  # noqa: S704 - drawn from our own address
            address=services.app_address(factor),
            secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        ),
        422 if form.errors else 200,
    )


def _note_proof() -> None:
    sign_in = present_sign_in()
    if sign_in is not None:
        sign_in.second_factor_at = clock.now()


@bp.route("/account/second-factor/confirm", methods=["GET", "POST"])
def confirm_second_factor() -> ResponseReturnValue:
    """Prove the second factor, then go on to where the person wanted to go."""
    user = _own()
    factor = queries.find_second_factor(user)
    if factor is None or factor.confirmed_at is None:
        return redirect(url_for(".second_factor", next=safe_next("") or None), 303)
    form = CodeForm(next=safe_next(""))
    if form.validate_on_submit():
        try:
            check_code(factor, user, form.code.data or "")
        except (WrongCode, TooManyCodes) as error:
            form.code.errors = [str(error.text)]
        else:
            _note_proof()
            return redirect(safe_next("/account"), 303)
    page = render_template("accounts/second_factor_confirm.html", form=form)
    return page, 422 if form.errors else 200


@bp.post("/account/second-factor/recovery-codes")
def renew_recovery_codes() -> ResponseReturnValue:
    """New recovery codes in place of the former ones."""
    user = _own()
    require_second_factor()
    factor = queries.find_second_factor(user)
    assert factor is not None  # just proven
    codes = services.renew_recovery_codes(factor)
    return render_template(
        "accounts/recovery_codes.html", codes=codes, next=url_for(".second_factor")
    )


@bp.post("/account/second-factor/remove")
def remove_second_factor() -> ResponseReturnValue:
    """Go on without a second factor."""
    user = _own()
    require_second_factor()
    factor = queries.find_second_factor(user)
    assert factor is not None  # just proven
    services.remove(factor)
    flash(_("Your second factor is removed."), "success")
    return redirect(url_for(".second_factor"), 303)


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
def sign_in_code() -> ResponseReturnValue:
    """The second step of signing in, after the right password."""
    if present_user():
        return redirect(safe_next("/"), 303)
    try:
        user = tokens.read_half(session.get("half", ""))
    except LinkExpired:
        flash(_("Sign in again: too much time has passed."), "info")
        return redirect(url_for(".sign_in", next=safe_next("") or None), 303)
    factor = queries.find_second_factor(user)
    form = CodeForm(next=safe_next(""))
    if factor is not None and form.validate_on_submit():
        try:
            check_code(factor, user, form.code.data or "")
        except (WrongCode, TooManyCodes) as error:
            form.code.errors = [str(error.text)]
        else:
            remember = bool(session.get("half_remember"))
            start_session(user, remember=remember, second_factor_at=clock.now())
            return redirect(safe_next("/"), 303)
    page = render_template("accounts/sign_in_code.html", form=form)
    return page, 422 if form.errors else 200


@bp.app_errorhandler(SecondFactorMissing)
def _missing(error: SecondFactorMissing) -> ResponseReturnValue:
    """Lead to setting one up, and from there back."""
    if wants_json():
        return error_answer(error.status, str(error.text))
    flash(str(error.text), "info")
    return redirect(url_for("accounts.second_factor", next=_way_back()), 303)


def _way_back() -> str:
    if request.method == "GET":
        return request.full_path.rstrip("?")
    parts = urlsplit(request.referrer or "")
    is_ours = parts.netloc == request.host and parts.path
    return parts.path if is_ours else "/"


@bp.app_errorhandler(SecondFactorNeeded)
@bp.app_errorhandler(WrongCode)
@bp.app_errorhandler(TooManyCodes)
def _needed(error: SecondFactorNeeded | WrongCode | TooManyCodes) -> ResponseReturnValue:
    """Ask for a code. A form that was sent goes along, so that nothing is typed twice."""
    if wants_json():
        return error_answer(error.status, str(error.text))
    if request.method == "GET":
        return redirect(url_for("accounts.confirm_second_factor", next=_way_back()), 303)
    form = CodeForm(formdata=None)
    if not isinstance(error, SecondFactorNeeded):
        form.code.errors = [str(error.text)]
    typed = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in ("csrf_token", FIELD) and "password" not in name
    ]
    page = render_template(
        "accounts/second_factor_confirm.html",
        form=form,
        typed=typed,
        address=request.full_path.rstrip("?"),
        field_name=FIELD,
        lost_files=any(file.filename for file in request.files.values()),
    )
    return page, error.status
