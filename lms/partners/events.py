"""What happens with agreements and statements."""

from __future__ import annotations

from dataclasses import dataclass

from lms.core.events import Event
from lms.partners.models import AgreementVersion, PartnerStatement


@dataclass(frozen=True)
class AgreementInForce(Event):
    """All have signed a version of an agreement."""

    version: AgreementVersion


@dataclass(frozen=True)
class StatementSent(Event):
    """A month's statement was frozen and sent to the partner."""

    statement: PartnerStatement
