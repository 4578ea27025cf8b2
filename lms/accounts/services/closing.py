"""Closing an account for good."""

from __future__ import annotations

import uuid

from sqlalchemy import delete, select, update

from lms.accounts import queries
from lms.accounts.models import AccountClaim, DataDownload, Draft, SecondFactor, User
from lms.accounts.services.administration import keep_one_administrator
from lms.accounts.services.downloads import remove_download
from lms.accounts.services.sign_ins import end_all_sign_ins
from lms.core import clock
from lms.core.db import db
from lms.core.models import StoredFile
from lms.core.outbox import enqueue
from lms.core.personal_data import personal_data

NAME_OF_CLOSED = "Closed account"


def close_account(user: User) -> None:
    """Erase what every room keeps about the person and end the account.

    Only for who knows its password. Raises LastAdministrator.
    """
    if user.is_administrator:
        keep_one_administrator(user)
    enqueue("accounts.mail", letter="closed", user_id=user.id, to=user.email, name=user.name)
    erase_everywhere(user)


def erase_everywhere(user: User) -> None:
    """Erase what every room keeps about the person."""
    # the lower rooms last: they still need to know who it is that the higher ones let go
    for room in reversed(list(personal_data.values())):
        room.erase(user.id)
    db.session.flush()


def erase(user_id: int) -> None:
    """Take from the account all that says who it was; the row stays for what points to it."""
    user = queries.get_user(user_id)
    db.session.execute(delete(Draft).where(Draft.user_id == user_id))
    for download in db.session.scalars(
        select(DataDownload).where(DataDownload.user_id == user_id)
    ).all():
        remove_download(download)
    db.session.execute(
        update(StoredFile).where(StoredFile.owner_id == user_id).values(owner_id=None)
    )
    db.session.execute(delete(AccountClaim).where(AccountClaim.user_id == user_id))
    db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    user.name = NAME_OF_CLOSED
    user.email = f"closed-{uuid.uuid4().hex}@invalid"
    user.email_folded = user.email
    user.password_hash = None
    user.country = user.profession = None
    user.is_administrator = False
    user.closed_at = clock.now()
    end_all_sign_ins(user)
    db.session.flush()


def export(user_id: int) -> dict[str, object]:
    """The account itself, sign-ins, drafts, and what the person uploaded."""
    user = queries.get_user(user_id)
    sign_ins = db.session.scalars(queries.list_sign_ins(user_id))
    drafts = db.session.scalars(select(Draft).where(Draft.user_id == user_id))
    files = db.session.scalars(queries.list_own_files(user_id))
    factor = queries.find_second_factor(user)
    return {
        "account": {
            "uuid": str(user.uuid),
            "email": user.email,
            "name": user.name,
            "language": user.language,
            "time_zone": user.time_zone,
            "country": user.country,
            "profession": user.profession,
            "is_administrator": user.is_administrator,
            "created_at": user.created_at,
            "email_confirmed_at": user.email_confirmed_at,
            "terms_accepted_at": user.terms_accepted_at,
        },
        "second_factor_since": factor.confirmed_at if factor else None,
        "sign_ins": [{"opened_at": sign_in.opened_at} for sign_in in sign_ins],
        "drafts": [
            {"key": draft.key, "content": draft.content, "updated_at": draft.updated_at}
            for draft in drafts
        ],
        "files": [
            {
                "id": file.id,
                "name": file.name,
                "media_type": file.media_type,
                "size": file.size,
                "created_at": file.created_at,
            }
            for file in files
        ],
    }
