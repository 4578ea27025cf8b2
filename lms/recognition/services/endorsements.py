"""Endorsements: an association's signed word for a provider or a course.

Open Badges 3.0, EndorsementCredential with an EndorsementSubject. Signed here with the
association's own key, or elsewhere with tools of its own and handed in.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import User
from lms.certificates.data_integrity import CREDENTIALS_V2, OPEN_BADGES_3, instant, sign
from lms.certificates.errors import LinkUnreadable, UploadUnreadable
from lms.certificates.json_text import BadJson
from lms.certificates.open_badge import to_text
from lms.certificates.services import status as lists
from lms.certificates.uploads import Upload, read_text
from lms.certificates.verifier import judge, proofs
from lms.certificates.verifier.claims import instant_of, issuer_of
from lms.certificates.verifier.outcome import CannotCheck, Refused, State, Verdict
from lms.core import audit, clock
from lms.core.db import db
from lms.core.settings import settings
from lms.core.text import in_language
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.errors import EndorsementEnded, EndorsementRefused
from lms.recognition.models import BodyKey, BodyStatusList, Endorsement
from lms.recognition.services.body_keys import (
    body_did,
    identity_of,
    key_address,
    open_key,
    signing_key,
)

LARGEST = 64 * 1024  # signs of an endorsement from elsewhere
LONGEST_COMMENT = 2_000


def address_of(endorsement_uuid: uuid.UUID) -> str:
    """Where an endorsement signed here can be fetched; it is its `id` too."""
    return f"{settings().base_url}/endorsements/{endorsement_uuid}"


def status_address(association: Organisation) -> str:
    """The address of the association's status list."""
    return f"{settings().base_url}/bodies/{association.slug}/status"


def subject_id(subject: Course | Organisation) -> str:
    """By which name certificates know a course or a provider (`achievement.id`, `creator.id`)."""
    if isinstance(subject, Course):
        return f"{settings().base_url}/achievements/{subject.uuid}"
    return subject.uuid.urn


def endorse(
    association: Organisation,
    actor: User,
    subject: Course | Organisation,
    *,
    comment: str,
    language: str,
    first_day: date,
    last_day: date | None,
    passphrase: str,
) -> Endorsement:
    """Sign an endorsement with the association's key. Raises NoBodyKey and WrongPassphrase."""
    key = signing_key(association)
    private = open_key(key, passphrase)
    now = clock.now().replace(microsecond=0)
    listed = _status_list(association)
    identifier = uuid.uuid4()
    starts_at = clock.start_of_day(first_day, "UTC")
    ends_at = clock.end_of_day(last_day, "UTC") if last_day else None
    index = _draw_index(association)
    document: dict[str, Any] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
        "id": address_of(identifier),
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": _name(subject, language),
        "issuer": _profile(association, language),
        "validFrom": instant(starts_at),
        "awardedDate": instant(now),
        "credentialSubject": {
            "id": subject_id(subject),
            "type": ["EndorsementSubject"],
            "endorsementComment": comment,
        },
        "credentialStatus": lists.status_entry(status_address(association), index),
    }
    if ends_at is not None:
        document["validUntil"] = instant(ends_at)
    text = to_text(sign(document, private, key_address(key), now))
    _sign_list(listed, association, key, private)
    made = Endorsement(
        uuid=identifier,
        association=association,
        identifier=document["id"],
        issuer=body_did(association),
        comment=comment,
        language=language,
        starts_at=starts_at,
        ends_at=ends_at,
        document=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        key=key,
        status_index=index,
        state=State.VALID,
        checked_at=now,
        made_by_id=actor.id,
        **_about(subject),
    )
    db.session.add(made)
    audit.record("recognition.endorse", made, actor.id, about=subject_id(subject))
    return made


def _about(subject: Course | Organisation) -> dict[str, Any]:
    return {"course": subject} if isinstance(subject, Course) else {"provider": subject}


