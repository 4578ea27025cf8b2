"""Work after commit: letters, the download of all my data, tidying up."""

from __future__ import annotations

from lms.accounts import notices
from lms.accounts.models import User
from lms.accounts.services import downloads, drafts, sign_ins
from lms.accounts.services.registration import remove_old_registrations
from lms.core.db import db
from lms.core.once import forget_sent_forms
from lms.core.outbox import Job


def mail(
    letter: str,
    user_id: int,
    to: str | None = None,
    name: str | None = None,
    registration: str = "",
) -> None:
    """Send one letter. Closed accounts are written to only at an address that is given."""
    user = db.session.get(User, user_id)
    if user is None or (user.closed_at and to is None):
        return
    if letter == "claim" and user.claim is None:
        return  # claimed meanwhile
    notices.send_letter(user, letter, to=to, name=name, registration=registration)


JOBS = [
    Job("accounts.mail", mail, writes=False),
    Job("accounts.build_download", downloads.build_download, writes=False),
    Job("accounts.remove_old_downloads", downloads.remove_old_downloads, every="23 3 * * *"),
    Job("accounts.remove_bytes", downloads.remove_bytes),
    Job("accounts.remove_old_drafts", drafts.remove_old_drafts, every="29 3 * * *"),
    Job(
        "accounts.remove_old_registrations",
        remove_old_registrations,
        every="37 3 * * *",
    ),
    Job("accounts.remove_old_sign_ins", sign_ins.remove_old_sign_ins, every="31 3 * * *"),
    Job("accounts.forget_sent_forms", forget_sent_forms, every="41 * * * *"),
]
