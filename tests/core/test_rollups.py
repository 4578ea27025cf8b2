"""A period is divided into whole months and what mends them, to the instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lms.core.rollups import split_months

instants = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)


def counts(at: datetime, since: datetime | None, until: datetime | None) -> int:
    """How often an instant is counted by the parts of a period."""
    span = split_months(since, until)
    month = f"{at:%Y-%m}"
    found = 0
    if span.has_months:
        found += (span.first is None or span.first <= month) and (
            span.last is None or month <= span.last
        )
    return found + sum(edge.sign for edge in span.edges if edge.since <= at < edge.until)


@given(st.none() | instants, st.none() | instants, instants)
def test_each_instant_of_a_period_counts_once_and_others_never(since, until, at):
    if since and until and until < since:
        since, until = until, since
    edges = [one for one in (since, until) if one]
    near = [one + step for one in edges for step in (timedelta(0), -timedelta(microseconds=1))]
    for moment in (at, *near):
        is_inside = (since is None or since <= moment) and (until is None or moment < until)

        assert counts(moment, since, until) == is_inside


def test_a_month_that_is_nearly_whole_is_read_as_a_whole():
    span = split_months(datetime(2027, 1, 1, 4, tzinfo=UTC), datetime(2027, 4, 1, 3, tzinfo=UTC))

    assert (span.first, span.last) == ("2027-01", "2027-03")
    assert [(edge.until - edge.since, edge.sign) for edge in span.edges] == [
        (timedelta(hours=4), -1),
        (timedelta(hours=3), 1),
    ]
