"""The stand-in over HTTP: the API that Stripe's library calls, and the hosted page.

Nothing here touches Puente's database, so a request of Puente that waits for an answer from here
never waits for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, abort, current_app, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from lms.core.settings import settings
from lms.core.web import csrf, own_transaction, public
from lms.payments.demo_gateway.double import (
    Outcome,
    Refused,
    StripeDouble,
    demo_double,
    fingerprint,
)
from lms.payments.demo_gateway.keys import demo_keys, is_demo
from lms.payments.demo_gateway.objects import Thing, make_error
from lms.payments.demo_gateway.parameters import read_parameters
from lms.payments.demo_gateway.texts import texts_in
from lms.payments.gateways.stripe_amounts import from_stripe

EXTENSION = "stripe_double"

bp = Blueprint("test_payments", __name__, template_folder="templates", url_prefix="/test-payments")
csrf.exempt(bp)


def open_view(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view for strangers that never opens a transaction of Puente's database."""
    return public(own_transaction(view))


def double() -> StripeDouble:
    """The stand-in of this app; not found outside of the demo."""
    found: StripeDouble | None = current_app.extensions.get(EXTENSION)
    if found is not None:
        return found
    config = settings()
    if not is_demo(config):
        abort(404)
    secret = demo_keys(config).webhook_secret
    return demo_double(config.data_path, config.base_url, secret)


def _api_key() -> str:
    key: str | None = current_app.extensions.get(f"{EXTENSION}_key")
    return key if key is not None else demo_keys(settings()).api_key


def _answer(call: Callable[[], Thing]) -> ResponseReturnValue:
    """The answer of the API: checked key, one answer for each idempotency key."""
    stand_in = double()
    if request.headers.get("Authorization") != f"Bearer {_api_key()}":
        return jsonify(make_error("", "Invalid API Key provided.")), 401
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    asked = fingerprint(request.path, request.form.to_dict(flat=False))
    if key:
        with stand_in.store.change() as change:
            before = change.answer(key)
        if before is not None:
            if before[0] != asked:
                message = "Keys for idempotent requests can only be used with the same parameters."
                return jsonify(make_error("", message, "idempotency_error")), 400
            return jsonify(before[2]), before[1], {"Idempotent-Replayed": "true"}
    try:
        status, body = 200, call()
    except Refused as refused:
        status, body = refused.status, make_error(refused.code, refused.message)
    if key:
        with stand_in.store.change() as change:
            if change.answer(key) is None:
                change.keep_answer(key, asked, status, body)
    return jsonify(body), status


def _params() -> Thing:
    return read_parameters(request.form.items())


@bp.post("/v1/checkout/sessions")
@open_view
def create_session() -> ResponseReturnValue:
    """Open a checkout session."""
    return _answer(lambda: double().create_session(_params()))


@bp.post("/v1/checkout/sessions/<key>/expire")
@open_view
def expire_session(key: str) -> ResponseReturnValue:
    """Close a checkout session."""
    return _answer(lambda: double().expire_session(key))


@bp.post("/v1/refunds")
@open_view
def create_refund() -> ResponseReturnValue:
    """Give money back."""
    return _answer(lambda: double().create_refund(_params()))


@bp.get("/v1/checkout/sessions/<key>")
@bp.get("/v1/payment_intents/<key>")
@bp.get("/v1/charges/<key>")
@bp.get("/v1/refunds/<key>")
@bp.get("/v1/disputes/<key>")
@open_view
def show(key: str) -> ResponseReturnValue:
    """One object."""
    expand = [value for name, value in request.args.items() if name.startswith("expand")]
    return _answer(lambda: double().get(key, expand))


@bp.get("/v1/balance_transactions")
@open_view
def list_balance_transactions() -> ResponseReturnValue:
    """Movements of the balance."""
    query = request.args.to_dict()
    return _answer(lambda: double().list_balance_transactions(query))


@bp.get("/v1/balance")
@open_view
def balance() -> ResponseReturnValue:
    """What the account holds."""
    return _answer(lambda: double().balance())


def _page(session: Thing, error: str | None = None, asks_bank: bool = False) -> str:
    language, texts = texts_in(session["locale"])
    amount = from_stripe(session["amount_total"], session["currency"])
    return render_template(
        "demo_gateway/pay.html",
        session=session,
        name=double().line_name(session["id"]),
        amount=amount.format(language),
        error=texts[error] if error else None,
        asks_bank=asks_bank,
        texts=texts,
        language=language,
        card=request.form.get("card", ""),
        stylesheet=current_app.jinja_env.globals.get("asset_url"),
    )


def _session_or_404(key: str) -> Thing:
    try:
        session = double().get(key)
    except Refused:
        abort(404)
    if session["object"] != "checkout.session":
        abort(404)
    return session


@bp.get("/pay/<key>")
@open_view
def pay_page(key: str) -> ResponseReturnValue:
    """The hosted page of a session."""
    session = _session_or_404(key)
    status = 200 if session["status"] == "open" else 410
    return _page(session), status


@bp.post("/pay/<key>")
@open_view
def pay(key: str) -> ResponseReturnValue:
    """Try to pay: with a card, at the bank, or by a slip that is paid later."""
    session = _session_or_404(key)
    match request.form.get("way", "card"):
        case "bank_yes":
            outcome = double().answer_bank(key, confirmed=True)
        case "bank_no":
            outcome = double().answer_bank(key, confirmed=False)
        case "slip":
            outcome = double().pay_later(key, succeeds=True)
        case "slip_fails":
            outcome = double().pay_later(key, succeeds=False)
        case _:
            outcome = double().pay(key, request.form.get("card", ""))
    if outcome in (Outcome.PAID, Outcome.LATER):
        return redirect(str(session["success_url"]), 303)
    if outcome == Outcome.ASK_BANK:
        return _page(session, asks_bank=True)
    if outcome == Outcome.CLOSED:
        return _page(_session_or_404(key)), 410
    error = "declined" if outcome == Outcome.DECLINED else "wrong_number"
    return _page(session, error), 402 if outcome == Outcome.DECLINED else 422


def make_app(stand_in: StripeDouble, api_key: str) -> Flask:
    """The stand-in as an application of its own, for tests."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = stand_in
    app.extensions[f"{EXTENSION}_key"] = api_key
    app.register_blueprint(bp)
    return app
