"""Scholarships in words."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext, lazy_pgettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lms.core.db import db
from lms.core.places import country_name
from lms.core.text import in_language
from lms.courses.models import Course, CourseRun
from lms.directory.models import Organisation
from lms.pricing.forms import TIER_LABELS
from lms.pricing.income_groups import IncomeGroup
from lms.scholarships.models import ApplicationState, Fund
from lms.scholarships.views import bp

STATES = {
    ApplicationState.ASKED: (lazy_pgettext("scholarship", "Waits for a decision"), "warning"),
    ApplicationState.AWARDED: (lazy_pgettext("scholarship", "Awarded"), "success"),
    ApplicationState.DECLINED: (lazy_pgettext("scholarship", "Declined"), "neutral"),
    ApplicationState.WITHDRAWN: (lazy_pgettext("scholarship", "Withdrawn"), "neutral"),
    ApplicationState.EXPIRED: (lazy_pgettext("scholarship", "Expired"), "neutral"),
    ApplicationState.USED: (lazy_pgettext("scholarship", "Used"), "success"),
}
ANONYMOUS = lazy_gettext("somebody who wants to stay unnamed")


@bp.app_template_filter("scholarship_state")
def scholarship_state(state: str) -> tuple[str, str]:
    """Where an application stands: words, and the kind of badge."""
    words, kind = STATES[ApplicationState(state)]
    return str(words), kind


@bp.app_template_filter("scholarship_day")
def scholarship_day(text: str) -> date:
    """A day as messages carry it, ISO 8601."""
    return date.fromisoformat(text)


@bp.app_template_filter("donor_words")
def donor_words(fund: Fund) -> str:
    """Who gave the money, as far as everybody may know."""
    return str(_("Given by %(donor)s.", donor=fund.public_donor or ANONYMOUS))


@bp.app_template_filter("criteria_words")
def criteria_words(fund: Fund) -> list[str]:
    """Who may apply and for what, a sentence each; nothing where everybody may for everything."""
    found, lines = fund.criteria, []
    if found.countries:
        names = sorted(country_name(code) for code in found.countries)
        lines.append(_("You live in: %(countries)s.", countries=", ".join(names)))
    if found.tiers:
        tiers = [str(TIER_LABELS[IncomeGroup(tier)]) for tier in found.tiers]
        lines.append(_("Your country’s tier is: %(tiers)s.", tiers=", ".join(tiers)))
    if found.organisations:
        rows = db.session.scalars(
            select(Organisation).where(Organisation.id.in_(found.organisations))
        )
        names = sorted(in_language(row.name) for row in rows)
        lines.append(_("You belong to: %(organisations)s.", organisations=", ".join(names)))
    if found.courses or found.runs:
        named = ", ".join(_course_names(fund))
        lines.append(_("The course is one of these: %(courses)s.", courses=named))
    if found.least_hours:
        lines.append(_("The course has at least %(hours)s hours.", hours=found.least_hours))
    return lines


def _course_names(fund: Fund) -> list[str]:
    found = fund.criteria
    courses = db.session.scalars(select(Course).where(Course.id.in_(found.courses)))
    runs = db.session.scalars(
        select(CourseRun).where(CourseRun.id.in_(found.runs)).options(joinedload(CourseRun.course))
    )
    names = [in_language(course.title) for course in courses]
    return sorted(names + [f"{in_language(run.course.title)}, {run.slug}" for run in runs])
