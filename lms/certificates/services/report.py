"""Signed reports of verifications: what was checked, when, and with which outcome.

A report is JSON with a Data Integrity proof of the suite eddsa-jcs-2022 by this site; whoever has
it can check it again, here or with any library that knows the suite.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from lms.certificates import data_integrity, queries
from lms.certificates.data_integrity import instant
from lms.certificates.models import Credential
from lms.certificates.open_badge import issuer_did, verification_method
from lms.certificates.services import keys
from lms.certificates.verifier.outcome import State, Verdict
from lms.core.errors import NotFound
from lms.core.settings import settings
from lms.core.text import harmless

JSON = dict[str, Any]
TYPE = "VerificationReport"
COLUMNS = (
    "row", "shown", "state", "nameMatch", "problem", "title", "hours", "startsOn", "endsOn",
    "issuedAt", "validUntil", "revokedAt", "revocationReason", "replacedBy", "issuer",
)  # fmt: skip


def row_of(verdict: Verdict, number: int, shown: str) -> JSON:
    """One row of a report; it never tells the holder's name. What is not known is left out.

    shown: the code as it was written, or the name of the file.
    """
    found: JSON = {"row": number, "shown": shown, "state": str(verdict.state)}
    if verdict.problem is not None:
        found["problem"] = str(verdict.problem)
    if verdict.checks:
        found["checks"] = {str(check): holds for check, holds in verdict.checks.items()}
    if verdict.credential is not None and verdict.state != State.ALTERED:
        found.update(_of_register(verdict.credential))
    if verdict.claims is not None:
        claims = verdict.claims
        said = {
            "issuer": claims.issuer,
            "id": claims.identifier,
            "title": claims.title,
            "hours": claims.hours,
            "issuedAt": claims.valid_from and instant(claims.valid_from),
            "validUntil": claims.valid_until and instant(claims.valid_until),
        }
        found.update({name: value for name, value in said.items() if value})
    if verdict.parts:
        found["certificates"] = [row_of(part, at, "") for at, part in enumerate(verdict.parts, 1)]
    return found


def _of_register(credential: Credential) -> JSON:
    facts = credential.facts
    successor = credential.superseded_by
    found = {
        "code": credential.code,
        "id": credential.uuid.urn,
        "issuer": issuer_did(),
        "title": credential.course_title,
        "hours": facts["course"]["hours"],
        "startsOn": facts["run"]["starts_on"],
        "endsOn": facts["run"]["ends_on"],
        "issuedAt": instant(credential.issued_at),
        "validUntil": credential.valid_until and instant(credential.valid_until),
        "revokedAt": credential.revoked_at and instant(credential.revoked_at),
        "revocationReason": credential.revocation_reason,
        "replacedBy": successor.code if successor else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a table that no spreadsheet takes for formulas; equal for equal rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (row.get(column, "") for column in COLUMNS)
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return "\ufeff" + text.getvalue()


def sign_report(rows: Sequence[JSON], at: datetime, **more: Any) -> str:
    """The signed report of rows that were checked at an instant.

    With the SHA-256 of the table that `as_csv` makes of the same rows, so that it is proven too.
    Raises NotFound on a site that has no key yet, IssuerKeyUnavailable.
    """
    key = queries.find_signing_key()
    if key is None:
        raise NotFound
    report = {
        "type": TYPE,
        "issuer": {"id": issuer_did(), "name": settings().site_name},
        "checkedAt": instant(at),
        "summary": summary(rows),
        "rows": list(rows),
        "csvSha256": hashlib.sha256(as_csv(rows).encode()).hexdigest(),
        **more,
    }
    method = verification_method(key.kid)
    signed = data_integrity.sign_plainly(report, keys.private_key(key), method, at)
    return orjson.dumps(signed, option=orjson.OPT_INDENT_2).decode()


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many rows there are of each state."""
    found: dict[str, int] = {}
    for row in rows:
        found[row["state"]] = found.get(row["state"], 0) + 1
    return dict(sorted(found.items()))


def is_report(document: Mapping[str, Any]) -> bool:
    """Whether a document is such a report."""
    return document.get("type") == TYPE and isinstance(document.get("rows"), list)
