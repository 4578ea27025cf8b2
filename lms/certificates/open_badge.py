"""The certificate as an Open Badges 3.0 credential (W3C Verifiable Credentials 2.0)."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import orjson
from flask_babel import gettext as _
from flask_babel import ngettext

from lms.certificates.data_integrity import CREDENTIALS_V2, OPEN_BADGES_3, instant
from lms.certificates.facts import digest
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.language import speaking
from lms.core.settings import settings
from lms.core.text import in_language
from lms.courses.activity_types.base import activity_types

JSON = dict[str, Any]


def issuer_did() -> str:
    """The issuer's identity, did:web of the site's address."""
    parts = urlsplit(settings().base_url)
    host = parts.netloc.lower().replace(":", "%3A")
    path = parts.path.strip("/").replace("/", ":")
    return f"did:web:{host}:{path}" if path else f"did:web:{host}"


def verification_method(kid: str) -> str:
    """The DID URL of one of the issuer's keys."""
    return f"{issuer_did()}#{kid}"


def page_address(code: str) -> str:
    """The public page of a certificate: what the QR code holds."""
    return f"{settings().base_url}/verify/{code}"


def status_address(number: int) -> str:
    """The address of a status list."""
    return f"{settings().base_url}/status/revocation/{number}"


def make_document(
    credential: Credential,
    email: str | None,
    *,
    names_holder: bool = True,
    tells_grade: bool = True,
    holder: str | None = None,
) -> JSON:
    """The credential without its proof, in the certificate's language.

    names_holder: with the holder's name, and a salted hash of the e-mail address by which wallets
    recognise their owner; without, only a pseudonym. tells_grade: with the result. holder: the DID
    of the holder's key, instead of the pseudonym.
    """
    facts = credential.facts
    if not tells_grade:
        facts["grade"] = None
    with speaking(credential.language):
        document = _make(credential, facts, email, names_holder)
    if holder is not None:
        document["credentialSubject"]["id"] = holder
    return document


def _make(credential: Credential, facts: JSON, email: str | None, names_holder: bool) -> JSON:
    base = settings().base_url
    run, course = facts["run"], facts["course"]
    first, last = (date.fromisoformat(run[day]) for day in ("starts_on", "ends_on"))
    subject: JSON = {
        "id": uuid.uuid5(credential.uuid, "holder").urn,
        "type": ["AchievementSubject"],
        "creditsEarned": course["hours"],
        "activityStartDate": instant(clock.start_of_day(first, "UTC")),
        "activityEndDate": instant(clock.end_of_day(last, "UTC")),
    }
    if names_holder:
        subject["identifier"] = identities(credential.holder_name, email)
    achievement = f"{base}/achievements/{course['uuid']}"
    subject["achievement"] = _achievement(facts, achievement, credential.language)
    if facts["grade"] is not None:
        subject["result"] = [
            {
                "type": ["Result"],
                "resultDescription": f"{achievement}#grade",
                "value": _per_cent(facts["grade"]),
            }
        ]
    document: JSON = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": credential.uuid.urn,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": credential.course_title,
        "issuer": {
            "id": issuer_did(),
            "type": ["Profile"],
            "name": facts["issuer"]["name"],
            "url": facts["issuer"]["url"],
        },
        "validFrom": instant(credential.issued_at),
        "awardedDate": instant(credential.issued_at),
        "credentialSubject": subject,
        "evidence": [
            {
                "id": page_address(credential.code),
                "type": ["Evidence"],
                "name": _("Entry in the register of certificates"),
                "narrative": digest(credential.facts_text),
            }
        ],
        "credentialStatus": {
            "id": f"{status_address(credential.status_list.number)}#{credential.status_index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(credential.status_index),
            "statusListCredential": status_address(credential.status_list.number),
        },
    }
    document["evidence"] += [_endorsement(one) for one in facts.get("endorsements", [])]
    document["evidence"] += [_accreditation(one) for one in facts.get("accreditations", [])]
    document["evidence"] += [_partner(one) for one in facts["organisations"][1:]]
    document["evidence"] += _signatories(credential, facts)
    if credential.valid_until is not None:
        document["validUntil"] = instant(credential.valid_until)
    return document


def _endorsement(endorsement: JSON) -> JSON:
    """An endorsement by reference: where it lies, and the SHA-256 of its signed text."""
    return {
        "id": endorsement["id"],
        "type": ["Evidence"],
        "name": _("Endorsement by %(name)s", name=in_language(endorsement["association"]["name"])),
        "narrative": f"sha256:{endorsement['sha256']}",
    }


def _accreditation(accreditation: JSON) -> JSON:
    """What held on the day of the award, in words; Open Badges 3.0 has no member for it."""
    return {
        "id": uuid.UUID(accreditation["uuid"]).urn,
        "type": ["Evidence"],
        "genre": "Accreditation",
        "name": _(
            "Accreditation by %(name)s", name=in_language(accreditation["association"]["name"])
        ),
        "narrative": accreditation_text(accreditation),
    }


def accreditation_text(accreditation: JSON) -> str:
    """Number, scope and days in one line: "OP-7, planning, 2026-01-01/2028-12-31"."""
    days = f"{accreditation['starts_on']}/{accreditation['ends_on'] or '..'}"  # ISO 8601-2
    return ", ".join(filter(None, (accreditation["number"], accreditation["scope"], days)))


def _partner(organisation: JSON) -> JSON:
    found: JSON = {
        "id": uuid.UUID(organisation["uuid"]).urn,
        "type": ["Evidence"],
        "genre": "PartnerOrganisation",
        "name": in_language(organisation["name"]),
    }
    if organisation["website"]:
        found["description"] = organisation["website"]
    return found


