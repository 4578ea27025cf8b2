"""What changes organisations, roles and memberships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from lms.accounts import queries as accounts
from lms.accounts.models import User
from lms.config import LANGUAGES
from lms.core import audit
from lms.core.db import ByLanguage, db
from lms.core.events import emit
from lms.core.places import is_country
from lms.core.text import in_language, slugify
from lms.directory import queries
from lms.directory.errors import HasRole, NotAnAssociation, UnknownPerson, WrongOrganisation
from lms.directory.events import MembershipEnded, MembershipKept
from lms.directory.models import (
    AssociationMembership,
    Organisation,
    OrganisationKind,
    OrganisationRole,
    OrganisationRoleName,
)


def web_address(text: str) -> str:
    """An http or https address; without a scheme, https. Raises WrongOrganisation."""
    address = text.strip()
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or "." not in host or parts.scheme not in ("http", "https") or " " in address:
        raise WrongOrganisation(_("Write a web address like https://example.org."))
    return address


def _texts(texts: Mapping[str, str]) -> ByLanguage:
    return {code: texts[code].strip() for code in LANGUAGES if (texts.get(code) or "").strip()}


def _free_slug(wanted: str) -> str:
    slug, number = wanted, 1
    while queries.find_organisation(slug) is not None:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def create_organisation(
    actor: User,
    *,
    kind: OrganisationKind,
    name: Mapping[str, str],
    description: Mapping[str, str],
    country: str | None,
    website: str | None,
) -> Organisation:
    """A new organisation; its slug comes from its name. name, description: by language."""
    organisation = Organisation(
        slug=_free_slug(slugify(in_language(_texts(name), "en"), "organisation")),
        kind=kind,
        name=_texts(name),
        description=_texts(description),
        country=country,
        website=web_address(website) if website else None,
    )
    db.session.add(organisation)
    audit.record("directory.create_organisation", organisation, actor.id)
    return organisation


def edit_organisation(
    organisation: Organisation,
    actor: User,
    *,
    kind: OrganisationKind,
    name: Mapping[str, str],
    description: Mapping[str, str],
    country: str | None,
    website: str | None,
) -> None:
    """Change what is said about an organisation. name, description: by language."""
    organisation.kind = kind
    organisation.name = _texts(name)
    organisation.description = _texts(description)
    organisation.country = country
    organisation.website = web_address(website) if website else None
    audit.record("directory.edit_organisation", organisation, actor.id)


def ensure_organisations(descriptions: Iterable[Mapping[str, Any]]) -> list[Organisation]:
    """Create or update organisations: mappings of slug, kind, name, country, website, description.

    name and description: by language. Raises WrongOrganisation, and then changes nothing.
    """
    checked = [_checked(description) for description in descriptions]
    found = []
    for values in checked:
        organisation = queries.find_organisation(values["slug"])
        if organisation is None:
            organisation = Organisation(**values)
            db.session.add(organisation)
        else:
            for field, value in values.items():
                setattr(organisation, field, value)
        found.append(organisation)
    db.session.flush()
    return found


def _checked(description: Mapping[str, Any]) -> dict[str, Any]:
    slug = str(description.get("slug") or "")
    name = _texts(description.get("name") or {})
    kind = description.get("kind") or OrganisationKind.INSTITUTION
    country = description.get("country") or None
    if not slug or slugify(slug) != slug:
        raise WrongOrganisation(f"organisation {slug!r}: the slug has other signs than a-z, 0-9, -")
    if not name:
        raise WrongOrganisation(f"organisation {slug}: the name is missing")
    if kind not in set(OrganisationKind):
        raise WrongOrganisation(f"organisation {slug}: unknown kind {kind!r}")
    if country is not None and not is_country(country):
        raise WrongOrganisation(f"organisation {slug}: unknown country {country!r}")
    website = description.get("website")
    return {
        "slug": slug,
        "kind": OrganisationKind(kind),
        "name": name,
        "description": _texts(description.get("description") or {}),
        "country": country,
        "website": web_address(website) if website else None,
    }


def add_role(
    organisation: Organisation, email: str, role: OrganisationRoleName, actor: User
) -> OrganisationRole:
    """Give the person with this address a role.

    Raises UnknownPerson, HasRole or NotAnAssociation.
    """
    if role == OrganisationRoleName.OFFICER and not organisation.is_association:
        raise NotAnAssociation
    user = accounts.find_user(email)
    if user is None or not user.is_active:
        raise UnknownPerson
    roles = queries.roles_in(organisation)
    if any(one.user_id == user.id and one.role == role for one in roles):
        raise HasRole
    given = OrganisationRole(organisation_id=organisation.id, user_id=user.id, role=role)
    try:
        with db.session.begin_nested():
            db.session.add(given)
    except IntegrityError:  # the same form twice at the same time
        raise HasRole from None
    audit.record("directory.add_role", organisation, actor.id, user_id=user.id, role=role.value)
    return given


def remove_role(role: OrganisationRole, actor: User) -> None:
    """Take a role away."""
    organisation = role.organisation
    audit.record(
        "directory.remove_role", organisation, actor.id, user_id=role.user_id, role=role.role
    )
    db.session.delete(role)
    db.session.flush()


def keep_membership(
    user: User, organisation: Organisation, number: str | None
) -> AssociationMembership:
    """Note that the person belongs to an association, and with which number.

    Raises NotAnAssociation.
    """
    if not organisation.is_association:
        raise NotAnAssociation
    memberships = {one.organisation_id: one for one in queries.memberships_of(user.id)}
    membership = memberships.get(organisation.id) or _new_membership(user, organisation)
    membership.number = number or None
    db.session.flush()
    emit(MembershipKept(membership))
    return membership


def _new_membership(user: User, organisation: Organisation) -> AssociationMembership:
    membership = AssociationMembership(user_id=user.id, organisation_id=organisation.id)
    try:
        with db.session.begin_nested():
            db.session.add(membership)
    except IntegrityError:  # the same form twice at the same time
        return next(
            one for one in queries.memberships_of(user.id) if one.organisation_id == organisation.id
        )
    return membership


def end_membership(membership: AssociationMembership) -> None:
    """Forget a membership."""
    user, association = membership.user, membership.organisation
    db.session.delete(membership)
    db.session.flush()
    emit(MembershipEnded(user, association))
