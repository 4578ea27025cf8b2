"""What a new certificate says of accreditation and endorsement."""

from __future__ import annotations

from typing import Any

from lms.core import clock
from lms.courses.models import Enrolment
from lms.recognition import queries
from lms.recognition.services.endorsements import address_of


def accreditations(enrolment: Enrolment) -> list[dict[str, Any]]:
    """What held on the day of the award: uuid, association, number, scope, starts_on, ends_on."""
    at = enrolment.completed_at or clock.now()
    day = clock.local_date(at, enrolment.run.time_zone)
    return [
        {
            "uuid": str(one.uuid),
            "association": {"uuid": str(one.association.uuid), "name": one.association.name},
            "number": one.number,
            "scope": one.scope,
            "starts_on": one.starts_on.isoformat(),
            "ends_on": one.ends_on.isoformat() if one.ends_on else None,
        }
        for one in queries.accreditations_of_course(enrolment.run.course, day)
    ]


def endorsements(enrolment: Enrolment) -> list[dict[str, Any]]:
    """What held on the day of issue: uuid, association, id, sha256 of the signed endorsement.

    The certificate refers to them and does not hold them: each is revoked by its association
    alone, and some are signed in ways that no other document can contain.
    """
    return [
        {
            "uuid": str(one.uuid),
            "association": {"uuid": str(one.association.uuid), "name": one.association.name},
            "id": address_of(one.uuid),
            "sha256": one.sha256,
        }
        for one in queries.endorsements_of_course(enrolment.run.course, clock.now())
    ]
