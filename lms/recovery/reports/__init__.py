"""What cost recovery gives to reports."""

from __future__ import annotations

from lms.recovery.reports.balances import REPORTS as BALANCES
from lms.recovery.reports.entries import REPORTS as ENTRIES
from lms.recovery.reports.funds import REPORTS as FUNDS
from lms.recovery.reports.learners import REPORTS as LEARNERS
from lms.recovery.reports.mix import REPORTS as MIX
from lms.recovery.reports.money import REPORTS as MONEY
from lms.recovery.reports.weeks import REPORTS as WEEKS
from lms.reports.base import Report

REPORTS: list[Report] = [*MONEY, *WEEKS, *ENTRIES, *LEARNERS, *MIX, *BALANCES, *FUNDS]
