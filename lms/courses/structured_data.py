"""A course in schema.org's words, for search engines: Course, CourseInstance, Offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lms.core.markdown import plain_text
from lms.core.settings import settings
from lms.core.text import in_language
from lms.core.web import absolute_url
from lms.courses.models import Course, CourseRun
from lms.courses.queries.catalogue import RunState
from lms.directory.models import Organisation

_AVAILABILITY = {
    RunState.FULL: "https://schema.org/SoldOut",
    RunState.FEW_PLACES: "https://schema.org/LimitedAvailability",
    RunState.NOT_YET_OPEN: "https://schema.org/PreSale",
    RunState.CLOSED: "https://schema.org/Discontinued",
}


def course_data(course: Course, runs: Sequence[tuple[CourseRun, RunState]]) -> dict[str, Any]:
    """The JSON-LD document of a course page, in the reader's language."""
    url = absolute_url("courses.course_page", slug=course.slug)
    workload = f"PT{course.hours:g}H"
    providers = [_organisation(o) for o in (course.owner, *course.partners)]
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Course",
        "@id": url,
        "url": url,
        "name": in_language(course.title),
        "description": in_language(course.summary) or plain_text(in_language(course.description)),
        "provider": providers[0] if len(providers) == 1 else providers,
        "image": absolute_url("courses.share_picture", slug=course.slug),
        "inLanguage": course.languages,
        "educationalLevel": course.level,
        "timeRequired": workload,
        "teaches": [in_language(outcome) for outcome in course.outcomes],
        "hasCourseInstance": [
            {
                "@type": "CourseInstance",
                "courseMode": "Online",
                "startDate": run.starts_at.isoformat(),
                "endDate": run.ends_at.isoformat(),
                "inLanguage": run.language,
                "courseWorkload": workload,
                "instructor": [
                    {"@type": "Person", "name": member.user.name} for member in course.staff
                ],
                "offers": _offer(run, state, url),
            }
            for run, state in runs
        ],
        "offers": [_offer(run, state, url) for run, state in runs],
    }
    if course.topic is not None:
        data["about"] = in_language(course.topic.name)
    if course.credits:
        data["educationalCredentialAwarded"] = {
            "@type": "EducationalOccupationalCredential",
            "credentialCategory": "certificate",
            "recognizedBy": [_organisation(credit.organisation) for credit in course.credits],
        }
    if course.license:
        data["license"] = course.license
    return data


def _organisation(organisation: Organisation) -> dict[str, Any]:
    found = {"@type": "Organization", "name": in_language(organisation.name)}
    if organisation.website:
        found["sameAs"] = organisation.website
    return found


def _offer(run: CourseRun, state: RunState, url: str) -> dict[str, Any]:
    offer = {
        "@type": "Offer",
        "url": url,
        "price": f"{run.price.decimal:f}",
        "priceCurrency": run.price.currency,
        "category": "Paid" if run.price else "Free",
        "availability": _AVAILABILITY.get(state, "https://schema.org/InStock"),
        "seller": {"@type": "Organization", "name": settings().site_name},
    }
    if run.enrolment_opens_at is not None:
        offer["validFrom"] = run.enrolment_opens_at.isoformat()
    offer["validThrough"] = (run.enrolment_closes_at or run.ends_at).isoformat()
    return offer
