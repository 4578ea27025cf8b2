"""What an association says about itself: renewal cycle, framework, issuers it trusts."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import User
from lms.core import audit
from lms.core.db import db
from lms.directory.models import Organisation
from lms.recognition.errors import CodeTaken, IssuerKnown, WrongIdentifier
from lms.recognition.models import BodySettings, FrameworkCode, TrustedIssuer

_DID = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]{1,250}")


def keep_settings(
    association: Organisation,
    actor: User,
    *,
    cycle_starts_on: date,
    cycle_years: int,
    hours_needed: float | None,
) -> BodySettings:
    """Say how long a renewal cycle is and how many hours it asks for."""
    found = db.session.scalar(
        select(BodySettings).where(BodySettings.association_id == association.id)
    )
    if found is None:
        found = BodySettings(association_id=association.id)
        db.session.add(found)
    found.cycle_starts_on = cycle_starts_on
    found.cycle_years = cycle_years
    found.hours_needed = hours_needed
    audit.record("recognition.keep_settings", association, actor.id)
    return found


def add_framework_code(
    association: Organisation, actor: User, code: str, title: str
) -> FrameworkCode:
    """A code that rules can name. Raises CodeTaken."""
    made = FrameworkCode(association_id=association.id, code=code, title=title)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise CodeTaken from None
    audit.record("recognition.add_framework_code", association, actor.id, code=code)
    return made


def remove_framework_code(code: FrameworkCode, association: Organisation, actor: User) -> None:
    """No longer offer a code; rules and hours that name it keep it."""
    audit.record("recognition.remove_framework_code", association, actor.id, code=code.code)
    db.session.delete(code)
    db.session.flush()


def trust_issuer(
    association: Organisation,
    actor: User,
    *,
    did: str,
    name: str,
    starts_on: date,
    ends_on: date | None,
) -> TrustedIssuer:
    """Take an issuer's word from a day on. Raises WrongIdentifier or IssuerKnown."""
    if not _DID.fullmatch(did):
        raise WrongIdentifier
    made = TrustedIssuer(
        association_id=association.id, did=did, name=name, starts_on=starts_on, ends_on=ends_on
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise IssuerKnown from None
    audit.record("recognition.trust_issuer", association, actor.id, did=did)
    return made


def end_trust(issuer: TrustedIssuer, actor: User, last_day: date) -> None:
    """Trust an issuer up to a day; what it issued before stays trusted."""
    issuer.ends_on = max(last_day, issuer.starts_on)
    audit.record("recognition.end_trust", issuer.association, actor.id, did=issuer.did)
