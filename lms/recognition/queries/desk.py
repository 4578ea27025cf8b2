"""Reads of accreditations, rules, members, hours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.courses.models import Course, PublicationState, Topic
from lms.directory.models import (
    AssociationMembership,
    Organisation,
    OrganisationKind,
    OrganisationRole,
    OrganisationRoleName,
)
from lms.recognition.models import (
    Accreditation,
    AuditItem,
    AuditSample,
    BodySettings,
    CreditEntry,
    EntryState,
    EvidenceLink,
    FrameworkCode,
    MatchState,
    Member,
    MemberConsent,
    RecognitionRule,
    RuleVersion,
    TrustedIssuer,
)


def get_association(slug: str) -> Organisation:
    """The professional association with this slug. Raises NotFound."""
    found = db.session.scalar(
        select(Organisation).where(
            Organisation.slug == slug, Organisation.kind == OrganisationKind.ASSOCIATION
        )
    )
    if found is None:
        raise NotFound
    return found


def associations_of_officer(user: User) -> list[Organisation]:
    """The associations that the person acts for."""
    return list(
        db.session.scalars(
            select(Organisation)
            .join(OrganisationRole)
            .where(
                OrganisationRole.user_id == user.id,
                OrganisationRole.role == OrganisationRoleName.OFFICER,
                Organisation.kind == OrganisationKind.ASSOCIATION,
            )
            .order_by(Organisation.slug)
        )
    )


def officers_of(association: Organisation) -> list[User]:
    """Who acts for the association."""
    return list(
        db.session.scalars(
            select(User)
            .join(OrganisationRole, OrganisationRole.user_id == User.id)
            .where(
                OrganisationRole.organisation_id == association.id,
                OrganisationRole.role == OrganisationRoleName.OFFICER,
            )
            .order_by(User.id)
        )
    )


def body_settings(association: Organisation) -> BodySettings:
    """What the association asks of its members; one calendar year unless it said otherwise."""
    found = db.session.scalar(
        select(BodySettings).where(BodySettings.association_id == association.id)
    )
    return found or BodySettings(
        association_id=association.id,
        cycle_starts_on=date(clock.now().year, 1, 1),
        cycle_years=1,
        hours_needed=None,
    )


def list_accreditations(association: Organisation) -> Select[Accreditation]:
    """The association's accreditations, the newest first."""
    return (
        select(Accreditation)
        .where(Accreditation.association_id == association.id)
        .options(joinedload(Accreditation.provider), joinedload(Accreditation.course))
        .order_by(Accreditation.starts_on.desc(), Accreditation.id.desc())
    )


def get_accreditation(association: Organisation, accreditation_id: int) -> Accreditation:
    """One of the association's accreditations. Raises NotFound."""
    found = db.session.get(Accreditation, accreditation_id)
    if found is None or found.association_id != association.id:
        raise NotFound
    return found


def accreditations_of_course(course: Course, day: date) -> list[Accreditation]:
    """What held for a course on a day, its own and that of those who give it."""
    providers = {course.owner_id, *(partner.id for partner in course.partners)}
    found = db.session.scalars(
        select(Accreditation)
        .where((Accreditation.course_id == course.id) | Accreditation.provider_id.in_(providers))
        .options(joinedload(Accreditation.association))
        .order_by(Accreditation.id)
    )
    return [one for one in found if one.held_on(day)]


def list_rules(association: Organisation) -> Sequence[RecognitionRule]:
    """The association's rules with their versions."""
    return db.session.scalars(
        select(RecognitionRule)
        .where(RecognitionRule.association_id == association.id)
        .options(
            selectinload(RecognitionRule.versions).options(
                joinedload(RuleVersion.topic),
                joinedload(RuleVersion.provider),
                joinedload(RuleVersion.course),
                joinedload(RuleVersion.made_by),
            )
        )
        .order_by(RecognitionRule.id)
    ).all()


def get_rule(association: Organisation, rule_id: int) -> RecognitionRule:
    """One of the association's rules. Raises NotFound."""
    found = next((rule for rule in list_rules(association) if rule.id == rule_id), None)
    if found is None:
        raise NotFound
    return found


def count_entries_of_versions(rule: RecognitionRule) -> dict[int, int]:
    """How many entries each version has credited."""
    rows = db.session.execute(
        select(CreditEntry.rule_version_id, func.count())
        .where(CreditEntry.rule_version_id.in_([version.id for version in rule.versions]))
        .group_by(CreditEntry.rule_version_id)
    )
    return {row[0]: row[1] for row in rows if row[0] is not None}


