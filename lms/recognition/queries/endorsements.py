"""Reads of associations' keys and endorsements."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import Course
from lms.directory.models import Organisation
from lms.recognition.models import BodyKey, BodyStatusList, Endorsement, PriorLearningOffer


def list_body_keys(association: Organisation) -> Sequence[BodyKey]:
    """The association's keys, the oldest first."""
    return db.session.scalars(
        select(BodyKey).where(BodyKey.association_id == association.id).order_by(BodyKey.id)
    ).all()


def get_body_key(association: Organisation, key_id: int) -> BodyKey:
    """One of the association's keys. Raises NotFound."""
    found = db.session.get(BodyKey, key_id)
    if found is None or found.association_id != association.id:
        raise NotFound
    return found


def find_body_status_list(association: Organisation) -> BodyStatusList | None:
    """The status list of the association's endorsements."""
    return db.session.scalar(
        select(BodyStatusList).where(BodyStatusList.association_id == association.id)
    )


def list_endorsements(association: Organisation) -> Select[Endorsement]:
    """The association's endorsements, the newest first."""
    return (
        select(Endorsement)
        .where(Endorsement.association_id == association.id)
        .options(
            joinedload(Endorsement.provider),
            joinedload(Endorsement.course),
            joinedload(Endorsement.key),
        )
        .order_by(Endorsement.id.desc())
    )


def get_endorsement(association: Organisation, endorsement_id: int) -> Endorsement:
    """One of the association's endorsements. Raises NotFound."""
    found = db.session.get(Endorsement, endorsement_id)
    if found is None or found.association_id != association.id:
        raise NotFound
    return found


def get_published_endorsement(identifier: uuid.UUID) -> Endorsement:
    """An endorsement by its public number. Raises NotFound."""
    found = db.session.scalar(select(Endorsement).where(Endorsement.uuid == identifier))
    if found is None:
        raise NotFound
    return found


def _shown(where: object, at: datetime) -> list[Endorsement]:
    found = db.session.scalars(
        select(Endorsement)
        .where(where)  # type: ignore[arg-type]
        .options(joinedload(Endorsement.association), joinedload(Endorsement.key))
        .order_by(Endorsement.id)
    )
    return [one for one in found if one.holds(at)]


def endorsements_of_course(course: Course, at: datetime) -> list[Endorsement]:
    """What holds at an instant for a course and for those who give it."""
    providers = {course.owner_id, *(partner.id for partner in course.partners)}
    return _shown((Endorsement.course_id == course.id) | Endorsement.provider_id.in_(providers), at)


def found_for_course_page(course: Course, at: datetime) -> tuple[list[Endorsement], bool]:
    """What the course's public page shows, in one read: who endorses it and those who give it, and
    whether it takes requests for prior learning."""
    providers = {course.owner_id, *(partner.id for partner in course.partners)}
    rows = db.session.execute(
        select(Endorsement, PriorLearningOffer.is_open)
        .select_from(Course)
        .outerjoin(PriorLearningOffer, PriorLearningOffer.course_id == Course.id)
        .outerjoin(
            Endorsement,
            (Endorsement.course_id == Course.id) | Endorsement.provider_id.in_(providers),
        )
        .where(Course.id == course.id)
        .options(joinedload(Endorsement.association), joinedload(Endorsement.key))
        .order_by(Endorsement.id)
    ).all()
    shown = [row[0] for row in rows if row[0] is not None and row[0].holds(at)]
    return shown, any(row[1] for row in rows)


def endorsements_of_provider(provider: Organisation, at: datetime) -> list[Endorsement]:
    """What holds at an instant for a provider."""
    return _shown(Endorsement.provider_id == provider.id, at)


def endorsements_by_uuid(identifiers: Iterable[uuid.UUID], at: datetime) -> list[Endorsement]:
    """Those of the named endorsements that hold at an instant."""
    return _shown(Endorsement.uuid.in_(list(identifiers)), at)


def foreign_endorsements() -> Sequence[int]:
    """Numbers of the endorsements that associations signed elsewhere and have not ended."""
    return db.session.scalars(
        select(Endorsement.id)
        .where(Endorsement.key_id.is_(None), Endorsement.revoked_at.is_(None))
        .order_by(Endorsement.checked_at)
    ).all()
