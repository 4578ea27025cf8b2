"""Members: a list of keyed hashes, consent, and matching by identifiers, never by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select, update

from lms.accounts.models import User
from lms.core import audit, clock
from lms.core.db import db
from lms.core.sealing import mac
from lms.core.text import fold
from lms.directory import queries as directory
from lms.directory.events import MembershipEnded
from lms.directory.models import AssociationMembership, Organisation
from lms.notifications.services import tell
from lms.recognition import queries
from lms.recognition.errors import AlreadyDecided, NotAMember
from lms.recognition.models import MatchState, Member, MemberConsent
from lms.recognition.sheets import MemberRow


@dataclass
class ImportResult:
    """What an import did. refused: lines without a number, or with one that stood there before."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ended: int = 0
    refused: list[int] = field(default_factory=list)


def tidy_identifier(text: str) -> str:
    """An identifier as it is compared: without case, accents, spaces and punctuation."""
    return "".join(sign for sign in fold(text) if sign.isalnum())


def _mac(association_id: int, what: str, text: str) -> str | None:
    tidy = text.strip().casefold() if what == "email" else tidy_identifier(text)
    return mac(f"{association_id} {what} {tidy}", "member") if tidy else None


def import_members(
    association: Organisation, actor: User, rows: Sequence[MemberRow], *, is_complete: bool
) -> ImportResult:
    """Take over a list; the same list twice changes nothing.

    is_complete: members that are not in it have left.
    """
    known = {
        member.number_mac: member
        for member in db.session.scalars(
            select(Member).where(Member.association_id == association.id)
        )
    }
    result, seen, new = ImportResult(), set(), []
    for row in rows:
        number = _mac(association.id, "number", row.number)
        if number is None or number in seen:
            result.refused.append(row.line)
            continue
        seen.add(number)
        values = {
            "email_mac": _mac(association.id, "email", row.email),
            "licence_mac": _mac(association.id, "licence", row.licence),
        }
        member = known.get(number)
        if member is None:
            hint = tidy_identifier(row.number)[-2:]
            new.append(
                {
                    "association_id": association.id,
                    "number_mac": number,
                    "hint": hint,
                    "imported_at": clock.now(),
                    **values,
                }
            )
        elif member.ended_at is None and all(
            getattr(member, name) == value for name, value in values.items()
        ):
            result.unchanged += 1
        else:
            member.ended_at = None
            for name, value in values.items():
                setattr(member, name, value)
            result.changed += 1
    if new:
        db.session.execute(insert(Member), new)
    result.added = len(new)
    if is_complete:
        gone = [m.id for key, m in known.items() if key not in seen and m.ended_at is None]
        for start in range(0, len(gone), 500):
            db.session.execute(
                update(Member)
                .where(Member.id.in_(gone[start : start + 500]))
                .values(ended_at=clock.now())
            )
        result.ended = len(gone)
    audit.record(
        "recognition.import_members",
        association,
        actor.id,
        added=result.added,
        changed=result.changed,
        ended=result.ended,
    )
    db.session.expire_all()
    _match_all(association)
    return result


def give_consent(association: Organisation, user: User, licence: str) -> MemberConsent:
    """Let the association see certificates and hours. Raises NotAMember."""
    membership = _membership(association, user)
    consent = queries.find_consent(association.id, user)
    if consent is None:
        consent = MemberConsent(association_id=association.id, user_id=user.id)
        db.session.add(consent)
    consent.given_at = clock.now()
    consent.withdrawn_at = None
    consent.decided_by_id = None
    consent.licence_mac = _mac(association.id, "licence", licence)
    db.session.flush()
    _match(consent, user, membership)
    if consent.match == MatchState.NOT_ENOUGH:
        for officer in queries.officers_of(association):
            tell(
                officer,
                "recognition.match_needed",
                association=association.name,
                slug=association.slug,
            )
    return consent


def _membership(association: Organisation, user: User) -> AssociationMembership:
    for membership in directory.memberships_of(user.id):
        if membership.organisation_id == association.id:
            return membership
    raise NotAMember


def withdraw_consent(consent: MemberConsent) -> None:
    """The association sees nothing of this person any more, from now on."""
    consent.withdrawn_at = clock.now()
    db.session.flush()


def end_consent(event: MembershipEnded) -> None:
    """Who leaves an association is not seen by it any more."""
    consent = queries.find_consent(event.association.id, event.user)
    if consent is not None and consent.is_given:
        withdraw_consent(consent)


def _match_all(association: Organisation) -> None:
    """Match everybody anew after an import; what officers decided stays."""
    consents = db.session.scalars(queries.list_consents(association)).all()
    memberships = {
        one.user_id: one
        for one in db.session.scalars(
            select(AssociationMembership).where(
                AssociationMembership.organisation_id == association.id,
                AssociationMembership.user_id.in_([consent.user_id for consent in consents]),
            )
        )
    }
    for consent in consents:
        membership = memberships.get(consent.user_id)
        if membership is not None and consent.decided_by_id is None:
            _match(consent, consent.user, membership)


def _match(consent: MemberConsent, user: User, membership: AssociationMembership) -> None:
    """Compare identifiers with the list.

    The confirmed address proves a member; a number alone does not, since anybody can type it: it
    needs the address or the licence of the same line. A contradiction is for an officer.
    """
    consent.match, consent.member = _judge(consent, user, membership)
    db.session.flush()


def _judge(
    consent: MemberConsent, user: User, membership: AssociationMembership
) -> tuple[MatchState, Member | None]:
    association_id = consent.association_id
    number = _mac(association_id, "number", membership.number or "")
    email = _mac(association_id, "email", user.email) if user.is_confirmed else None
    wanted = [
        (Member.number_mac, number),
        (Member.email_mac, email),
        (Member.licence_mac, consent.licence_mac),
    ]
    asked = [column == value for column, value in wanted if value is not None]
    if not asked:
        return MatchState.NOT_ENOUGH, None
    condition = asked[0]
    for more in asked[1:]:
        condition = condition | more
    lines = db.session.scalars(
        select(Member)
        .where(Member.association_id == association_id, Member.ended_at.is_(None), condition)
        .order_by(Member.id)
    ).all()
    if not lines:
        has_list = queries.count_members(consent.association) > 0
        return (MatchState.NO_MATCH if has_list else MatchState.NOT_ENOUGH), None
    if len(lines) > 1:  # identifiers of different members
        return MatchState.NOT_ENOUGH, None
    [line] = lines
    pairs = [
        (number, line.number_mac),
        (email, line.email_mac),
        (consent.licence_mac, line.licence_mac),
    ]
    same = [mine is not None and mine == theirs for mine, theirs in pairs]
    differs = [mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs]
    is_proven = same[1] or sum(same) >= 2
    if is_proven and not any(differs):
        return MatchState.MATCH, line
    return MatchState.NOT_ENOUGH, line


def decide_match(consent: MemberConsent, actor: User, *, is_member: bool) -> None:
    """An officer says whether a person is a member. Raises AlreadyDecided."""
    if consent.match != MatchState.NOT_ENOUGH:
        raise AlreadyDecided
    consent.match = MatchState.MATCH if is_member else MatchState.NO_MATCH
    consent.decided_by_id = actor.id
    audit.record("recognition.decide_match", consent, actor.id, match=consent.match)
