"""Mailing the links by which waiting accounts are claimed."""

from __future__ import annotations

from lms.accounts import queries
from lms.accounts.models import AccountClaim
from lms.core import clock
from lms.core.outbox import enqueue


def send_link(claim: AccountClaim) -> None:
    """Mail the link by which the account is claimed."""
    claim.mailed_at = clock.now()
    enqueue("accounts.mail", letter="claim", user_id=claim.user_id)


def send_links(email: str) -> None:
    """Mail a link for each account that waits for this address, if there are any."""
    for claim in queries.claims_of(email):
        if claim.user.is_active and claim.mailed_at is not None:  # else nothing was bought yet
            send_link(claim)
