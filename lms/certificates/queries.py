"""Reads of certificates, keys and status lists."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload, load_only

from lms.accounts.models import User
from lms.certificates.codes import read_code
from lms.certificates.models import (
    Credential,
    IssuerKey,
    KeyUse,
    RevocationSubscription,
    StatusList,
    StatusPlace,
    VerificationBatch,
    VerificationKey,
)
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.text import search_words
from lms.courses.models import Course, CourseRun, Enrolment, PublicationState
from lms.directory.models import (
    Organisation,
    OrganisationKind,
    OrganisationRole,
    OrganisationRoleName,
)

_FOR_VERIFYING = (
    joinedload(Credential.key),
    joinedload(Credential.superseded_by),
)


def find_by_code(code: str) -> Credential | None:
    """The certificate with what verifying needs, in one query. code: in the kept form."""
    return db.session.scalar(
        select(Credential).where(Credential.code == code).options(*_FOR_VERIFYING)
    )


def get_by_code(typed: str) -> Credential:
    """The certificate with this code. Raises NotFound."""
    credential = find_by_code(read_code(typed))
    if credential is None:
        raise NotFound
    return credential


def find_by_codes(codes: Collection[str]) -> dict[str, Credential]:
    """Those certificates that exist, by code."""
    found = db.session.scalars(
        select(Credential).where(Credential.code.in_(codes)).options(*_FOR_VERIFYING)
    )
    return {credential.code: credential for credential in found}


def find_by_urn(urn: str) -> Credential | None:
    """The certificate whose signed document has this id ("urn:uuid:...")."""
    return find_by_urns([urn]).get(urn)


def find_status_place(identifier: str) -> StatusPlace | None:
    """The place in a status list of what another room had signed."""
    return db.session.scalar(select(StatusPlace).where(StatusPlace.identifier == identifier))


def find_by_urns(urns: Collection[str]) -> dict[str, Credential]:
    """Those certificates that exist, by the id of their signed document ("urn:uuid:...")."""
    known = {urn: identifier for urn in urns if (identifier := _uuid_of(urn)) is not None}
    if not known:
        return {}
    found = db.session.scalars(
        select(Credential).where(Credential.uuid.in_(known.values())).options(*_FOR_VERIFYING)
    )
    by_uuid = {credential.uuid: credential for credential in found}
    return {urn: by_uuid[identifier] for urn, identifier in known.items() if identifier in by_uuid}


def _uuid_of(urn: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(urn) if urn.startswith("urn:uuid:") else None
    except ValueError:
        return None


def find_latest(enrolment: Enrolment) -> Credential | None:
    """The newest certificate of an enrolment."""
    return db.session.scalar(
        select(Credential)
        .where(Credential.enrolment_id == enrolment.id)
        .order_by(Credential.revision.desc())
        .limit(1)
    )


def latest_by_enrolment(enrolment_ids: Collection[int]) -> dict[int, Credential]:
    """The newest certificate of each of these enrolments."""
    rows = db.session.scalars(
        select(Credential)
        .where(Credential.enrolment_id.in_(enrolment_ids))
        .order_by(Credential.revision)
    )
    return {credential.enrolment_id: credential for credential in rows}


def list_without_token(limit: int) -> Sequence[Credential]:
    """Certificates that have no token yet, the newest first."""
    return db.session.scalars(
        select(Credential)
        .where(Credential.token.is_(None))
        .order_by(Credential.id.desc())
        .limit(limit)
    ).all()


def get_credential(credential_id: int) -> Credential:
    """The certificate with all that administrators see of it. Raises NotFound."""
    credential = db.session.scalar(
        select(Credential)
        .where(Credential.id == credential_id)
        .options(
            *_FOR_VERIFYING,
            joinedload(Credential.user),
            joinedload(Credential.run),
            joinedload(Credential.course),
            joinedload(Credential.pdf_file),
            joinedload(Credential.supersedes),
        )
    )
    if credential is None:
        raise NotFound
    return credential


def list_of_holder(user: User) -> Sequence[Credential]:
    """A person's certificates, the newest first."""
    return db.session.scalars(
        select(Credential)
        .where(Credential.user_id == user.id)
        .options(joinedload(Credential.superseded_by))
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
    ).all()