def list_framework_codes(association: Organisation) -> Sequence[FrameworkCode]:
    """The codes of the association's framework."""
    return db.session.scalars(
        select(FrameworkCode)
        .where(FrameworkCode.association_id == association.id)
        .order_by(FrameworkCode.code)
    ).all()


def get_framework_code(association: Organisation, code_id: int) -> FrameworkCode:
    """One code of the association's framework. Raises NotFound."""
    found = db.session.get(FrameworkCode, code_id)
    if found is None or found.association_id != association.id:
        raise NotFound
    return found


def list_issuers(association: Organisation) -> Sequence[TrustedIssuer]:
    """The issuers that the association trusts or trusted."""
    return db.session.scalars(
        select(TrustedIssuer)
        .where(TrustedIssuer.association_id == association.id)
        .order_by(TrustedIssuer.name, TrustedIssuer.id)
    ).all()


def get_issuer(association: Organisation, issuer_id: int) -> TrustedIssuer:
    """One issuer of the association's list. Raises NotFound."""
    found = db.session.get(TrustedIssuer, issuer_id)
    if found is None or found.association_id != association.id:
        raise NotFound
    return found


def associations_that_trust(did: str, day: date) -> list[Organisation]:
    """The associations that trusted an issuer on a day."""
    found = db.session.scalars(
        select(TrustedIssuer)
        .where(TrustedIssuer.did == did)
        .options(joinedload(TrustedIssuer.association))
        .order_by(TrustedIssuer.id)
    )
    return [one.association for one in found if one.held_on(day)]


def count_members(association: Organisation) -> int:
    """How many lines the list of members has now."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Member)
            .where(Member.association_id == association.id, Member.ended_at.is_(None))
        )
        or 0
    )


def list_consents(association: Organisation, match: str = "") -> Select[MemberConsent]:
    """The people who let the association see their certificates, by name."""
    found = (
        select(MemberConsent)
        .join(MemberConsent.user)
        .where(MemberConsent.association_id == association.id, MemberConsent.withdrawn_at.is_(None))
        .options(joinedload(MemberConsent.user), joinedload(MemberConsent.member))
        .order_by(User.search_text, User.id)
    )
    return found.where(MemberConsent.match == match) if match else found


def get_consent(association: Organisation, consent_id: int) -> MemberConsent:
    """One consent that holds. Raises NotFound."""
    found = db.session.get(MemberConsent, consent_id)
    if found is None or found.association_id != association.id or not found.is_given:
        raise NotFound
    return found


def find_consent(association_id: int, user: User) -> MemberConsent | None:
    """The person's consent towards an association, given or withdrawn."""
    return db.session.scalar(
        select(MemberConsent).where(
            MemberConsent.association_id == association_id, MemberConsent.user_id == user.id
        )
    )


def consents_of(user: User) -> dict[int, MemberConsent]:
    """The person's consents by association id."""
    found = db.session.scalars(select(MemberConsent).where(MemberConsent.user_id == user.id))
    return {one.association_id: one for one in found}


def _visible_members(association: Organisation) -> Select[int]:
    return select(MemberConsent.user_id).where(
        MemberConsent.association_id == association.id,
        MemberConsent.withdrawn_at.is_(None),
        MemberConsent.match == MatchState.MATCH,
    )


def list_member_certificates(association: Organisation) -> Select[Credential]:
    """All certificates of members who consented, the newest first."""
    return (
        select(Credential)
        .where(Credential.user_id.in_(_visible_members(association)))
        .options(joinedload(Credential.user))
        .order_by(Credential.issued_at.desc(), Credential.id.desc())
    )


def list_member_entries(
    association: Organisation,
    *,
    state: str = "",
    first: date | None = None,
    last: date | None = None,
) -> Select[CreditEntry]:
    """Entries of members who consented, the newest first."""
    found = (
        select(CreditEntry)
        .where(
            CreditEntry.association_id == association.id,
            CreditEntry.user_id.in_(_visible_members(association)),
        )
        .options(
            joinedload(CreditEntry.user),
            joinedload(CreditEntry.credential),
            joinedload(CreditEntry.rule_version),
        )
        .order_by(CreditEntry.awarded_on.desc(), CreditEntry.id.desc())
    )
    if state:
        found = found.where(CreditEntry.state == state)
    if first is not None:
        found = found.where(CreditEntry.awarded_on >= first)
    if last is not None:
        found = found.where(CreditEntry.awarded_on <= last)
    return found


