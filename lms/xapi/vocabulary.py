"""Verbs, activity types and identifiers of Puente's statements (xAPI 1.0.3, cmi5 Quartz)."""

from __future__ import annotations

import uuid
from typing import Any

from lms.accounts.models import User
from lms.core.db import ByLanguage
from lms.core.settings import settings

ADL = "http://adlnet.gov/expapi/verbs/"
VIDEO = "https://w3id.org/xapi/video"  # the published video profile: its category, verbs, types
_DISPLAYS: dict[str, ByLanguage] = {
    "registered": {
        "en": "registered",
        "es": "se inscribió",
        "fr": "s’est inscrit",
        "pt": "inscreveu-se",
    },
    "unregistered": {
        "en": "unregistered",
        "es": "dejó la inscripción",
        "fr": "s’est désinscrit",
        "pt": "cancelou a inscrição",
    },
    "launched": {
        "en": "launched",
        "es": "abrió",
        "fr": "a ouvert",
        "pt": "abriu",
    },
    "initialized": {
        "en": "started",
        "es": "comenzó",
        "fr": "a commencé",
        "pt": "começou",
    },
    "experienced": {
        "en": "experienced",
        "es": "vio",
        "fr": "a consulté",
        "pt": "viu",
    },
    "completed": {
        "en": "completed",
        "es": "completó",
        "fr": "a terminé",
        "pt": "concluiu",
    },
    "waived": {
        "en": "was exempted from",
        "es": "quedó exento de",
        "fr": "a été dispensé de",
        "pt": "foi dispensado de",
    },
    "answered": {
        "en": "answered",
        "es": "respondió",
        "fr": "a répondu à",
        "pt": "respondeu",
    },
    "passed": {
        "en": "passed",
        "es": "aprobó",
        "fr": "a réussi",
        "pt": "foi aprovado em",
    },
    "failed": {
        "en": "did not pass",
        "es": "no aprobó",
        "fr": "n’a pas réussi",
        "pt": "não foi aprovado em",
    },
    "scored": {
        "en": "scored",
        "es": "obtuvo una nota en",
        "fr": "a obtenu une note à",
        "pt": "obteve nota em",
    },
    "commented": {
        "en": "commented on",
        "es": "comentó en",
        "fr": "a commenté",
        "pt": "comentou em",
    },
    "played": {
        "en": "played",
        "es": "reprodujo",
        "fr": "a lu",
        "pt": "reproduziu",
    },
    "paused": {
        "en": "paused",
        "es": "pausó",
        "fr": "a mis en pause",
        "pt": "pausou",
    },
    "seeked": {
        "en": "moved within",
        "es": "se movió dentro de",
        "fr": "s’est déplacé dans",
        "pt": "mudou de posição em",
    },
    "terminated": {
        "en": "left",
        "es": "salió de",
        "fr": "a quitté",
        "pt": "saiu de",
    },
    "earned": {
        "en": "earned",
        "es": "obtuvo",
        "fr": "a obtenu",
        "pt": "obteve",
    },
    "voided": {
        "en": "voided",
        "es": "anuló",
        "fr": "a annulé",
        "pt": "anulou",
    },
}
_ELSEWHERE = {
    "waived": "https://w3id.org/xapi/adl/verbs/waived",
    "unregistered": "http://id.tincanapi.com/verb/unregistered",
    "earned": "http://id.tincanapi.com/verb/earned",
    **{name: f"{VIDEO}/verbs/{name}" for name in ("played", "paused", "seeked")},
}
VERBS: dict[str, tuple[str, ByLanguage]] = {
    name: (_ELSEWHERE.get(name, ADL + name), display) for name, display in _DISPLAYS.items()
}

TYPES = {
    "course": "http://adlnet.gov/expapi/activities/course",
    "module": "http://adlnet.gov/expapi/activities/module",
    "lesson": "http://adlnet.gov/expapi/activities/lesson",
    "assessment": "http://adlnet.gov/expapi/activities/assessment",
    "question": "http://adlnet.gov/expapi/activities/cmi.interaction",
    "discussion": "http://id.tincanapi.com/activitytype/discussion",
    "file": "http://activitystrea.ms/schema/1.0/file",
    "video": f"{VIDEO}/activity-type/video",
    "certificate": "https://www.opigno.org/en/tincan_registry/activity_type/certificate",
}

PROFILE_TYPE = "http://adlnet.gov/expapi/activities/profile"


def profile_iri(path: str = "") -> str:
    """The IRI of Puente's own xAPI profile, or of something in it."""
    return f"{settings().base_url}/xapi/profile" + (f"/{path}" if path else "")


def type_iri(name: str) -> str:
    """The IRI of an activity type by its name in TYPES; "run" is Puente's own, an IRI is itself."""
    return profile_iri("activity-types/course-run") if name == "run" else TYPES.get(name, name)


def profile_category() -> dict[str, Any]:
    """The context activity that says which profile a statement follows."""
    return {"id": profile_iri("v1"), "definition": {"type": PROFILE_TYPE}}


def activity_iri(kind: str, identifier: uuid.UUID | str) -> str:
    """The IRI of one of Puente's own things: "https://site/xapi/activities/course/<uuid>"."""
    return f"{settings().base_url}/xapi/activities/{kind}/{identifier}"


def activity(
    iri: str, type_: str, name: ByLanguage, description: ByLanguage | None = None
) -> dict[str, Any]:
    """An xAPI Activity object. type_: as `type_iri` takes it."""
    definition: dict[str, Any] = {"type": type_iri(type_)}
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


def video_extension(name: str) -> str:
    """The IRI of an extension of the video profile: "played-segments", "length"."""
    return f"{VIDEO}/extensions/{name}"


def video_category() -> dict[str, Any]:
    """The context activity that says that a statement follows the video profile."""
    return {"id": VIDEO, "definition": {"type": PROFILE_TYPE}}


def iso_duration(seconds: float) -> str:
    """Seconds as an ISO 8601 duration with hundredths: "PT90.5S"."""
    return f"PT{seconds:.2f}".rstrip("0").rstrip(".") + "S"
