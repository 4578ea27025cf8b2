"""What the certificates give to the learning records."""

from __future__ import annotations

from collections.abc import Iterable

from lms.certificates.events import CredentialIssued
from lms.xapi.mapping import StatementDraft, StatementMapping
from lms.xapi.vocabulary import activity, activity_iri


def earned(event: CredentialIssued) -> Iterable[StatementDraft]:
    """The holder earned the certificate. A corrected one is no second achievement.

    The statement does not hold the code: who has it can open the certificate.
    """
    credential = event.credential
    if credential.revision > 1:
        return
    facts = credential.facts
    title = facts["course"]["title"]
    course = activity(activity_iri("course", facts["course"]["uuid"]), "course", title)
    run = activity(activity_iri("run", facts["run"]["uuid"]), "run", title)
    yield StatementDraft(
        user=credential.user,
        verb="earned",
        object=activity(activity_iri("certificate", credential.uuid), "certificate", title),
        registration=credential.enrolment.registration,
        context_activities={"parent": [run], "grouping": [course]},
        language=credential.language,
        timestamp=credential.issued_at,
    )


MAPPINGS = [StatementMapping("certificates.earned", CredentialIssued, earned)]
