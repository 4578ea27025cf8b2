"""What holders decide about their certificates, and what stays when they leave."""

from __future__ import annotations

from sqlalchemy import select

from lms.certificates import facts as register
from lms.certificates.models import Credential, initials
from lms.certificates.services.signing import sign_document
from lms.core.db import db
from lms.core.outbox import enqueue
from lms.core.text import fold


def show_name(credential: Credential, shows_name: bool) -> None:
    """Show strangers the full name, or initials and a signed document that names nobody.

    Raises IssuerKeyUnavailable.
    """
    if not shows_name and credential.public_document is None:
        signed = sign_document(credential, None, names_holder=False)
        credential.public_document, credential.public_token = signed.document, signed.token
    credential.shows_name = shows_name
    db.session.flush()


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
        signed = sign_document(credential, None, names_holder=False)
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
            "credential": credential.document,
        }
        for credential in db.session.scalars(mine)
    ]