def list_valid_of_holder(user: User) -> Sequence[Credential]:
    """A person's certificates that are neither revoked nor expired, the newest first."""
    now = clock.now()
    return db.session.scalars(
        select(Credential)
        .where(
            Credential.user_id == user.id,
            Credential.revoked_at.is_(None),
            Credential.valid_until.is_(None) | (Credential.valid_until > now),
        )
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
    ).all()


def list_of_run(run: CourseRun) -> Select[Any]:
    """The certificates of a run, by name."""
    return (
        select(Credential)
        .where(Credential.run_id == run.id)
        .order_by(Credential.holder_name, Credential.id)
    )


def list_credentials(
    *,
    words: str = "",
    state: str = "",
    course_id: int | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Select[Any]:
    """All certificates that fit, the newest first.

    words: parts of name, course or code. state: valid, revoked, expired or empty.
    """
    now = clock.now()
    found = (
        select(Credential)
        .options(joinedload(Credential.course))
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
    )
    for word in search_words(words):
        found = found.where(Credential.search_text.contains(word, autoescape=True))
    if state == "revoked":
        found = found.where(Credential.revoked_at.is_not(None))
    elif state == "expired":
        found = found.where(Credential.revoked_at.is_(None), Credential.valid_until <= now)
    elif state == "valid":
        found = found.where(
            Credential.revoked_at.is_(None),
            Credential.valid_until.is_(None) | (Credential.valid_until > now),
        )
    if course_id is not None:
        found = found.where(Credential.course_id == course_id)
    if first is not None:
        found = found.where(Credential.issued_at >= _utc(first, time.min))
    if last is not None:
        found = found.where(Credential.issued_at <= _utc(last, time.max))
    return found


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, UTC)


def courses_with_certificates() -> Sequence[Course]:
    """The courses of which certificates were issued."""
    return db.session.scalars(
        select(Course)
        .where(exists().where(Credential.course_id == Course.id))
        .order_by(Course.slug)
    ).all()


def is_certified(identifier: uuid.UUID) -> bool:
    """Whether certificates of this course were issued, or can be."""
    return bool(db.session.scalar(select(exists().where(Course.uuid == identifier))))


def get_published_course(identifier: uuid.UUID) -> Course:
    """The course that an achievement's address names. Raises NotFound."""
    course = db.session.scalar(
        select(Course).where(Course.uuid == identifier, Course.state == PublicationState.PUBLISHED)
    )
    if course is None:
        raise NotFound
    return course


def list_keys() -> Sequence[IssuerKey]:
    """All keys of the issuer, the oldest first."""
    return db.session.scalars(select(IssuerKey).order_by(IssuerKey.id)).all()


def count_by_key() -> dict[int, int]:
    """How many credentials were issued under each key."""
    rows = db.session.execute(select(Credential.key_id, func.count()).group_by(Credential.key_id))
    return dict(rows.all())


def find_key(kid: str) -> IssuerKey | None:
    """A key of the issuer by its name ("ed-2027-1")."""
    return db.session.scalar(select(IssuerKey).where(IssuerKey.kid == kid))


def find_signing_key(use: KeyUse = KeyUse.PROOF) -> IssuerKey | None:
    """The key that signs now, of a use."""
    return db.session.scalar(
        select(IssuerKey)
        .where(IssuerKey.retired_at.is_(None), IssuerKey.use == use)
        .order_by(IssuerKey.id.desc())
        .limit(1)
    )


def get_status_list(number: int) -> StatusList:
    """A status list by its number. Raises NotFound."""
    found = db.session.scalar(select(StatusList).where(StatusList.number == number))
    if found is None:
        raise NotFound
    return found


