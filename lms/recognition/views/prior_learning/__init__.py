"""Pages of prior learning: what a course offers, portfolios, assessing."""

from __future__ import annotations

from lms.recognition.views.prior_learning import (  # noqa: F401
    assessing,
    evidence,
    fees,
    offers,
    portfolio,
    words,
)
