from __future__ import annotations

from datetime import timedelta
from typing import Any

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.directory.models import Organisation, OrganisationRole
from lms.pricing.models import OrganisationContract, TierPrice
from lms.pricing.services.amounts import set_amounts
from lms.pricing.services.contracts import ContractTerms, make_contract
from lms.pricing.services.tiers import ensure_tiers
from tests.factories.directory import make_organisation


def make_tiers() -> None:
    """The tiers and exceptions of a new installation."""
    ensure_tiers()
    db.session.commit()


def make_amounts(run: CourseRun, currency: str = "CAD", **minor: Any) -> list[TierPrice]:
    """Stored amounts of a run, by tier; starts_on and early_until as `set_amounts` takes them."""
    dates = {name: minor.pop(name) for name in ("starts_on", "early_until") if name in minor}
    amounts = {tier: Money(value, currency) for tier, value in minor.items()}
    rows = set_amounts(run, amounts, None, **dates)
    db.session.commit()
    return rows


def make_role(user: User, organisation: Organisation | None = None, **values: Any) -> Organisation:
    """A role of the person in an organisation, of this country unless it is given."""
    organisation = organisation or make_organisation(**values)
    db.session.add(OrganisationRole(organisation=organisation, user=user, role="member"))
    db.session.commit()
    return organisation


def make_agreement(organisation: Organisation, **terms: Any) -> OrganisationContract:
    """A contract of an organisation that holds since last week."""
    terms.setdefault("valid_from", clock.now().date() - timedelta(days=7))
    row = make_contract(organisation, ContractTerms(**terms), None)
    db.session.commit()
    return row
