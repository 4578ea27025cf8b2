"""Funds as the ledger's pages name them."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from sqlalchemy import select

from lms.core.db import db
from lms.core.text import in_language
from lms.ledger.checks import LedgerDocument
from lms.scholarships.models import Fund


def _labels(keys: Iterable[str]) -> dict[str, str]:
    found = db.session.scalars(select(Fund).where(Fund.key.in_(list(keys))))
    return {fund.key: in_language(fund.name) for fund in found}


DOCUMENTS = [
    LedgerDocument("fund", _labels, lambda key: url_for("scholarships.admin_fund", key=key))
]
