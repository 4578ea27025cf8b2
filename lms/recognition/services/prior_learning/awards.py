"""What follows from a grant: activities are waived, and a credential of its own says so."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from lms.certificates import web_token
from lms.certificates.data_integrity import CREDENTIALS_V2, OPEN_BADGES_3, instant, sign
from lms.certificates.models import KeyUse
from lms.certificates.open_badge import (
    identities,
    issuer_did,
    to_text,
    verification_method,
)
from lms.certificates.services import keys, status
from lms.core import clock
from lms.core.db import db
from lms.core.language import speaking
from lms.core.settings import settings
from lms.core.text import in_language
from lms.courses.events import Enrolled
from lms.courses.models import Enrolment
from lms.courses.services.progress import waive_activities
from lms.recognition import queries
from lms.recognition.models import EvidenceKind, PriorLearningAward, PriorLearningRequest
from lms.recognition.services.prior_learning.history import note


def apply(request: PriorLearningRequest) -> None:
    """Let what is granted count: in the learner's enrolments, and as a credential."""
    for enrolment in queries.active_enrolments(request.course, request.user):
        waive(enrolment)
    issue(request)


def waive_when_enrolled(event: Enrolled) -> None:
    """Who was granted something before, has it waived in each later run."""
    waive(event.enrolment)


def waive(enrolment: Enrolment) -> None:
    """Waive, in one enrolment, all that was granted to the person for the course.

    An activity that belongs to several outcomes is waived when all of them are granted.
    """
    outcomes = queries.outcomes_of_grants(enrolment.run.course, enrolment.user)
    if not any(is_granted for _outcome, is_granted in outcomes):
        return
    granted: dict[str, list[bool]] = defaultdict(list)
    hours: dict[int, float] = {}
    for outcome, is_granted in outcomes:
        if is_granted:
            hours[outcome.position] = outcome.hours
        for name in outcome.activities:
            granted[name].append(is_granted)
    names = [uuid.UUID(name) for name, all_of in granted.items() if all(all_of)]
    activities = queries.activities_by_uuid(enrolment.run.course, names)
    waive_activities(enrolment, activities, sum(hours.values()))


def issue(request: PriorLearningRequest) -> PriorLearningAward:
    """The credential of what is granted; a former one of the request is revoked."""
    former = queries.find_award(request)
    if former is not None:
        status.revoke_place(former.place)
    identifier = uuid.uuid4()
    now = clock.now().replace(microsecond=0)
    place = status.keep_place(identifier.urn)
    with speaking(request.user.language):
        document = describe(request, identifier, now)
    document["credentialStatus"] = status.entry_of(place)
    key = keys.signing_key()
    signed = sign(document, keys.private_key(key), verification_method(key.kid), now)
    token_key = keys.signing_key(KeyUse.TOKEN)
    made = PriorLearningAward(
        uuid=identifier,
        request=request,
        issued_at=now,
        document=to_text(signed),
        token=web_token.sign_token(
            signed, keys.private_token_key(token_key), verification_method(token_key.kid)
        ),
        key_id=key.id,
        place=place,
    )
    db.session.add(made)
    note(request, None, "credential_issued", id=identifier.urn)
    return made


def describe(request: PriorLearningRequest, identifier: uuid.UUID, now: datetime) -> dict[str, Any]:
    """The credential without its proof (Open Badges 3.0, achievementType "Assessment").

    Evidence is named by kind and SHA-256, never with what it holds.
    """
    course, granted = request.course, request.granted
    address = f"{settings().base_url}/achievements/{course.uuid}"
    title = in_language(course.title)
    names = {
        EvidenceKind.FILE: _("A file of the portfolio"),
        EvidenceKind.CREDENTIAL: _("A credential from elsewhere"),
        EvidenceKind.LINK: _("A link"),
        EvidenceKind.EMPLOYER: _("The statement of an employer"),
    }
    used = {claim.item_id for outcome in granted for claim in outcome.claims}
    return {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": identifier.urn,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": _("Prior learning recognised for “%(title)s”", title=title),
        "issuer": {
            "id": issuer_did(),
            "type": ["Profile"],
            "name": settings().site_name,
            "url": settings().base_url + "/",
        },
        "validFrom": instant(now),
        "awardedDate": instant(now),
        "credentialSubject": {
            "id": uuid.uuid5(identifier, "holder").urn,
            "type": ["AchievementSubject"],
            "identifier": identities(request.user.name, request.user.email),
            "achievement": {
                "id": f"{address}#prior-learning-{request.uuid}",
                "type": ["Achievement"],
                "achievementType": "Assessment",
                "name": _("Prior learning: %(title)s", title=title),
                "description": _(
                    "Learning outcomes of the course “%(title)s” that were shown by a portfolio of"
                    " evidence. No hours of a course were attended for it.",
                    title=title,
                ),
                "criteria": {
                    "narrative": _(
                        "An assessor who is independent of the holder decided about each outcome by"
                        " the evidence. Granted: %(outcomes)s",
                        outcomes="; ".join(in_language(one.text) for one in granted),
                    )
                },
                "creator": {
                    "id": course.owner.uuid.urn,
                    "type": ["Profile"],
                    "name": in_language(course.owner.name),
                },
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetName": in_language(outcome.text),
                        "targetUrl": f"{address}#outcome-{outcome.position}",
                        "targetFramework": title,
                    }
                    for outcome in granted
                ],
            },
        },
        "evidence": [
            {
                "id": f"urn:uuid:{uuid.uuid5(request.uuid, str(item.id))}",
                "type": ["Evidence"],
                "name": names[EvidenceKind(item.kind)],
                "narrative": f"sha256:{item.sha256}" if item.sha256 else _("Kept by the assessor."),
            }
            for item in request.items
            if item.id in used
        ],
    }