def _name(subject: Course | Organisation, language: str) -> str:
    return in_language(subject.title if isinstance(subject, Course) else subject.name, language)


def _profile(association: Organisation, language: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": body_did(association),
        "type": ["Profile"],
        "name": in_language(association.name, language),
    }
    if association.website and association.website.startswith(("http://", "https://")):
        found["url"] = association.website
    return found


def _draw_index(association: Organisation) -> int:
    taken = set(
        db.session.scalars(
            select(Endorsement.status_index).where(Endorsement.association_id == association.id)
        )
    )
    while True:
        index = secrets.randbelow(lists.SIZE)
        if index not in taken:
            return index


def _status_list(association: Organisation) -> BodyStatusList:
    """The association's list, locked until the end of the transaction."""
    found = db.session.scalar(
        select(BodyStatusList)
        .where(BodyStatusList.association_id == association.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        found = BodyStatusList(association_id=association.id, bits=bytes(lists.SIZE // 8))
    return found


def _sign_list(
    listed: BodyStatusList, association: Organisation, key: BodyKey, private: Any
) -> None:
    now = clock.now().replace(microsecond=0)
    did = body_did(association)
    document = lists.describe_list(status_address(association), did, listed.bits, now)
    listed.document = to_text(sign(document, private, key_address(key), now))
    listed.signed_at = now
    db.session.add(listed)
    db.session.flush()


def sign_list_again(association: Organisation, key: BodyKey, passphrase: str) -> None:
    """Sign the list with a new key, so that it verifies when the former one is withdrawn."""
    if queries.find_body_status_list(association) is not None:
        listed = _status_list(association)
        _sign_list(listed, association, key, open_key(key, passphrase))


@dataclass(frozen=True)
class Foreign:
    """An endorsement signed elsewhere, as it was found when it was verified."""

    text: str
    identifier: str
    issuer: str
    comment: str
    starts_at: datetime
    ends_at: datetime | None
    verdict: Verdict


def read_foreign(subject: Course | Organisation, text: str) -> Foreign:
    """Verify an endorsement that was signed elsewhere: JSON with a proof, or a token.

    It may take seconds and keeps nothing. Raises EndorsementRefused, which says what is wrong.
    """
    upload = _read(text)
    document = upload.token.document if upload.token else upload.document
    assert document is not None  # a code is no endorsement: see _read
    verdict = judge.judge(document, upload.token, clock.now(), waits=True)
    return Foreign(
        text=text.strip(),
        identifier=str(document.get("id")),
        issuer=issuer_of(document),
        comment=_comment(document, subject, verdict),
        starts_at=_instant(document, "validFrom") or verdict.checked_at,
        ends_at=_instant(document, "validUntil"),
        verdict=verdict,
    )


def keep_foreign(
    association: Organisation, actor: User, subject: Course | Organisation, found: Foreign
) -> Endorsement:
    """Keep what was verified. Raises EndorsementRefused when it is there already."""
    made = Endorsement(
        association=association,
        identifier=found.identifier,
        issuer=found.issuer,
        comment=found.comment,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        document=found.text,
        sha256=hashlib.sha256(found.text.encode()).hexdigest(),
        state=found.verdict.state,
        problem=found.verdict.problem,
        checked_at=found.verdict.checked_at,
        made_by_id=actor.id,
        **_about(subject),
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise EndorsementRefused(
            lazy_gettext("This endorsement stands in your list already.")
        ) from None
    audit.record("recognition.take_endorsement", made, actor.id, issuer=made.issuer)
    return made


def _read(text: str) -> Upload:
    unreadable = EndorsementRefused(
        lazy_gettext("This is no signed endorsement: JSON with a proof, or a JWT.")
    )
    if len(text) > LARGEST or not text.strip().startswith(("{", "ey")):
        raise unreadable
    try:
        upload = read_text(text)
    except (UploadUnreadable, LinkUnreadable, BadJson):
        raise unreadable from None
    if upload.document is None and upload.token is None:
        raise unreadable
    return upload


def _instant(document: Any, member: str) -> datetime | None:
    found = instant_of(document.get(member))
    return found.astimezone(UTC) if found else None


def _comment(document: Any, subject: Course | Organisation, verdict: Verdict) -> str:
    """What it says, when it is an endorsement of the very thing and verifies."""
    types, said = document.get("type"), document.get("credentialSubject")
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    is_endorsement = (
        isinstance(types, list)
        and "EndorsementCredential" in types
        and isinstance(said, dict)
        and "EndorsementSubject" in (said.get("type") or [])
        and isinstance(document.get("id"), str)
    )
    if not is_endorsement:
        raise EndorsementRefused(
            lazy_gettext("This is no EndorsementCredential of Open Badges 3.0 with an id.")
        )
    if said.get("id") != subject_id(subject):
        raise EndorsementRefused(
            lazy_gettext(
                "It endorses something else. Its credentialSubject.id has to be %(id)s.",
                id=subject_id(subject),
            )
        )
    if verdict.state not in (State.VALID, State.EARLY):
        raise EndorsementRefused(_REFUSALS.get(verdict.state, _REFUSALS[State.UNCHECKED]))
    comment = said.get("endorsementComment")
    return " ".join(comment.split())[:LONGEST_COMMENT] if isinstance(comment, str) else ""


_REFUSALS = {
    State.ALTERED: lazy_gettext("Its signature does not fit what it says."),
    State.REVOKED: lazy_gettext("It was revoked."),
    State.EXPIRED: lazy_gettext("It has expired."),
    State.UNCHECKED: lazy_gettext(
        "It could not be checked: the key, the status list or a context of it is out of reach or"
        " of an unknown kind. Try again later."
    ),
}


def revoke(endorsement: Endorsement, actor: User, reason: str, passphrase: str) -> None:
    """Take an endorsement back.

    What was signed here is set in the association's signed list; what was signed elsewhere is no
    longer shown here, and its issuer revokes it there. Raises EndorsementEnded, NoBodyKey and
    WrongPassphrase.
    """
    if endorsement.revoked_at is not None:
        raise EndorsementEnded
    association = endorsement.association
    if endorsement.status_index is not None:
        key = signing_key(association)
        private = open_key(key, passphrase)
        listed = _status_list(association)
        listed.bits = lists.with_bit(listed.bits, endorsement.status_index)
        _sign_list(listed, association, key, private)
    endorsement.revoked_at = clock.now()
    endorsement.revocation_reason = reason
    endorsement.state = State.REVOKED
    audit.record("recognition.revoke_endorsement", endorsement, actor.id)


def keep_verdict(endorsement: Endorsement, verdict: Verdict) -> None:
    """Note what the last verification found: what does not verify is not shown."""
    endorsement.state = verdict.state
    endorsement.problem = verdict.problem
    endorsement.checked_at = verdict.checked_at
    db.session.flush()


def verify_again(endorsement: Endorsement) -> Verdict:
    """Verify once more, as any verifier would; over the network when it was signed elsewhere."""
    now = clock.now()
    if endorsement.key is None:
        try:
            upload = _read(endorsement.document)
        except EndorsementRefused:
            return Verdict(State.ALTERED, now)
        document = upload.token.document if upload.token else upload.document
        assert document is not None
        return judge.judge(document, upload.token, now, waits=True)
    association = endorsement.association
    document = json.loads(endorsement.document)
    try:
        proofs.prove_document(document, lambda _identity, _key: identity_of(association))
    except Refused:
        return Verdict(State.ALTERED, now)
    except CannotCheck as reason:
        return Verdict(State.UNCHECKED, now, problem=reason.problem)
    if endorsement.revoked_at is not None:
        return Verdict(State.REVOKED, now)
    is_over = endorsement.ends_at is not None and endorsement.ends_at <= now
    return Verdict(State.EXPIRED if is_over else State.VALID, now)
