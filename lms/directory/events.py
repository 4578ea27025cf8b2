"""What happens in the directory."""

from __future__ import annotations

from dataclasses import dataclass

from lms.accounts.models import User
from lms.core.events import Event
from lms.directory.models import AssociationMembership, Organisation


@dataclass(frozen=True)
class MembershipKept(Event):
    """A person says that they belong to an association, or changed their number there."""

    membership: AssociationMembership


@dataclass(frozen=True)
class MembershipEnded(Event):
    """A person no longer names an association among their memberships."""

    user: User
    association: Organisation