def is_officer(user: User) -> bool:
    """Whether the person acts for an association."""
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    OrganisationRole.user_id == user.id,
                    OrganisationRole.role.in_(
                        [OrganisationRoleName.OFFICER, OrganisationRoleName.MANAGER]
                    ),
                    Organisation.id == OrganisationRole.organisation_id,
                    Organisation.kind == OrganisationKind.ASSOCIATION,
                )
            )
        )
    )


def find_batch_of_request(user: User, repeat_key: str) -> VerificationBatch | None:
    """The batch that a program asked for under this key before."""
    return db.session.scalar(
        select(VerificationBatch).where(
            VerificationBatch.user_id == user.id, VerificationBatch.repeat_key == repeat_key
        )
    )


def get_batch(token: str, user: User) -> VerificationBatch:
    """A person's own batch that is still kept. Raises NotFound."""
    found = db.session.scalar(
        select(VerificationBatch).where(
            VerificationBatch.token == token,
            VerificationBatch.user_id == user.id,
            VerificationBatch.expires_at > clock.now(),
        )
    )
    if found is None:
        raise NotFound
    return found


def list_batches(user: User) -> Sequence[VerificationBatch]:
    """A person's newest batches, without their rows."""
    return db.session.scalars(
        select(VerificationBatch)
        .where(VerificationBatch.user_id == user.id, VerificationBatch.expires_at > clock.now())
        .options(
            load_only(
                VerificationBatch.token,
                VerificationBatch.state,
                VerificationBatch.total,
                VerificationBatch.created_at,
            )
        )
        .order_by(VerificationBatch.id.desc())
        .limit(10)
    ).all()


def find_verification_key(digest: str) -> VerificationKey | None:
    """The key of a program by its digest, with its person."""
    return db.session.scalar(
        select(VerificationKey)
        .where(VerificationKey.digest == digest)
        .options(joinedload(VerificationKey.user))
    )


def list_verification_keys(user: User) -> Sequence[VerificationKey]:
    """A person's keys that work, the newest first."""
    return db.session.scalars(
        select(VerificationKey)
        .where(VerificationKey.user_id == user.id, VerificationKey.revoked_at.is_(None))
        .order_by(VerificationKey.id.desc())
    ).all()


def get_verification_key(key_id: int, user: User) -> VerificationKey:
    """A person's own key. Raises NotFound."""
    found = db.session.get(VerificationKey, key_id)
    if found is None or found.user_id != user.id:
        raise NotFound
    return found


def list_subscriptions(user: User) -> Sequence[RevocationSubscription]:
    """A person's subscriptions that are told, the newest first."""
    return db.session.scalars(
        select(RevocationSubscription)
        .where(RevocationSubscription.user_id == user.id, RevocationSubscription.ended_at.is_(None))
        .order_by(RevocationSubscription.id.desc())
    ).all()


def get_subscription(identifier: uuid.UUID, user: User) -> RevocationSubscription:
    """A person's own subscription. Raises NotFound."""
    found = db.session.scalar(
        select(RevocationSubscription).where(
            RevocationSubscription.uuid == identifier, RevocationSubscription.user_id == user.id
        )
    )
    if found is None:
        raise NotFound
    return found


def active_subscription_ids() -> Sequence[int]:
    """The subscriptions that are told of a revocation."""
    return db.session.scalars(
        select(RevocationSubscription.id)
        .where(RevocationSubscription.ended_at.is_(None))
        .order_by(RevocationSubscription.id)
    ).all()


def revocations_after(
    after: tuple[datetime, int], before: datetime, limit: int
) -> Sequence[Credential]:
    """Revocations in their order, after one of them (its instant and id) and until an instant."""
    at, number = after
    return db.session.scalars(
        select(Credential)
        .where(
            or_(
                Credential.revoked_at > at,
                and_(Credential.revoked_at == at, Credential.id > number),
            ),
            Credential.revoked_at <= before,
        )
        .order_by(Credential.revoked_at, Credential.id)
        .limit(limit)
    ).all()
