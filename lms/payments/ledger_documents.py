"""Orders and runs as the ledger's pages name them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.core.text import in_language
from lms.courses.models import CourseRun
from lms.ledger.checks import LedgerDocument


def _runs(keys: Iterable[str]) -> dict[str, str]:
    found = db.session.scalars(
        select(CourseRun)
        .where(CourseRun.id.in_(int(key) for key in keys))
        .options(joinedload(CourseRun.course))
    )
    return {str(run.id): f"{in_language(run.course.title)}, {run.slug}" for run in found}


DOCUMENTS = [
    LedgerDocument(
        "order",
        lambda keys: {key: key for key in keys},
        lambda key: url_for("payments.admin_orders", q=key),
    ),
    LedgerDocument("run", _runs, lambda key: url_for("payments.admin_orders", run=key)),
]
