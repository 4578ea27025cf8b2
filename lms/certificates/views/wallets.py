"""A certificate goes into a wallet: the holder opens an offer, the wallet fetches it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
import segno
from flask import Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from lms.accounts.permissions import require
from lms.certificates import queries
from lms.certificates.badge_api import holder_keys, offers
from lms.certificates.json_text import BadJson, read_object
from lms.certificates.views.connections import bp
from lms.certificates.views.limits import limit_guesses, limit_offers, limit_tokens
from lms.config import LANGUAGES
from lms.core.errors import NotFound
from lms.core.once import leads_on
from lms.core.settings import settings
from lms.core.web import absolute_url, by_programs, public, raw_body


def _json(content: Any, status: int = 200) -> Response:
    response = Response(orjson.dumps(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/my/certificates/<code>/wallet")
@limit_offers
def offer_to_wallet(code: str) -> ResponseReturnValue:
    """Show this once the link and the QR code with which a wallet fetches the certificate."""
    credential = queries.get_by_code(code)
    require("certificates.choose", credential)
    word = offers.make(credential)
    where = absolute_url("badge_connections.wallet_offer", word=word)
    link = f"openid-credential-offer://?credential_offer_uri={quote(where, safe='')}"
    drawn = segno.make(link, error="m", micro=False).svg_inline(
        border=4, omitsize=True, dark="#000000", light="#ffffff"
    )
    leads_on(
        url_for("certificates.my_certificates") + f"#{credential.code}",
        _("The form was sent twice; ask once more for the code."),
    )
    return render_template(
        "certificates/wallet_offer.html",
        credential=credential,
        link=link,
        minutes=int(offers.LIFETIME.total_seconds() // 60),
        qr=Markup(drawn),  # noqa: S704 - drawn from our own address
    )


@bp.get("/connect/offers/<word>")
@public
@limit_guesses
def wallet_offer(word: str) -> ResponseReturnValue:
    """The offer that a wallet reads."""
    found = offers.find(word)
    if found is None:
        raise NotFound
    return _json(found)


@bp.get("/.well-known/openid-credential-issuer")
@public
def issuer_metadata() -> ResponseReturnValue:
    """Where wallets find what (OpenID4VCI 1.0, 12.2)."""
    site = settings()
    response = _json(
        {
            "credential_issuer": site.base_url,
            "credential_endpoint": absolute_url("badge_connections.issue_to_wallet"),
            "nonce_endpoint": absolute_url("badge_connections.nonce"),
            "display": [{"name": site.site_name, "locale": language} for language in LANGUAGES],
            "credential_configurations_supported": {offers.CONFIGURATION: offers.configuration()},
        }
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.post("/connect/nonce")
@limit_tokens
@by_programs
@raw_body
def nonce() -> ResponseReturnValue:
    """A challenge for the proof of a wallet (OpenID4VCI 1.0, 7)."""
    return _json({"c_nonce": holder_keys.make_nonce()})


@bp.post("/connect/credential")
@limit_tokens
@by_programs
@raw_body
def issue_to_wallet() -> ResponseReturnValue:
    """The certificate with the wallet's key as its subject (OpenID4VCI 1.0, 8)."""
    kind, _space, text = request.headers.get("Authorization", "").partition(" ")
    offer = offers.open_token(text.strip()) if kind.lower() == "bearer" and text else None
    if offer is None:
        answer = _json({"error": "invalid_token"}, 401)
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return answer
    try:
        asked = read_object(request.stream.read(20_000), 19_999)
        _check_wanted(asked, offers.identifier_of(offer))
        document = offers.issue(offer, holder_keys.holder_of(_proof_of(asked)))
    except BadJson:
        return _json({"error": "invalid_credential_request"}, 400)
    except (offers.OfferRefused, holder_keys.ProofRefused) as refusal:
        return _json({"error": refusal.error}, 400)
    return _json({"credentials": [{"credential": orjson.Fragment(document)}]})


def _check_wanted(asked: dict[str, Any], identifier: str) -> None:
    """Raise OfferRefused unless the wallet asks for what it was offered."""
    if "credential_response_encryption" in asked:
        raise offers.OfferRefused("invalid_encryption_parameters")
    if "credential_identifier" in asked:
        if asked["credential_identifier"] != identifier or "credential_configuration_id" in asked:
            raise offers.OfferRefused("unknown_credential_identifier")
    elif asked.get("credential_configuration_id") != offers.CONFIGURATION:
        raise offers.OfferRefused("unknown_credential_configuration")


def _proof_of(asked: dict[str, Any]) -> str:
    """The one proof of a request. Raises ProofRefused."""
    proofs = asked.get("proofs")
    found = proofs.get("jwt") if isinstance(proofs, dict) and len(proofs) == 1 else None
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], str):
        raise holder_keys.ProofRefused("invalid_proof")
    return found[0]
