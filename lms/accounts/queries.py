"""Reads: people, drafts, downloads, the audit log, jobs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, bindparam, func, select

from lms.accounts.models import (
    SIGN_IN_LIVES,
    AccountClaim,
    DataDownload,
    Draft,
    Registration,
    SecondFactor,
    SignIn,
    User,
)
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.models import AuditEntry, JobState, OutboxRow, StoredFile
from lms.core.text import search_words


def get_user(user_id: int) -> User:
    """The person with this id. Raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def find_user(email: str) -> User | None:
    """The person with this address, however it is typed."""
    folded = email.strip().casefold()
    return db.session.scalar(select(User).where(User.email_folded == folded))


_SIGNED_IN = (
    select(User)
    .join(SignIn, SignIn.user_id == User.id)
    .where(SignIn.key == bindparam("key"), SignIn.opened_at > bindparam("oldest"))
)


def find_signed_in(key: uuid.UUID, now: datetime) -> User | None:
    """The person whose browser has the key, unless that sign-in has ended."""
    return db.session.scalar(_SIGNED_IN, {"key": key, "oldest": now - SIGN_IN_LIVES})


def find_registration(key: str) -> Registration | None:
    """What was typed to make an account, by its key."""
    try:
        wanted = uuid.UUID(hex=key)
    except ValueError:
        return None
    return db.session.scalar(select(Registration).where(Registration.key == wanted))


def newest_registration(user_id: int, keys: Iterable[str] | None = None) -> Registration | None:
    """What was typed last to make this account; with keys, the last of these registrations."""
    statement = select(Registration).where(Registration.user_id == user_id)
    if keys is not None:
        statement = statement.where(Registration.key.in_([uuid.UUID(hex=key) for key in keys]))
    return db.session.scalar(statement.order_by(Registration.id.desc()).limit(1))


def claims_of(email: str) -> Sequence[AccountClaim]:
    """The accounts that wait for whoever has this address, the newest first; five at most."""
    folded = email.strip().casefold()
    return db.session.scalars(
        select(AccountClaim)
        .where(AccountClaim.email_folded == folded)
        .order_by(AccountClaim.id.desc())
        .limit(5)
    ).all()


def accounts_of(user_id: int) -> list[int]:
    """Ids of the account and of those that it took over."""
    taken = select(User.id).where(User.taken_over_by_id == user_id).order_by(User.id)
    return [user_id, *db.session.scalars(taken)]


def find_second_factor(user: User) -> SecondFactor | None:
    """The person's second factor, in use or being set up."""
    return db.session.scalar(select(SecondFactor).where(SecondFactor.user_id == user.id))


def has_second_factor(user: User) -> bool:
    """Whether the person has a second factor in use."""
    factor = find_second_factor(user)
    return factor is not None and factor.confirmed_at is not None


def find_sign_in(key: uuid.UUID) -> SignIn | None:
    """The sign-in of the browser that has the key."""
    return db.session.scalar(select(SignIn).where(SignIn.key == key))


def list_sign_ins(user_id: int) -> Select[SignIn]:
    """Where the person is signed in."""
    return select(SignIn).where(SignIn.user_id == user_id).order_by(SignIn.id)


def lock_administrators() -> list[User]:
    """Everybody who can administer now; nobody else changes this until the transaction ends."""
    return list(
        db.session.scalars(
            select(User)
            .where(User.is_administrator, User.closed_at.is_(None), User.deactivated_at.is_(None))
            .order_by(User.id)
            .with_for_update()
        )
    )


def list_people(
    search: str = "", *, role: str = "", country: str = "", state: str = ""
) -> Select[User]:
    """People by name. role: "administrator". state: "confirmed", "unconfirmed", "deactivated"
    or "closed"; closed accounts are left out unless asked for."""
    statement = select(User).order_by(User.search_text, User.id)
    for word in search_words(search):
        statement = statement.where(User.search_text.contains(word, autoescape=True))
    if role == "administrator":
        statement = statement.where(User.is_administrator)
    if country:
        statement = statement.where(User.country == country)
    if state == "closed":
        return statement.where(User.closed_at.is_not(None))
    statement = statement.where(User.closed_at.is_(None))
    if state == "deactivated":
        return statement.where(User.deactivated_at.is_not(None))
    if state == "confirmed":
        return statement.where(User.email_confirmed_at.is_not(None))
    if state == "unconfirmed":
        return statement.where(User.email_confirmed_at.is_(None))
    return statement


