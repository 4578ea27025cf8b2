"""Many verifications at once: asked, worked off, kept for a few days, the same when asked again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice

import orjson
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import User
from lms.certificates import queries
from lms.certificates.codes import read_code
from lms.certificates.errors import AnotherRequest, LinkUnreadable, UploadUnreadable
from lms.certificates.models import BatchState, Credential, VerificationBatch
from lms.certificates.names import NameMatch, compare_names
from lms.certificates.services import keys, report, verify
from lms.certificates.services.batch_input import (
    Asked,
    count_rows,
    missing_files,
    read_files,
    read_names,
)
from lms.certificates.uploads import read_upload
from lms.certificates.verifier.outcome import State, Verdict
from lms.core import clock
from lms.core.db import db, transaction
from lms.core.outbox import enqueue

KEPT_FOR = timedelta(days=7)
CHUNK = 500  # codes a query
STEP = 10  # files between two notes of how far it is


def check_rows(rows: Sequence[Asked]) -> list[report.JSON]:
    """The verdict on each row, in the order given; one query for each 500 codes."""
    found: list[report.JSON] = []
    seen: list[Credential] = []
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        known = queries.find_by_codes({read_code(row.code) for row in part})
        for number, row in enumerate(part, start + 1):
            credential = known.get(read_code(row.code))
            verdict = verify.verify_credential(credential)
            line = report.row_of(verdict, number, row.code)
            if row.name and credential is not None:
                line["nameMatch"] = str(compare_names(row.name, credential.holder_name))
            found.append(line)
            if credential is not None:
                seen.append(credential)
    verify.note(seen, "many")
    return found


def _request_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _new(user: User, digest: str, repeat_key: str | None, total: int) -> VerificationBatch:
    return VerificationBatch(
        token=secrets.token_urlsafe(24),
        user_id=user.id,
        repeat_key=repeat_key,
        request_digest=digest,
        total=total,
        expires_at=clock.now() + KEPT_FOR,
    )


def _former(user: User, digest: str, repeat_key: str | None) -> VerificationBatch | None:
    """The batch that the same request made before. Raises AnotherRequest."""
    if repeat_key is None:
        return None
    found = queries.find_batch_of_request(user, repeat_key)
    if found is not None and found.request_digest != digest:
        raise AnotherRequest
    return found


def verify_table(
    user: User, rows: Sequence[Asked], repeat_key: str | None = None
) -> VerificationBatch:
    """Verify codes now. The same `repeat_key` gives the same batch. Raises AnotherRequest."""
    digest = _request_digest(orjson.dumps([[row.code, row.name] for row in rows]))
    former = _former(user, digest, repeat_key)
    if former is not None:
        return former
    made = _new(user, digest, repeat_key, len(rows))
    made.rows, made.done = check_rows(rows), len(rows)
    _finish(made)
    return _added(made, user, digest, repeat_key)


def verify_files(user: User, content: bytes, repeat_key: str | None = None) -> VerificationBatch:
    """Verify the files of a zip file, after commit, since issuers elsewhere may be asked.

    Raises TableUnreadable, TableTooLong, NamesUnreadable and AnotherRequest.
    """
    total = count_rows(content)
    digest = _request_digest(content)
    former = _former(user, digest, repeat_key)
    if former is not None:
        return former
    made = _new(user, digest, repeat_key, total)
    made.content = content
    added = _added(made, user, digest, repeat_key)
    if added is made:
        enqueue("certificates.verify_files", batch_id=made.id)
    return added


def _added(
    made: VerificationBatch, user: User, digest: str, repeat_key: str | None
) -> VerificationBatch:
    try:
        with db.session.begin_nested():
            db.session.add(made)
            db.session.flush()
    except IntegrityError:  # the same request came twice at the same time
        former = _former(user, digest, repeat_key)
        if former is None:
            raise
        return former
    return made


def _finish(batch: VerificationBatch) -> None:
    keys.signing_key()  # makes the first one on a site that has none
    batch.state, batch.content = BatchState.DONE, None
    batch.report = report.sign_report(batch.rows, clock.now())


def work_off(batch_id: int) -> None:
    """Verify the files of a batch in short transactions; begins anew when it was cut off."""
    with transaction(write=False):
        batch = db.session.get(VerificationBatch, batch_id)
        if batch is None or batch.content is None:
            return
        content = batch.content
    rows: list[report.JSON] = []
    names = read_names(content)
    known_as = {file.casefold(): name for file, name in names.items()}
    files = enumerate(read_files(content), 1)
    while part := list(islice(files, STEP)):
        checked = [(number, name, _check_file(data)) for number, (name, data) in part]
        with transaction():
            rows += [
                _row_of_file(number, name, verdict, known_as.get(name.casefold(), ""))
                for number, name, verdict in checked
            ]
            verify.note(_seen(verdict for *_file, verdict in checked), "many")
            batch = db.session.get_one(VerificationBatch, batch_id)
            batch.done = len(rows)
    missing = missing_files(content, names)
    rows += [_missing(number, name) for number, name in enumerate(missing, len(rows) + 1)]
    with transaction():
        batch = db.session.get_one(VerificationBatch, batch_id)
        batch.rows, batch.done = rows, len(rows)
        _finish(batch)


def _seen(verdicts: Iterable[Verdict | None]) -> list[Credential | None]:
    return [one for verdict in verdicts if verdict for one in verify.credentials_of(verdict)]


def _check_file(data: bytes | None) -> Verdict | None:
    try:
        return verify.verify_upload(read_upload(data or b""), waits=True)
    except (UploadUnreadable, LinkUnreadable):
        return None


def _row_of_file(number: int, name: str, verdict: Verdict | None, known_as: str) -> report.JSON:
    """One row; known_as: the name under which somebody knows the person, to be compared."""
    if verdict is None:
        return {"row": number, "shown": name, "state": "unreadable"}
    row = report.row_of(verdict, number, name)
    if known_as and verdict.state != State.ALTERED:
        row["nameMatch"] = str(_compare(known_as, verdict))
    return row


def _compare(known_as: str, verdict: Verdict) -> NameMatch:
    """The name with the one that is signed, of which nothing is told."""
    signed = verdict.claims.holder if verdict.claims else ""
    if verdict.credential is not None:
        signed = verdict.credential.holder_name
    return compare_names(known_as, signed) if signed else NameMatch.NOT_ENOUGH


def _missing(number: int, name: str) -> report.JSON:
    return {"row": number, "shown": name, "state": "missing"}


def forget_old() -> int:
    """Delete batches whose days are over; returns how many."""
    gone = db.session.execute(
        delete(VerificationBatch).where(VerificationBatch.expires_at < clock.now())
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def erase(user_id: int) -> None:
    """Delete what a person has had verified."""
    db.session.execute(delete(VerificationBatch).where(VerificationBatch.user_id == user_id))


def export(user_id: int) -> list[dict[str, object]]:
    """What a person has had verified, and when."""
    mine = select(VerificationBatch).where(VerificationBatch.user_id == user_id)
    return [
        {"created_at": batch.created_at, "state": batch.state, "rows": batch.rows}
        for batch in db.session.scalars(mine.order_by(VerificationBatch.created_at))
    ]
