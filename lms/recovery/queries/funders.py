"""What a funder reads: figures alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, case, exists, func, select

from lms.accounts.models import User
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.places import country_name
from lms.core.settings import settings
from lms.core.text import in_language
from lms.courses.models import Course, CourseRun, Enrolment
from lms.payments.grant_models import OrderGrant
from lms.payments.models import DELIVERED, Order
from lms.recovery.models import FunderLink, FunderLook, FunderTable
from lms.recovery.queries import money
from lms.recovery.queries.money import Wanted
from lms.recovery.suppression import Row, safe_rows, together
from lms.scholarships.models import Application, ApplicationState, Fund


@dataclass(frozen=True)
class Shown:
    """A table as a funder sees it. rows: None when too few people stand in it.

    currency: of its amounts, None for a table of learners.
    """

    kind: FunderTable
    rows: list[Row] | None
    total: Row | None
    currency: str | None = None


def list_links() -> Select[*tuple[Any, ...]]:
    """Links for funders, the latest first."""
    found: Select[*tuple[Any, ...]] = select(FunderLink).order_by(FunderLink.id.desc())
    return found


def get_link(link_id: int) -> FunderLink:
    """A link. Raises NotFound."""
    link = db.session.get(FunderLink, link_id)
    if link is None:
        raise NotFound
    return link


def looks_of(links: Sequence[FunderLink]) -> dict[int, tuple[int, Any]]:
    """How often each link was looked at, and when last."""
    rows = db.session.execute(
        select(FunderLook.link_id, func.count(), func.max(FunderLook.at))
        .where(FunderLook.link_id.in_([link.id for link in links]))
        .group_by(FunderLook.link_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def tables_of(link: FunderLink) -> list[Shown]:
    """The tables of a link, with nothing under five people in them."""
    found: list[Shown] = []
    people = _learners(link)
    for name in link.tables:
        match FunderTable(name):
            case FunderTable.RUNS:
                found.append(_shown(FunderTable.RUNS, list(people["run"].values())))
            case FunderTable.COUNTRIES:
                found.append(_shown(FunderTable.COUNTRIES, list(people["country"].values())))
            case FunderTable.FUND if link.fund is not None:
                found.append(_fund(link, link.fund))
            case FunderTable.MONEY:
                found += _money(link, people["run"])
    return found


def _shown(kind: FunderTable, rows: list[Row], currency: str | None = None) -> Shown:
    safe = safe_rows(rows)
    return Shown(kind, safe, together(safe) if safe else None, currency)


def _learners(link: FunderLink) -> dict[str, dict[Any, Row]]:
    """Enrolled, started, completed, certified of those who enrolled in the link's days."""
    zone = settings().default_time_zone
    certified = (
        select(Credential.enrolment_id).where(Credential.revision == 1).distinct().subquery()
    )
    statement = (
        select(
            Enrolment.run_id,
            User.country,
            func.count(),
            func.count(Enrolment.last_seen_at),
            func.count(Enrolment.completed_at),
            func.sum(case((certified.c.enrolment_id.is_not(None), 1), else_=0)),
        )
        .join(User, User.id == Enrolment.user_id)
        .join(CourseRun, CourseRun.id == Enrolment.run_id)
        .outerjoin(certified, certified.c.enrolment_id == Enrolment.id)
        .where(
            Enrolment.enrolled_at >= clock.start_of_day(link.first, zone),
            Enrolment.enrolled_at < clock.start_of_day(link.last + timedelta(days=1), zone),
        )
        .group_by(Enrolment.run_id, User.country)
    )
    if link.course_id is not None:
        statement = statement.where(CourseRun.course_id == link.course_id)
    rows = db.session.execute(statement).all()
    labels = _run_labels({row[0] for row in rows})
    found: dict[str, dict[Any, Row]] = {"run": {}, "country": {}}
    for run_id, country, *counts in rows:
        one = tuple(int(count) for count in counts)
        words = country_name(country) if country else "–"
        for name, key, label in (("run", run_id, labels[run_id]), ("country", country, words)):
            known = found[name].get(key)
            sums = tuple(a + b for a, b in zip(known.counts, one, strict=True)) if known else one
            found[name][key] = Row(label, sums)
    return found


