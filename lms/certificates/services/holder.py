"""What holders decide about their certificates, and what stays when they leave."""

from __future__ import annotations

from sqlalchemy import select

from lms.certificates import facts as register
from lms.certificates.errors import AlreadyRevoked
from lms.certificates.models import Credential, initials
from lms.certificates.services.signing import sign_all, sign_document, sign_public
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.core.text import fold, in_language


def choose_shown(credential: Credential, *, shows_name: bool, shows_grade: bool) -> None:
    """Show strangers the full name or initials, and the grade or none; what they get is signed
    anew without what is hidden.

    Raises IssuerKeyUnavailable.
    """
    if (credential.shows_name, credential.shows_grade) != (shows_name, shows_grade):
        credential.shows_name, credential.shows_grade = shows_name, shows_grade
        sign_public(credential)
    db.session.flush()


def choose_languages(credential: Credential, first: str, second: str | None) -> None:
    """Put the certificate into another language, or into two: it is signed and drawn anew.

    The files that the holder has already go on being verifiable. Raises AlreadyRevoked and
    IssuerKeyUnavailable.
    """
    if credential.is_revoked:
        raise AlreadyRevoked
    second = second if second != first else None
    if (credential.language, credential.second_language) == (first, second):
        return
    facts = credential.facts
    credential.language, credential.second_language = first, second
    credential.course_title = in_language(facts["course"]["title"], first)
    credential.search_text = fold(
        f"{credential.holder_name} {credential.course_title} {credential.code}"
    )
    sign_all(credential, credential.user.email)
    _remove_pdf(credential)
    db.session.flush()
    enqueue("certificates.draw_pdf", credential_id=credential.id)


def erase(user_id: int) -> None:
    """Keep what verifies and forget who it was: initials in the register, a document without a
    name, no PDF.

    The files that the person has at home go on being verifiable.
    """
    mine = select(Credential).where(Credential.user_id == user_id)
    for credential in db.session.scalars(mine).all():
        short = initials(credential.holder_name)
        facts = credential.facts
        facts["holder"] = {**facts["holder"], "name": short}
        credential.facts_text = register.to_text(facts)
        credential.holder_name = short
        credential.search_text = fold(f"{credential.course_title} {credential.code}")
        signed = sign_document(
            credential, None, names_holder=False, tells_grade=credential.shows_grade
        )
        credential.document = credential.public_document = signed.document
        credential.token = credential.public_token = signed.token
        credential.shows_name = False
        _remove_pdf(credential)
    db.session.flush()


def _remove_pdf(credential: Credential) -> None:
    file = credential.pdf_file
    if file is None:
        return
    credential.pdf_file = None
    db.session.flush()
    db.session.delete(file)
    enqueue("accounts.remove_bytes", path=file.path)


def export(user_id: int) -> list[dict[str, object]]:
    """A person's certificates with their signed documents."""
    mine = select(Credential).where(Credential.user_id == user_id).order_by(Credential.issued_at)
    return [
        {
            "code": credential.code,
            "course": credential.course_title,
            "name": credential.holder_name,
            "issued_at": credential.issued_at,
            "revoked_at": credential.revoked_at,
            "shows_name": credential.shows_name,
            "shows_grade": credential.shows_grade,
            "credential": credential.document,
        }
        for credential in db.session.scalars(mine)
    ]
