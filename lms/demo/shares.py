"""Two institutions share the past run: an agreement they accepted, and a statement."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app
from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.registry import EXTENSION
from lms.courses.models import CourseRun
from lms.demo.people import ensure_role
from lms.directory.models import Organisation, OrganisationRoleName

SIGNED_BEFORE = timedelta(days=40)


def is_off() -> bool:
    """Whether the room partners is switched off."""
    return "partners" not in current_app.extensions[EXTENSION].names


def agree_on_shares(run: CourseRun, administrator: User, partner: User) -> None:
    """The southern partner gets 40 per cent net of tax, the northern one 20; both accept."""
    if is_off():
        return
    from lms.partners.models import Basis, RefundsBorneBy
    from lms.partners.services import agreements
    from lms.partners.shares import PartyTerms, Terms

    course = run.course
    [south] = course.partners
    signatories = ((south, partner), (course.owner, administrator))
    for organisation, manager in signatories:
        ensure_role(manager, organisation, OrganisationRoleName.MANAGER)
    terms = Terms(
        Basis.NET,
        RefundsBorneBy.ALL,
        run.price.currency if run.price else "CAD",
        [
            PartyTerms(south.id, percent_hundredths=4_000),
            PartyTerms(course.owner.id, percent_hundredths=2_000),
        ],
    )
    with clock.set_to(run.starts_at - SIGNED_BEFORE):
        day = agreements.today()
        version = agreements.write_agreement(course, None, terms, day, administrator)
        for _organisation, manager in signatories:
            agreements.sign(version, manager)


def state_shares(run: CourseRun, administrator: User) -> None:
    """The southern partner accepts the statement of the first month of the run."""
    if is_off():
        return
    from lms.partners import queries
    from lms.partners.errors import NothingToState
    from lms.partners.services import statements

    south = db.session.scalars(
        select(Organisation).where(Organisation.id.in_([one.id for one in run.course.partners]))
    ).one()
    currency = run.price.currency if run.price else "CAD"
    try:
        statement = statements.send_statement(
            south, currency, f"{run.starts_on + timedelta(days=6):%Y-%m}", administrator
        )
    except NothingToState:
        return
    [manager, *_others] = queries.managers_of(south.id)
    statements.accept(statement, manager)
