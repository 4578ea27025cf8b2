"""Offers of a certificate to a wallet (OpenID4VCI 1.0, pre-authorized code flow).

An offer is a secret word in a link or QR code, good for some minutes and one wallet. The wallet
changes it into a token, proves that it holds a key, and gets the credential with that key as its
subject: the same certificate, signed once more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from lms.certificates.badge_api.holder_keys import ALGORITHMS
from lms.certificates.badge_api.models import WalletOffer
from lms.certificates.badge_api.secrets import digest_of, make_secret
from lms.certificates.data_integrity import CREDENTIALS_V2, OPEN_BADGES_3
from lms.certificates.errors import AlreadyRevoked
from lms.certificates.models import Credential
from lms.certificates.services.signing import sign_document
from lms.core import clock
from lms.core.db import db
from lms.core.sealing import mac
from lms.core.settings import settings
from lms.notifications.services import tell

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CONFIGURATION = "OpenBadgeCredential"
LIFETIME = timedelta(minutes=5)
TOKEN_LIFETIME = timedelta(minutes=10)
MOST_WALLETS = 20  # of one certificate


class OfferRefused(Exception):
    """A wallet asks for what it was not offered. error: the code of OpenID4VCI, 8.3.1.2."""

    def __init__(self, error: str) -> None:
        self.error = error
        super().__init__(error)


def make(credential: Credential) -> str:
    """Offer a certificate; gives the word of the offer, which is not kept.

    Raises AlreadyRevoked.
    """
    if credential.is_revoked:
        raise AlreadyRevoked
    word = make_secret()
    offer = WalletOffer(
        credential_id=credential.id,
        digest=digest_of(word),
        code_digest=digest_of(_code_of(word)),
        expires_at=clock.now() + LIFETIME,
    )
    db.session.add(offer)
    db.session.flush()
    return word


def _code_of(word: str) -> str:
    """The pre-authorized code of an offer: only who has the word, by way of us, learns it."""
    return mac(word, "pre-authorized-code")


def find(word: str) -> dict[str, Any] | None:
    """What a wallet reads at the address of an offer; None when it is over."""
    offer = db.session.scalar(select(WalletOffer).where(WalletOffer.digest == digest_of(word)))
    if offer is None or offer.used_at is not None or offer.expires_at <= clock.now():
        return None
    return {
        "credential_issuer": settings().base_url,
        "credential_configuration_ids": [CONFIGURATION],
        "grants": {GRANT: {"pre-authorized_code": _code_of(word)}},
    }


def take(code: str) -> tuple[WalletOffer, str] | None:
    """Change a pre-authorized code into an access token, once."""
    offer = db.session.scalar(
        select(WalletOffer).where(WalletOffer.code_digest == digest_of(code)).with_for_update()
    )
    now = clock.now()
    if offer is None or offer.used_at is not None or offer.expires_at <= now:
        return None
    token = make_secret()
    offer.used_at, offer.token_digest = now, digest_of(token)
    offer.token_expires_at = now + TOKEN_LIFETIME
    db.session.flush()
    return offer, token


def identifier_of(offer: WalletOffer) -> str:
    """By what a wallet may name the one credential of an offer."""
    return offer.credential.uuid.urn


def open_token(token: str) -> WalletOffer | None:
    """The offer that an access token was given for, locked until the transaction ends."""
    offer = db.session.scalar(
        select(WalletOffer).where(WalletOffer.token_digest == digest_of(token)).with_for_update()
    )
    if offer is None or offer.token_expires_at is None or offer.token_expires_at <= clock.now():
        return None
    return offer if offer.credential.user.is_active else None


def issue(offer: WalletOffer, holder: str) -> str:
    """The certificate signed with the key of a wallet as its subject.

    holder: the DID of the key. The person is told. A wallet that asks again gets it again, another
    one does not.
    Raises OfferRefused and IssuerKeyUnavailable.
    """
    credential = offer.credential
    if credential.is_revoked or offer.holder not in (None, holder):
        raise OfferRefused("credential_request_denied")
    if offer.holder is None and _wallets_of(credential) >= MOST_WALLETS:
        raise OfferRefused("credential_request_denied")
    if offer.document is None:
        signed = sign_document(credential, credential.user.email, holder=holder)
        offer.holder, offer.document = holder, signed.document
        offer.issued_at = clock.now()
        db.session.flush()
        title = credential.facts["course"]["title"]
        tell(credential.user, "certificates.in_wallet", title=title)
    return offer.document


def _wallets_of(credential: Credential) -> int:
    taken = (
        select(func.count())
        .select_from(WalletOffer)
        .where(WalletOffer.credential_id == credential.id, WalletOffer.issued_at.is_not(None))
    )
    return db.session.scalar(taken) or 0


def configuration() -> dict[str, Any]:
    """What kind of credential is offered (OpenID4VCI 1.0, 12.2.4)."""
    return {
        "format": "ldp_vc",
        "scope": CONFIGURATION,
        "cryptographic_binding_methods_supported": ["jwk", "did:jwk", "did:key"],
        "credential_signing_alg_values_supported": ["eddsa-rdfc-2022"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ALGORITHMS}},
        "credential_definition": {
            "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
        },
    }


def forget_old() -> None:
    """Delete offers that nobody has taken, and what was kept for a wallet that asks again."""
    over = clock.now() - timedelta(days=1)
    db.session.execute(
        delete(WalletOffer)
        .where(WalletOffer.issued_at.is_(None), WalletOffer.expires_at < over)
        .execution_options(synchronize_session=False)
    )
    taken = WalletOffer.issued_at < over, WalletOffer.document.is_not(None)
    db.session.execute(
        update(WalletOffer)
        .where(*taken)
        .values(document=None)
        .execution_options(synchronize_session=False)
    )


def erase(user_id: int) -> None:
    """Delete the offers of a person's certificates."""
    mine = select(Credential.id).where(Credential.user_id == user_id)
    db.session.execute(delete(WalletOffer).where(WalletOffer.credential_id.in_(mine)))


def export(user_id: int) -> list[dict[str, object]]:
    """To which wallets a person's certificates went, and when."""
    mine = (
        select(WalletOffer, Credential.code)
        .join(Credential, Credential.id == WalletOffer.credential_id)
        .where(Credential.user_id == user_id, WalletOffer.issued_at.is_not(None))
        .order_by(WalletOffer.id)
    )
    return [
        {"certificate": code, "issued_at": offer.issued_at, "holder": offer.holder}
        for offer, code in db.session.execute(mine)
    ]