def list_claims(association: Organisation) -> Select[CreditEntry]:
    """What people ask the association to credit and nobody has decided, the oldest first."""
    return (
        select(CreditEntry)
        .where(
            CreditEntry.association_id == association.id, CreditEntry.state == EntryState.PENDING
        )
        .options(joinedload(CreditEntry.user), joinedload(CreditEntry.file))
        .order_by(CreditEntry.id)
    )


def get_entry(association: Organisation, entry_id: int) -> CreditEntry:
    """One entry of the association's ledger. Raises NotFound."""
    found = db.session.get(CreditEntry, entry_id)
    if found is None or found.association_id != association.id:
        raise NotFound
    return found


def entries_of(user_id: int, association_id: int | None = None) -> Sequence[CreditEntry]:
    """All entries of a person, the newest first."""
    found = (
        select(CreditEntry)
        .where(CreditEntry.user_id == user_id)
        .options(
            joinedload(CreditEntry.credential),
            joinedload(CreditEntry.rule_version),
            joinedload(CreditEntry.file),
            joinedload(CreditEntry.association),
        )
        .order_by(CreditEntry.awarded_on.desc(), CreditEntry.id.desc())
    )
    if association_id is not None:
        found = found.where(CreditEntry.association_id == association_id)
    return db.session.scalars(found).all()


def entries_of_keys(
    association_ids: Iterable[int], user_ids: Iterable[int], keys: Iterable[str]
) -> dict[tuple[int, int, str], CreditEntry]:
    """Entries by association, person and achievement."""
    found = db.session.scalars(
        select(CreditEntry).where(
            CreditEntry.association_id.in_(list(association_ids)),
            CreditEntry.user_id.in_(list(user_ids)),
            CreditEntry.achievement_key.in_(list(keys)),
        )
    )
    return {(one.association_id, one.user_id, one.achievement_key): one for one in found}


def credentials_to_judge(
    association: Organisation, user_id: int | None = None
) -> Select[Credential]:
    """Certificates that hold, of people who say they belong to the association."""
    members = select(AssociationMembership.user_id).where(
        AssociationMembership.organisation_id == association.id
    )
    if user_id is not None:
        members = members.where(AssociationMembership.user_id == user_id)
    return (
        select(Credential)
        .where(Credential.user_id.in_(members), Credential.revoked_at.is_(None))
        .options(
            joinedload(Credential.run),
            joinedload(Credential.user),
            joinedload(Credential.course).selectinload(Course.partners),
        )
        .order_by(Credential.id)
    )


def list_audits(association: Organisation) -> Sequence[AuditSample]:
    """The association's samples with their entries, the newest first."""
    return db.session.scalars(
        select(AuditSample)
        .where(AuditSample.association_id == association.id)
        .options(selectinload(AuditSample.items))
        .order_by(AuditSample.id.desc())
    ).all()


def get_audit(association: Organisation, audit_id: int) -> AuditSample:
    """One sample with all that its page shows. Raises NotFound."""
    found = db.session.scalar(
        select(AuditSample)
        .where(AuditSample.id == audit_id, AuditSample.association_id == association.id)
        .options(
            selectinload(AuditSample.items)
            .joinedload(AuditItem.entry)
            .options(joinedload(CreditEntry.user), joinedload(CreditEntry.credential))
        )
    )
    if found is None:
        raise NotFound
    return found


def courses_to_choose() -> Sequence[Course]:
    """The published courses, by slug."""
    return db.session.scalars(
        select(Course).where(Course.state == PublicationState.PUBLISHED).order_by(Course.slug)
    ).all()


def providers_to_choose() -> Sequence[Organisation]:
    """The organisations that teach, by slug."""
    return db.session.scalars(
        select(Organisation)
        .where(Organisation.kind == OrganisationKind.INSTITUTION)
        .order_by(Organisation.slug)
    ).all()


def topics_to_choose() -> Sequence[Topic]:
    """The topics in their order."""
    return db.session.scalars(select(Topic).order_by(Topic.position, Topic.id)).all()


def find_evidence_link(token_hash: str) -> EvidenceLink | None:
    """The link whose secret has this hash."""
    return db.session.scalar(select(EvidenceLink).where(EvidenceLink.token_hash == token_hash))


def list_evidence_links(credential: Credential) -> Sequence[EvidenceLink]:
    """All links to the evidence of a certificate with their looks, the newest first."""
    return db.session.scalars(
        select(EvidenceLink)
        .where(EvidenceLink.credential_id == credential.id)
        .options(selectinload(EvidenceLink.looks))
        .order_by(EvidenceLink.id.desc())
    ).all()
