"""Reads: organisations, who acts for them, who belongs to them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.text import search_words
from lms.directory.models import (
    AssociationMembership,
    Organisation,
    OrganisationKind,
    OrganisationRole,
    OrganisationRoleName,
)


def find_organisation(slug: str) -> Organisation | None:
    """The organisation with this slug."""
    return db.session.scalar(select(Organisation).where(Organisation.slug == slug))


def get_organisation(slug: str) -> Organisation:
    """The organisation with this slug. Raises NotFound."""
    organisation = find_organisation(slug)
    if organisation is None:
        raise NotFound
    return organisation


def list_organisations(
    search: str = "", *, kind: str = "", managed_by: User | None = None
) -> Select[Organisation]:
    """Organisations by slug, all or those that a person manages."""
    statement = select(Organisation).order_by(Organisation.slug)
    for word in search_words(search):
        statement = statement.where(Organisation.search_text.contains(word, autoescape=True))
    if kind:
        statement = statement.where(Organisation.kind == kind)
    if managed_by is not None:
        statement = statement.where(
            Organisation.id.in_(
                select(OrganisationRole.organisation_id).where(
                    OrganisationRole.user_id == managed_by.id,
                    OrganisationRole.role == OrganisationRoleName.MANAGER,
                )
            )
        )
    return statement


def organisations_of(user: User) -> list[Organisation]:
    """Organisations in which the person has any role."""
    roles = select(OrganisationRole.organisation_id).where(OrganisationRole.user_id == user.id)
    return list(
        db.session.scalars(
            select(Organisation).where(Organisation.id.in_(roles)).order_by(Organisation.slug)
        )
    )


def associations() -> list[Organisation]:
    """All professional associations."""
    return list(db.session.scalars(list_organisations(kind=OrganisationKind.ASSOCIATION)))


def _has_role(user: User, organisation: Organisation, role: OrganisationRoleName) -> bool:
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    OrganisationRole.user_id == user.id,
                    OrganisationRole.organisation_id == organisation.id,
                    OrganisationRole.role == role,
                )
            )
        )
    )


def is_manager(user: User, organisation: Organisation) -> bool:
    """Whether the person manages the organisation."""
    return _has_role(user, organisation, OrganisationRoleName.MANAGER)


def is_officer(user: User, organisation: Organisation) -> bool:
    """Whether the person verifies and recognises for the association."""
    return _has_role(user, organisation, OrganisationRoleName.OFFICER)


def is_manager_of_any(user: User) -> bool:
    """Whether the person manages an organisation at all."""
    return bool(
        db.session.scalar(
            select(
                exists().where(
                    OrganisationRole.user_id == user.id,
                    OrganisationRole.role == OrganisationRoleName.MANAGER,
                )
            )
        )
    )


def roles_in(organisation: Organisation) -> list[OrganisationRole]:
    """Who acts for the organisation, by name."""
    return list(
        db.session.scalars(
            select(OrganisationRole)
            .join(OrganisationRole.user)
            .where(OrganisationRole.organisation_id == organisation.id)
            .options(joinedload(OrganisationRole.user))
            .order_by(User.name, OrganisationRole.role)
        )
    )


def get_role(organisation: Organisation, role_id: int) -> OrganisationRole:
    """One person's role in the organisation. Raises NotFound."""
    role = db.session.get(OrganisationRole, role_id)
    if role is None or role.organisation_id != organisation.id:
        raise NotFound
    return role


def roles_of(user_id: int) -> list[OrganisationRole]:
    """What the person does, for which organisations."""
    return list(
        db.session.scalars(
            select(OrganisationRole)
            .where(OrganisationRole.user_id == user_id)
            .options(joinedload(OrganisationRole.organisation))
            .order_by(OrganisationRole.id)
        )
    )


def count_people(organisations: Iterable[Organisation]) -> dict[int, int]:
    """How many people have a role, by organisation id."""
    ids = [organisation.id for organisation in organisations]
    rows = db.session.execute(
        select(OrganisationRole.organisation_id, func.count(OrganisationRole.user_id.distinct()))
        .where(OrganisationRole.organisation_id.in_(ids))
        .group_by(OrganisationRole.organisation_id)
    )
    return {row[0]: row[1] for row in rows}


def memberships_of(user_id: int) -> list[AssociationMembership]:
    """The associations that the person says they belong to."""
    return list(
        db.session.scalars(
            select(AssociationMembership)
            .where(AssociationMembership.user_id == user_id)
            .options(joinedload(AssociationMembership.organisation))
            .order_by(AssociationMembership.id)
        )
    )


def get_membership(membership_id: int, user: User) -> AssociationMembership:
    """One of the person's memberships. Raises NotFound."""
    membership = db.session.get(AssociationMembership, membership_id)
    if membership is None or membership.user_id != user.id:
        raise NotFound
    return membership
