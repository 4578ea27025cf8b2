"""Work after commit: issuing later, drawing the PDF, signing the status lists again."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from lms.accounts.models import User
from lms.certificates import queries
from lms.certificates.badge_api import clients, connections, offers
from lms.certificates.credential_formats.base import credential_formats
from lms.certificates.errors import CannotDraw
from lms.certificates.models import Credential, KeyUse
from lms.certificates.services import batch, keys, programs, status
from lms.certificates.services.issue import issue_for_completion
from lms.certificates.services.signing import sign_token
from lms.core.db import db, transaction
from lms.core.files import keep_file
from lms.core.outbox import Job
from lms.courses.models import Enrolment
from lms.notifications.services import tell

MOST_TOKENS = 1000  # in one go, at three milliseconds each


def issue(enrolment_id: int) -> None:
    """Issue what could not be issued when the course was completed."""
    enrolment = db.session.get(Enrolment, enrolment_id)
    if enrolment is not None:
        issue_for_completion(enrolment)


def draw_pdf(credential_id: int) -> None:
    """Draw the PDF of a certificate, outside of the database's write lock."""
    with transaction():
        keys.signing_key(KeyUse.SEAL)  # the first one is made here
    with transaction(write=False):
        credential = queries.get_credential(credential_id)
        if credential.pdf_file_id is not None or credential.user.closed_at is not None:
            return
        name = f"{credential.code}.pdf"
        try:
            content, problem = credential_formats["pdf"].make(credential), None
        except CannotDraw as error:
            content, problem = b"", error.problem
    with transaction():
        credential = queries.get_credential(credential_id)
        if problem is not None:
            _tell_administrators(credential, problem)
        elif credential.pdf_file_id is None:
            credential.pdf_file = keep_file(content, name, None, credential.user_id)
            credential.pdf_problem = None
            digest = hashlib.sha256(content).hexdigest()
            if digest not in credential.pdf_digests:
                credential.pdf_digests = [*credential.pdf_digests, digest]


def _tell_administrators(credential: Credential, problem: str) -> None:
    is_news = credential.pdf_problem != problem
    credential.pdf_problem = problem
    if not is_news:
        return
    administrators = select(User).where(User.is_administrator)
    for administrator in db.session.scalars(administrators).all():
        tell(
            administrator,
            "certificates.not_drawn",
            code=credential.code,
            credential_id=credential.id,
            problem=problem,
        )


def sign_status_lists() -> None:
    """Sign again the lists whose signature is a day old, long before it ends."""
    status.sign_again()


def sign_missing_tokens() -> None:
    """Sign tokens of certificates that were issued before there were any."""
    for credential in queries.list_without_token(MOST_TOKENS):
        credential.token = sign_token(credential, credential.document)
        if credential.public_document is not None:
            credential.public_token = sign_token(credential, credential.public_document)
    db.session.flush()


def forget_connections() -> None:
    """Delete tokens that open nothing any more, ended connections, offers that are over, and
    clients without any connection."""
    connections.forget_old()
    offers.forget_old()
    clients.forget_unused()


JOBS = [
    Job("certificates.issue", issue, retries=30, pause=60),
    Job("certificates.draw_pdf", draw_pdf, writes=False),
    Job("certificates.sign_missing_tokens", sign_missing_tokens, every="37 * * * *"),
    Job("certificates.verify_files", batch.work_off, writes=False),
    Job("certificates.forget_batches", batch.forget_old, every="41 4 * * *"),
    Job("certificates.forget_connections", forget_connections, every="47 4 * * *"),
    Job("certificates.tell_subscriber", programs.tell_subscriber, retries=12, writes=False),
    Job("certificates.sign_status_lists", sign_status_lists, every="23 * * * *"),
]