def _fund(link: FunderLink, fund: Fund) -> Shown:
    """Applied, awarded, enrolled, completed, and what the fund paid, of the link's days."""
    zone = settings().default_time_zone
    is_awarded = Application.percent.is_not(None)
    is_used = Application.state == ApplicationState.USED
    completed = exists().where(
        Enrolment.run_id == Application.run_id,
        Enrolment.user_id == Application.user_id,
        Enrolment.completed_at.is_not(None),
    )
    paid = func.coalesce(OrderGrant.amount_minor - OrderGrant.given_back_minor, 0)
    statement = (
        select(
            Application.run_id,
            func.count(),
            func.sum(case((is_awarded, 1), else_=0)),
            func.sum(case((is_used, 1), else_=0)),
            func.sum(case((is_used & completed, 1), else_=0)),
            func.sum(paid),
        )
        .join(CourseRun, CourseRun.id == Application.run_id)
        .outerjoin(
            OrderGrant,
            (OrderGrant.award_id == Application.id) & OrderGrant.booked_at.is_not(None),
        )
        .where(
            Application.fund_id == fund.id,
            Application.created_at >= clock.start_of_day(link.first, zone),
            Application.created_at < clock.start_of_day(link.last + timedelta(days=1), zone),
        )
        .group_by(Application.run_id)
    )
    if link.course_id is not None:
        statement = statement.where(CourseRun.course_id == link.course_id)
    found = db.session.execute(statement).all()
    labels = _run_labels({row[0] for row in found})
    rows = [
        Row(labels[run_id], tuple(int(one) for one in counts), (int(minor),))
        for run_id, *counts, minor in found
    ]
    return _shown(FunderTable.FUND, rows, fund.currency)


def _run_labels(ids: set[int]) -> dict[int, str]:
    rows = db.session.execute(
        select(CourseRun.id, Course.title, CourseRun.slug)
        .join(Course, Course.id == CourseRun.course_id)
        .where(CourseRun.id.in_(ids))
    )
    return {id_: f"{in_language(title)}, {slug}" for id_, title, slug in rows}


def _money(link: FunderLink, learners: dict[Any, Row]) -> list[Shown]:
    """Invoiced and collected by run, a table for each currency, hidden by who paid."""
    wanted = Wanted(
        first=money.month_of(link.first),
        last=money.month_of(link.last),
        course_id=link.course_id,
    )
    sums = db.session.execute(money.list_money(["product"], wanted)).mappings().all()
    sums = [row for row in sums if row["product"].startswith(money.RUN)]
    ids = {int(row["product"].partition(":")[2]) for row in sums}
    paying = {
        (row[0], row[1]): row[2]
        for row in db.session.execute(
            select(Order.run_id, Order.currency, func.sum(Order.quantity))
            .where(Order.run_id.in_(ids), Order.state.in_(DELIVERED), Order.total_minor > 0)
            .group_by(Order.run_id, Order.currency)
        )
    }
    labels = _run_labels(ids)
    by_currency: dict[str, list[Row]] = {}
    for row in sums:
        run_id = int(row["product"].partition(":")[2])
        count = paying.get((run_id, row["currency"]), 0)
        enrolled = learners[run_id].counts[0] if run_id in learners else count
        amounts = (int(row["invoiced"]), int(row["collected"]))
        # Money of nobody who is counted is money of somebody: one is not none.
        counts = (max(enrolled, count), count or 1)
        by_currency.setdefault(row["currency"], []).append(
            Row(labels.get(run_id, ""), counts, amounts)
        )
    return [
        _shown(FunderTable.MONEY, rows, currency) for currency, rows in sorted(by_currency.items())
    ]
