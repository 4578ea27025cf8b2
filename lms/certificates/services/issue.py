"""Issuing a certificate: once for each completed enrolment, and again when a name is corrected."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import User
from lms.certificates import facts as register
from lms.certificates import queries
from lms.certificates.codes import make_code
from lms.certificates.errors import (
    AlreadyRevoked,
    IssuerKeyUnavailable,
    NameCannotBeSet,
    TextCannotBeSet,
)
from lms.certificates.events import CredentialIssued
from lms.certificates.layout_models import LayoutVersion
from lms.certificates.lettering import LONGEST_NAME, missing_letters
from lms.certificates.models import Credential, RevocationReason
from lms.certificates.printed import require_printable
from lms.certificates.services import keys, layouts, status
from lms.certificates.services.revoke import take_back
from lms.certificates.services.signing import sign_all
from lms.config import LANGUAGES
from lms.core import audit, clock
from lms.core.db import db
from lms.core.events import emit
from lms.core.outbox import enqueue
from lms.core.text import fold, in_language
from lms.courses.events import CourseCompleted, EnrolmentCleared
from lms.courses.models import Course, Enrolment, EnrolmentState
from lms.notifications.models import Notice
from lms.notifications.services import tell

ONE_HOUR = 3600


def tidy_name(name: str) -> str:
    """A name as it is certified: composed letters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def issue_when_completed(event: CourseCompleted) -> None:
    """Issue at once. While the issuer's key is out of reach, or a text cannot be set, the
    completion stands and a job tries again; the person is told what to do about the name,
    administrators about all other texts."""
    enrolment = event.enrolment
    if enrolment.is_owed:
        return  # it waits for the last payment: see `issue_when_cleared`
    try:
        issue_for_completion(enrolment)
    except IssuerKeyUnavailable:
        enqueue("certificates.issue", enrolment_id=enrolment.id)
    except NameCannotBeSet as error:
        title = enrolment.run.course.title
        tell(enrolment.user, "certificates.name_refused", title=title, problem=str(error.text))
        enqueue("certificates.issue", enrolment_id=enrolment.id, delay=ONE_HOUR)
    except TextCannotBeSet as error:
        _tell_of_text(enrolment.run.course, error.problem)
        enqueue("certificates.issue", enrolment_id=enrolment.id, delay=ONE_HOUR)


def issue_when_cleared(event: EnrolmentCleared) -> None:
    """What was completed while a part of the price was still to be paid is certified now."""
    if event.enrolment.state == EnrolmentState.COMPLETED:
        issue_when_completed(CourseCompleted(event.enrolment))


def _tell_of_text(course: Course, problem: str) -> None:
    """Tell administrators once a day, however many complete the course."""
    yesterday = clock.now() - timedelta(days=1)
    for user in db.session.scalars(select(User).where(User.is_administrator)).all():
        told = db.session.scalars(
            select(Notice).where(
                Notice.user_id == user.id,
                Notice.created_at > yesterday,
                Notice.kind == "certificates.text_refused",
            )
        )
        if not any(notice.values["slug"] == course.slug for notice in told):
            tell(
                user,
                "certificates.text_refused",
                title=course.title,
                slug=course.slug,
                problem=problem,
            )


def require_settable(name: str) -> None:
    """Refuse a name that would stand on the certificate with gaps or not at all.

    Raises NameCannotBeSet.
    """
    if not name or len(name) > LONGEST_NAME:
        raise NameCannotBeSet(
            lazy_gettext(
                "A name on a certificate has at least one letter and at most %(most)s.",
                most=LONGEST_NAME,
            )
        )
    missing = missing_letters(name)
    if missing:
        raise NameCannotBeSet(
            lazy_gettext(
                "These letters cannot be printed on a certificate: %(letters)s. Write the name"
                " in letters that we have, as it stands in a passport.",
                letters=" ".join(f"{sign} (U+{ord(sign):04X})" for sign in missing),
            )
        )


