"""Verbs, activity types and identifiers of Puente's statements (xAPI 1.0.3, cmi5 Quartz)."""

from __future__ import annotations

import uuid
from typing import Any

from lms.accounts.models import User
from lms.core.db import ByLanguage
from lms.core.settings import settings

ADL = "http://adlnet.gov/expapi/verbs/"
VERBS: dict[str, tuple[str, ByLanguage]] = {
    name: (iri, {"en": en, "es": es, "fr": fr, "pt": pt})
    for name, iri, en, es, fr, pt in (
        ("registered", ADL + "registered", "registered", "se inscribió", "s’est inscrit", "inscreveu-se"),
        ("unregistered", "http://id.tincanapi.com/verb/unregistered", "unregistered", "dejó la inscripción", "s’est désinscrit", "cancelou a inscrição"),
        ("launched", ADL + "launched", "launched", "abrió", "a ouvert", "abriu"),
        ("initialized", ADL + "initialized", "started", "comenzó", "a commencé", "começou"),
        ("experienced", ADL + "experienced", "experienced", "vio", "a consulté", "viu"),
        ("completed", ADL + "completed", "completed", "completó", "a terminé", "concluiu"),
        ("answered", ADL + "answered", "answered", "respondió", "a répondu à", "respondeu"),
        ("passed", ADL + "passed", "passed", "aprobó", "a réussi", "foi aprovado em"),
        ("failed", ADL + "failed", "did not pass", "no aprobó", "n’a pas réussi", "não foi aprovado em"),
        ("scored", ADL + "scored", "scored", "obtuvo una nota en", "a obtenu une note à", "obteve nota em"),
        ("commented", ADL + "commented", "commented on", "comentó en", "a commenté", "comentou em"),
        ("terminated", ADL + "terminated", "left", "salió de", "a quitté", "saiu de"),
        ("earned", "http://id.tincanapi.com/verb/earned", "earned", "obtuvo", "a obtenu", "obteve"),
        ("voided", ADL + "voided", "voided", "anuló", "a annulé", "anulou"),
    )
}  # fmt: skip

TYPES = {
    "course": "http://adlnet.gov/expapi/activities/course",
    "module": "http://adlnet.gov/expapi/activities/module",
    "lesson": "http://adlnet.gov/expapi/activities/lesson",
    "assessment": "http://adlnet.gov/expapi/activities/assessment",
    "question": "http://adlnet.gov/expapi/activities/cmi.interaction",
    "discussion": "http://id.tincanapi.com/activitytype/discussion",
    "file": "http://activitystrea.ms/schema/1.0/file",
    "video": "https://w3id.org/xapi/video/activity-type/video",
    "certificate": "https://www.opigno.org/en/tincan_registry/activity_type/certificate",
}

CMI5_CATEGORY: dict[str, Any] = {
    "objectType": "Activity",
    "id": "https://w3id.org/xapi/cmi5/context/categories/cmi5",
}
MOVE_ON_CATEGORY: dict[str, Any] = {
    "objectType": "Activity",
    "id": "https://w3id.org/xapi/cmi5/context/categories/moveon",
}


def activity_iri(kind: str, identifier: uuid.UUID | str) -> str:
    """The IRI of one of Puente's own things: "https://site/xapi/activities/course/<uuid>"."""
    return f"{settings().base_url}/xapi/activities/{kind}/{identifier}"


def activity(
    iri: str, type_: str, name: ByLanguage, description: ByLanguage | None = None
) -> dict[str, Any]:
    """An xAPI Activity object. type_: a name in TYPES or an IRI."""
    definition: dict[str, Any] = {"type": TYPES.get(type_, type_)}
    if name:
        definition["name"] = {code: text for code, text in name.items() if text}
    if description:
        definition["description"] = {code: text for code, text in description.items() if text}
    return {"objectType": "Activity", "id": iri, "definition": definition}


def actor(user: User) -> dict[str, Any]:
    """The person as a pseudonymous account: no name, no address (xAPI 1.0.3, 2.4.2.4)."""
    return {
        "objectType": "Agent",
        "account": {"homePage": settings().base_url, "name": str(user.uuid)},
    }


def verb(name: str) -> dict[str, Any]:
    """An xAPI Verb by its name in VERBS."""
    iri, display = VERBS[name]
    return {"id": iri, "display": display}


def iso_duration(seconds: float) -> str:
    """Seconds as an ISO 8601 duration with hundredths: "PT90.5S"."""
    return f"PT{round(seconds, 2):g}S"
