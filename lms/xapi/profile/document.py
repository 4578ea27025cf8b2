"""The profile as JSON-LD (xAPI Profiles 1.0, part two)."""

from __future__ import annotations

from typing import Any

from lms.core.settings import settings
from lms.xapi.profile.templates import TEMPLATES, Rule, Template, rules_of
from lms.xapi.vocabulary import VERBS, profile_iri, type_iri

CONTEXT = "https://w3id.org/xapi/profiles/context"
PUBLISHED = "2026-11-30T00:00:00Z"  # when the present version was


def profile() -> dict[str, Any]:
    """The whole profile; every object in it has an IRI that leads to it."""
    return {
        "@context": CONTEXT,
        "id": profile_iri(),
        "type": "Profile",
        "conformsTo": "https://w3id.org/xapi/profiles#1.0",
        "prefLabel": {"en": "Puente"},
        "definition": {
            "en": "What learners do in the courses of this site: courses, activities, quizzes,"
            " forums and certificates."
        },
        "versions": [{"id": profile_iri("v1"), "generatedAtTime": PUBLISHED}],
        "author": {
            "type": "Organization",
            "name": settings().site_name,
            "url": settings().base_url,
        },
        "concepts": [_course_run()],
        "templates": [template_document(template) for template in TEMPLATES],
        "patterns": _patterns(),
    }


def find(path: str) -> dict[str, Any] | None:
    """The object of the profile whose IRI ends in `path`, with its context; None if none does."""
    whole, iri = profile(), profile_iri(path)
    if iri in (whole["versions"][0]["id"], whole["id"]):
        return whole
    for group in ("concepts", "templates", "patterns"):
        for thing in whole[group]:
            if thing["id"] == iri:
                return {"@context": CONTEXT, **thing}
    return None


def _course_run() -> dict[str, Any]:
    return {
        "id": type_iri("run"),
        "type": "ActivityType",
        "inScheme": profile_iri("v1"),
        "prefLabel": {
            "en": "Course run",
            "es": "Edición de un curso",
            "fr": "Session d’un cours",
            "pt": "Edição de um curso",
        },
        "definition": {"en": "A course with its dates, in which people have places."},
        "broadMatch": [type_iri("course")],
    }


def template_document(template: Template) -> dict[str, Any]:
    """A statement template as it stands in a profile (xAPI Profiles 1.0, part two, 8)."""
    found: dict[str, Any] = {
        "id": profile_iri(f"templates/{template.name}"),
        "type": "StatementTemplate",
        "inScheme": profile_iri("v1"),
        "prefLabel": template.label,
        "definition": {"en": template.definition},
        "verb": VERBS[template.verb][0],
    }
    if template.object_type:
        found["objectActivityType"] = type_iri(template.object_type)
    if template.parent:
        found["contextParentActivityType"] = [type_iri(name) for name in template.parent]
    found["contextGroupingActivityType"] = [type_iri(name) for name in template.grouping]
    found["rules"] = [_rule(rule) for rule in rules_of(template)]
    return found


def _rule(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"location": rule.location, "presence": rule.presence}
    if rule.all:
        found["all"] = list(rule.all)
    return found


def _patterns() -> list[dict[str, Any]]:
    """Within a registration: first registered, then anything else, any number of times."""

    def pattern(name: str, label: str, definition: str, **rest: Any) -> dict[str, Any]:
        return {
            "id": profile_iri(f"patterns/{name}"),
            "type": "Pattern",
            "inScheme": profile_iri("v1"),
            "prefLabel": {"en": label},
            "definition": {"en": definition},
            **rest,
        }

    first = profile_iri("templates/registered")
    others = [profile_iri(f"templates/{t.name}") for t in TEMPLATES if t.name != "registered"]
    return [
        pattern(
            "enrolment",
            "An enrolment",
            "All statements of one registration.",
            primary=True,
            sequence=[first, profile_iri("patterns/studying")],
        ),
        pattern(
            "studying",
            "Studying",
            "What happens after somebody has registered.",
            primary=False,
            zeroOrMore=profile_iri("patterns/step"),
        ),
        pattern(
            "step", "One step", "Any statement but the first.", primary=False, alternates=others
        ),
    ]
