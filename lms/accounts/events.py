"""What happens with accounts that wait to be claimed."""

from __future__ import annotations

from dataclasses import dataclass

from lms.accounts.models import User
from lms.core.events import Event


@dataclass(frozen=True)
class AccountTakenOver(Event):
    """Somebody with an account of their own takes over what waited for their address."""

    waiting: User
    owner: User


@dataclass(frozen=True)
class AccountDeclined(Event):
    """Whoever has the address does not want what waits for it; the account is closed next."""

    waiting: User