def _signatories(credential: Credential, facts: JSON) -> list[JSON]:
    found = []
    for number, person in enumerate(facts["signatories"], 1):
        place = ", ".join(filter(None, map(in_language, (person["role"], person["organisation"]))))
        entry: JSON = {
            "id": uuid.uuid5(credential.uuid, f"signatory {number}").urn,
            "type": ["Evidence"],
            "genre": "Signatory",
            "name": person["name"],
        }
        if place:
            entry["description"] = place
        found.append(entry)
    return found


def identities(name: str, email: str | None) -> list[JSON]:
    """The name, and a salted hash of the e-mail address (Open Badges 3.0, IdentityObject)."""
    found: list[JSON] = [
        {"type": "IdentityObject", "identityType": "name", "hashed": False, "identityHash": name}
    ]
    if email:
        salt = secrets.token_hex(16)
        hashed = hashlib.sha256((email + salt).encode()).hexdigest()
        found.append(
            {
                "type": "IdentityObject",
                "identityType": "emailAddress",
                "hashed": True,
                "salt": salt,
                "identityHash": f"sha256${hashed}",
            }
        )
    return found


def _achievement(facts: JSON, address: str, language: str) -> JSON:
    course = facts["course"]
    owner = facts["organisations"][0]
    creator: JSON = {
        "id": uuid.UUID(owner["uuid"]).urn,
        "type": ["Profile"],
        "name": in_language(owner["name"]),
    }
    if owner["website"] and owner["website"].startswith(("http://", "https://")):
        creator["url"] = owner["website"]
    achievement: JSON = {
        "id": address,
        "type": ["Achievement"],
        "achievementType": "Course",
        "name": in_language(course["title"]),
        "description": describe(facts),
        "criteria": {"narrative": criteria(facts)},
        "creator": creator,
        "image": {"id": f"{address}/badge.png", "type": "Image"},
        "creditsAvailable": course["hours"] + (facts.get("waived") or {"hours": 0})["hours"],
        "inLanguage": language,
    }
    alignments = [
        {
            "type": ["Alignment"],
            "targetName": in_language(outcome),
            "targetUrl": f"{address}#outcome-{number}",
            "targetFramework": in_language(course["title"]),
        }
        for number, outcome in enumerate(course["outcomes"], 1)
        if in_language(outcome)
    ]
    alignments += [
        {
            "type": ["Alignment"],
            "targetName": one["name"],
            "targetUrl": one["url"],
            "targetFramework": one["framework"],
            **({"targetCode": one["code"]} if one["code"] else {}),
        }
        for one in facts.get("alignments", [])
    ]
    alignments += [_credit(credit, address) for credit in facts["credits"]]
    if alignments:
        achievement["alignment"] = alignments
    if facts["grade"] is not None:
        result: JSON = {
            "id": f"{address}#grade",
            "type": ["ResultDescription"],
            "name": _("Grade"),
            "resultType": "Percent",
            "valueMin": "0",
            "valueMax": "100",
        }
        if facts["pass_mark"] is not None:
            result["requiredValue"] = _per_cent(facts["pass_mark"])
        achievement["resultDescription"] = [result]
    return achievement


def _credit(credit: JSON, address: str) -> JSON:
    found: JSON = {
        "type": ["Alignment"],
        "targetName": str(
            _("%(hours)s hours of continuing education", hours=f"{credit['hours']:g}")
        ),
        "targetUrl": f"{address}#credit-{credit['uuid']}",
        "targetFramework": in_language(credit["name"]),
    }
    if credit["reference"]:
        found["targetCode"] = credit["reference"]
    return found


def _per_cent(share: float) -> str:
    return f"{round(share * 100, 1):g}"


def describe(facts: JSON) -> str:
    """One or two sentences: how long the course is and who teaches it."""
    names = [in_language(o["name"]) for o in facts["organisations"]]
    weeks = facts["course"]["weeks"]
    return str(
        ngettext(
            "An online course of one week, taught by %(names)s.",
            "An online course of %(num)s weeks, taught by %(names)s.",
            weeks,
            names=", ".join(names),
        )
    )


def criteria(facts: JSON) -> str:
    """What the holder had to do."""
    text = str(
        ngettext(
            "The one required activity of the course was completed.",
            "All %(num)s required activities of the course were completed.",
            max(1, facts["activities"]),
        )
    )
    waived = facts.get("waived")
    if waived:
        text = str(
            _(
                "Required activities: %(done)s completed, %(waived)s waived in recognition of prior"
                " learning (%(hours)s hours of the course, which the hours of work do not count).",
                done=facts["activities"],
                waived=waived["activities"],
                hours=f"{waived['hours']:g}",
            )
        )
    methods = assessment_text(facts)
    if methods:
        text += " " + str(_("Assessed by: %(methods)s.", methods=methods))
    if facts["pass_mark"] is not None:
        mark = _per_cent(facts["pass_mark"])
        text += " " + str(_("At least %(mark)s per cent were needed to pass.", mark=mark))
    return text


def assessment_text(facts: JSON) -> str:
    """How the course was assessed: "Quiz (3), Assignment"."""
    parts = []
    for kind, count in facts["assessment"].items():
        label = str(activity_types[kind].label) if kind in activity_types else kind
        parts.append(f"{label} ({count})" if count > 1 else label)
    return ", ".join(parts)


def to_text(document: JSON) -> str:
    """A signed document as the text that is kept and sent."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _plain_numbers(value: Any) -> Any:
    """12.0 as 12, as JSON does not tell them apart."""
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def fingerprint(document: JSON) -> str:
    """SHA-256 of a document's content, whatever the order of members and the spaces."""
    text = orjson.dumps(_plain_numbers(document), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()
