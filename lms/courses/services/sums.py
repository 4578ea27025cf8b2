"""The sums of who enrolled: made anew for runs in which something changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert

from lms.core.db import db
from lms.core.rollups import recount
from lms.courses.queries.completions import MEASURES, SUMMED_BY, read_sums
from lms.courses.sum_models import EnrolmentMark, EnrolmentSum


def count_enrolments() -> int:
    """Make the sums of marked runs anew; how many runs."""
    return recount(EnrolmentMark, _count)


def _count(run_ids: Sequence[int]) -> None:
    db.session.execute(delete(EnrolmentSum).where(EnrolmentSum.run_id.in_(run_ids)))
    db.session.execute(
        insert(EnrolmentSum).from_select([*SUMMED_BY, *MEASURES], read_sums(run_ids))
    )
