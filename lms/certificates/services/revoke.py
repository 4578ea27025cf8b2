"""Taking a certificate back, at once and for everybody to see."""

from __future__ import annotations

from lms.certificates.errors import AlreadyRevoked
from lms.certificates.events import CredentialRevoked
from lms.certificates.models import Credential, RevocationReason
from lms.certificates.services import status
from lms.core import audit, clock
from lms.core.db import db
from lms.core.events import emit
from lms.notifications.services import tell


def revoke(
    credential: Credential, reason: RevocationReason, note: str | None, actor_id: int
) -> None:
    """Revoke for a reason that everybody sees; `note` is public too. The holder is told.

    Raises AlreadyRevoked and IssuerKeyUnavailable.
    """
    take_back(credential, reason, note, actor_id)
    audit.record("certificates.revoke", credential, actor_id, reason=reason, code=credential.code)
    tell(
        credential.user,
        "certificates.revoked",
        title=credential.facts["course"]["title"],
        reason=reason,
        note=note,
        code=credential.code,
    )


def take_back(
    credential: Credential, reason: RevocationReason, note: str | None, actor_id: int
) -> None:
    """Mark as revoked in the register and in the signed status list, in one transaction.

    Raises AlreadyRevoked and IssuerKeyUnavailable.
    """
    if credential.is_revoked:
        raise AlreadyRevoked
    credential.revoked_at = clock.now()
    credential.revocation_reason = reason
    credential.revocation_note = note or None
    credential.revoked_by_id = actor_id
    db.session.flush()
    status.set_revoked(credential)
    emit(CredentialRevoked(credential))
