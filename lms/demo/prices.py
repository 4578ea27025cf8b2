"""What the tiers pay for the demo's runs, as its managers would store it."""

from __future__ import annotations

from lms.accounts.models import User
from lms.core import clock
from lms.core.money import Money
from lms.courses.models import CourseRun
from lms.pricing.currencies import propose
from lms.pricing.income_groups import LIST_TIER
from lms.pricing.queries import amounts_of, tiers
from lms.pricing.services.amounts import set_amounts

# List price in each currency, and whether people of the list tier can pay in it, too.
CURRENCIES = (
    (Money(18_000, "CAD"), True),
    (Money(13_000, "USD"), True),
    (Money(90_000, "BOB"), False),
    (Money(48_000, "PEN"), False),
)


def ensure_prices(run: CourseRun, administrator: User) -> None:
    """Amounts of all tiers in four currencies, unless the run has some."""
    if amounts_of([run.id], clock.now()):
        return
    for list_price, for_all in CURRENCIES:
        amounts = {
            tier.name: propose(list_price, tier.percent)
            for tier in tiers()
            if for_all or tier.name != LIST_TIER
        }
        set_amounts(run, amounts, administrator)
