"""The sums of who enrolled: made anew for runs in which something changed."""

from __future__ import annotations

from lms.core.rollups import recount
from lms.courses.queries.completions import MEASURES, SUMMED_BY, read_sums
from lms.courses.sum_models import EnrolmentMark, EnrolmentSum


def count_enrolments() -> int:
    """Make the sums of some marked runs anew; how many runs."""
    return recount(EnrolmentMark, EnrolmentSum, (*SUMMED_BY, *MEASURES), read_sums)