def issue_for_completion(enrolment: Enrolment, valid_until: datetime | None = None) -> Credential:
    """The certificate of a completed enrolment. Safe to repeat: it is issued once.

    valid_until: the end that the course's rule sets, unless told. Raises IssuerKeyUnavailable,
    NameCannotBeSet and TextCannotBeSet.
    """
    found = queries.find_latest(enrolment)
    if found is not None:
        return found
    name = tidy_name(enrolment.user.name)
    require_settable(name)
    layout = layouts.version_for(enrolment.run.course)
    content = layout.content if layout else None
    facts = register.collect(enrolment, name, content)
    require_printable(facts, content.words if content else ())
    months = enrolment.run.course.certificate_months
    if valid_until is None and months is not None:
        valid_until = clock.after_months(clock.now(), months).replace(microsecond=0)
    try:
        credential = _keep(enrolment, facts, layout, valid_until=valid_until)
    except IntegrityError:  # completed twice at the same time: the other one has issued it
        found = queries.find_latest(enrolment)
        if found is None:
            raise
        return found
    tell(enrolment.user, "certificates.issued", title=facts["course"]["title"])
    return credential


def _keep(
    enrolment: Enrolment,
    facts: dict[str, Any],
    layout: LayoutVersion | None,
    *,
    valid_until: datetime | None = None,
    replaces: Credential | None = None,
) -> Credential:
    """Sign and keep a credential, and have its PDF drawn. Raises IntegrityError when this
    revision exists already."""
    user = enrolment.user
    language = user.language if user.language in LANGUAGES else "en"
    if replaces:
        language = replaces.language
    name, title = facts["holder"]["name"], in_language(facts["course"]["title"], language)
    code = make_code()
    with db.session.begin_nested():
        status_list, status_index = status.take_place()
        credential = Credential(
            uuid=uuid.uuid4(),
            code=code,
            enrolment_id=enrolment.id,
            revision=replaces.revision + 1 if replaces else 1,
            user_id=user.id,
            course_id=enrolment.run.course_id,
            run_id=enrolment.run_id,
            language=language,
            second_language=replaces.second_language if replaces else None,
            holder_name=name,
            course_title=title,
            search_text=fold(f"{name} {title} {code}"),
            facts_text=register.to_text(facts),
            shows_name=replaces.shows_name if replaces else True,
            shows_grade=replaces.shows_grade if replaces else True,
            issued_at=clock.now().replace(microsecond=0),
            valid_until=valid_until,
            supersedes_id=replaces.id if replaces else None,
            layout_version_id=layout.id if layout else None,
            key=keys.signing_key(),
            status_list=status_list,
            status_index=status_index,
            document_digests=[],
            document_macs=[],
        )
        sign_all(credential, user.email)
        db.session.add(credential)
        db.session.flush()
    enqueue("certificates.draw_pdf", credential_id=credential.id)
    emit(CredentialIssued(credential))
    return credential


def reissue(
    credential: Credential, name: str, actor_id: int, *, keeps_layout: bool = False
) -> Credential:
    """A new certificate with a corrected name in place of this one, which is revoked.

    Everything else stays as it was certified, set in the layout that its course has now, or in the
    former one's. Raises AlreadyRevoked, IssuerKeyUnavailable, NameCannotBeSet and TextCannotBeSet.
    """
    if credential.is_revoked:
        raise AlreadyRevoked
    name = tidy_name(name)
    require_settable(name)
    facts = credential.facts
    facts["holder"] = {**facts["holder"], "name": name}
    if keeps_layout:
        layout = layouts.version_of(credential)
    else:
        layout = layouts.version_for(credential.course)
    require_printable(facts, layout.content.words if layout else ())
    take_back(credential, RevocationReason.SUPERSEDED, None, actor_id)
    until = credential.valid_until
    made = _keep(credential.enrolment, facts, layout, valid_until=until, replaces=credential)
    audit.record("certificates.reissue", made, actor_id, replaces=credential.code, code=made.code)
    tell(credential.user, "certificates.reissued", title=facts["course"]["title"])
    return made
