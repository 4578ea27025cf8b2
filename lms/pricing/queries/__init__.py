"""Reads of tiers, amounts, contracts, proofs and quotes.

get_* raises NotFound, find_* may return None, list_* returns a select.
"""

from lms.pricing.queries.prices import (
    amounts_of,
    choice_of,
    contracts_of,
    find_quote,
    get_contract,
    get_run,
    list_contracts,
    list_requests,
    runs_with_gaps,
    runs_with_price,
)
from lms.pricing.queries.residence import facts_of, find_open_proof, get_proof, list_proofs
from lms.pricing.queries.tiers import (
    CountryTier,
    Policy,
    exceptions_on,
    get_exception,
    list_exceptions,
    policy,
    refuses_payment,
    tiers,
    tiers_of,
    today,
)

__all__ = [
    "CountryTier",
    "Policy",
    "amounts_of",
    "choice_of",
    "contracts_of",
    "exceptions_on",
    "facts_of",
    "find_open_proof",
    "find_quote",
    "get_contract",
    "get_exception",
    "get_proof",
    "get_run",
    "list_contracts",
    "list_exceptions",
    "list_proofs",
    "list_requests",
    "policy",
    "refuses_payment",
    "runs_with_gaps",
    "runs_with_price",
    "tiers",
    "tiers_of",
    "today",
]
