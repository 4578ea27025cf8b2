"""Reads of layouts."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.certificates.layout_models import CertificateLayout, OutcomeAlignment
from lms.core.db import db
from lms.core.errors import NotFound


def get_layout(key: uuid.UUID, *, deleted: bool = False) -> CertificateLayout:
    """A layout by its UUID; deleted: also one that was deleted. Raises NotFound."""
    found = db.session.scalar(
        select(CertificateLayout)
        .where(CertificateLayout.uuid == key)
        .options(joinedload(CertificateLayout.organisation))
    )
    if found is None or (found.deleted_at is not None and not deleted):
        raise NotFound
    return found


def alignments_of(course_id: int) -> list[OutcomeAlignment]:
    """What the outcomes of a course answer to elsewhere, in their order."""
    return list(
        db.session.scalars(
            select(OutcomeAlignment)
            .where(OutcomeAlignment.course_id == course_id)
            .order_by(OutcomeAlignment.outcome, OutcomeAlignment.id)
        )
    )


def get_alignment(course_id: int, alignment_id: int) -> OutcomeAlignment:
    """One of them. Raises NotFound."""
    found = db.session.get(OutcomeAlignment, alignment_id)
    if found is None or found.course_id != course_id:
        raise NotFound
    return found
