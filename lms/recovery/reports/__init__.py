"""What cost recovery gives to reports."""

from __future__ import annotations

from lms.recovery.reports.money import REPORTS as MONEY
from lms.reports.base import Report

REPORTS: list[Report] = [*MONEY]