def count_people(now: datetime) -> dict[str, int]:
    """Open accounts: all, not confirmed, and new in the last 30 days."""
    is_new = User.created_at >= now - timedelta(days=30)
    row = db.session.execute(
        select(
            func.count(),
            func.count().filter(User.email_confirmed_at.is_(None)),
            func.count().filter(is_new),
        ).where(User.closed_at.is_(None))
    ).one()
    return {"all": row[0], "unconfirmed": row[1], "new": row[2]}


def countries_of_people() -> list[str]:
    """Codes of the countries that people gave."""
    return list(
        db.session.scalars(select(User.country).where(User.country.is_not(None)).distinct())
    )


def find_draft(user_id: int, key: str) -> Draft | None:
    """What the person typed and did not send yet."""
    return db.session.scalar(select(Draft).where(Draft.user_id == user_id, Draft.key == key))


def count_drafts(user_id: int) -> int:
    """How many drafts the person keeps."""
    statement = select(func.count()).select_from(Draft).where(Draft.user_id == user_id)
    return db.session.scalar(statement) or 0


def newest_download(user_id: int, now: datetime) -> DataDownload | None:
    """The download that is being built or can still be fetched."""
    download = db.session.scalar(
        select(DataDownload)
        .where(DataDownload.user_id == user_id)
        .order_by(DataDownload.id.desc())
        .limit(1)
    )
    if download and download.expires_at and download.expires_at <= now:
        return None
    return download


def list_own_files(user_id: int) -> Select[StoredFile]:
    """What the person uploaded."""
    return select(StoredFile).where(StoredFile.owner_id == user_id).order_by(StoredFile.id)


def list_audit(
    *, act: str = "", actor_id: int | None = None, since: datetime | None = None,
    until: datetime | None = None,
) -> Select[AuditEntry, User]:  # fmt: skip
    """Administrative acts with who did them, newest first."""
    statement = (
        select(AuditEntry, User)
        .outerjoin(User, User.id == AuditEntry.actor_id)
        .order_by(AuditEntry.id.desc())
    )
    if act:
        statement = statement.where(AuditEntry.act == act)
    if actor_id is not None:
        statement = statement.where(AuditEntry.actor_id == actor_id)
    if since is not None:
        statement = statement.where(AuditEntry.at >= since)
    if until is not None:
        statement = statement.where(AuditEntry.at < until)
    return statement


def people_by_id(ids: Iterable[int]) -> dict[int, User]:
    """These people, by id."""
    people = db.session.scalars(select(User).where(User.id.in_(set(ids))))
    return {user.id: user for user in people}


def audited_acts() -> list[str]:
    """Names of all acts that were ever done."""
    return list(db.session.scalars(select(AuditEntry.act).distinct().order_by(AuditEntry.act)))


def actors() -> list[User]:
    """Everybody who did an administrative act."""
    done = select(AuditEntry.actor_id).where(AuditEntry.actor_id.is_not(None))
    return list(db.session.scalars(select(User).where(User.id.in_(done)).order_by(User.name)))


def count_jobs() -> dict[str, int]:
    """How many jobs stand in each state."""
    rows = db.session.execute(select(OutboxRow.state, func.count()).group_by(OutboxRow.state))
    counted = {row[0]: row[1] for row in rows}
    return {state.value: counted.get(state.value, 0) for state in JobState}


def list_jobs(state: str = JobState.FAILED) -> Select[OutboxRow]:
    """Jobs in one state, newest first."""
    return select(OutboxRow).where(OutboxRow.state == state).order_by(OutboxRow.id.desc())


def get_job(row_id: int) -> OutboxRow:
    """One row of the outbox. Raises NotFound."""
    row = db.session.get(OutboxRow, row_id)
    if row is None:
        raise NotFound
    return row


def late_jobs(now: datetime) -> int:
    """Jobs that should have been done a quarter of an hour ago: is a worker running?"""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(OutboxRow)
            .where(
                OutboxRow.state == JobState.WAITING, OutboxRow.due_at < now - timedelta(minutes=15)
            )
        )
        or 0
    )
