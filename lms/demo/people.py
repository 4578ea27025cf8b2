"""Demo people: four with a role each, and a cohort with invented names."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from lms.accounts.models import User
from lms.accounts.passwords import hash_password
from lms.core import clock
from lms.core.db import db
from lms.directory.models import (
    AssociationMembership,
    Organisation,
    OrganisationRole,
    OrganisationRoleName,
)

PASSWORD = "puente-demo"  # noqa: S105  # printed by the demo, of no use elsewhere


@dataclass(frozen=True)
class Person:
    """An invented person."""

    email: str
    name: str
    country: str
    time_zone: str
    language: str
    profession: str


ACCOUNTS = {
    "learner": Person(
        "learner@example.org",
        "Lucía Fernández Rojas",
        "BO",
        "America/La_Paz",
        "en",
        "Urban planner",
    ),
    "instructor": Person(
        "instructor@example.org", "Rosa Quispe Mamani", "BO", "America/La_Paz", "en", "Sociologist"
    ),
    "association": Person(
        "association@example.org", "Jorge Salinas Vega", "BO", "America/La_Paz", "en", "Architect"
    ),
    "admin": Person(
        "admin@example.org", "Anne Tremblay", "CA", "America/Toronto", "en", "Administrator"
    ),
}
COLLEAGUE = Person(
    "colleague@example.org", "Daniel Okafor", "CA", "America/Toronto", "en", "Community planner"
)
COHORT = [
    Person(f"person{i}@example.org", name, country, zone, language, profession)
    for i, (name, country, zone, language, profession) in enumerate(
        [
            ("María Condori Choque", "BO", "America/La_Paz", "es", "Municipal officer"),
            ("João Batista Ferreira", "BR", "America/Sao_Paulo", "pt", "Social worker"),
            ("Élise Gagnon", "CA", "America/Toronto", "fr", "Urban planner"),
            ("Wayra Ñaupari Huamán", "PE", "America/Lima", "es", "Community promoter"),
            ("Carlos Andrés Muñoz", "CO", "America/Bogota", "es", "Economist"),
            ("Sarah Whitebear", "CA", "America/Winnipeg", "en", "Band council planner"),
            ("Verónica Guamán", "EC", "America/Guayaquil", "es", "Agronomist"),
            ("Pedro Huenchumán", "CL", "America/Santiago", "es", "Teacher"),
            ("Ana Sofía Ixchel Caal", "GT", "America/Guatemala", "es", "NGO coordinator"),
            ("Thiago Nogueira Lima", "BR", "America/Recife", "pt", "Municipal officer"),
            ("Marie-Ève Bélanger", "CA", "America/Montreal", "fr", "Architect"),
            ("Luis Alberto Mamani", "BO", "America/La_Paz", "es", "Irrigation technician"),
            ("Fernanda Ruiz Ocampo", "MX", "America/Mexico_City", "es", "Lawyer"),
            ("Grace Mensah", "CA", "America/Toronto", "en", "Public health nurse"),
            ("Gabriela Pereira", "UY", "America/Montevideo", "es", "Statistician"),
            ("Óscar Vargas Solano", "CR", "America/Costa_Rica", "es", "Forester"),
        ],
        start=1,
    )
]


def ensure_person(person: Person, *, is_administrator: bool = False) -> User:
    """The person's account, made when it is missing; what was changed since stays."""
    user = db.session.scalar(select(User).where(User.email_folded == person.email.casefold()))
    if user is None:
        user = User(
            email=person.email,
            email_folded=person.email.casefold(),
            name=person.name,
            country=person.country,
            time_zone=person.time_zone,
            language=person.language,
            profession=person.profession,
            is_administrator=is_administrator,
            email_confirmed_at=clock.now(),
            password_hash=hash_password(PASSWORD),
        )
        db.session.add(user)
        db.session.flush()
    return user


def ensure_role(user: User, organisation: Organisation, role: OrganisationRoleName) -> None:
    """Give the person a role in the organisation, unless they have it."""
    exists = db.session.scalar(
        select(OrganisationRole.id).where(
            OrganisationRole.user_id == user.id,
            OrganisationRole.organisation_id == organisation.id,
            OrganisationRole.role == role,
        )
    )
    if exists is None:
        db.session.add(OrganisationRole(user=user, organisation=organisation, role=role))
        db.session.flush()


def ensure_membership(user: User, association: Organisation, number: str) -> None:
    """Note the person's membership of an association, unless it is there."""
    exists = db.session.scalar(
        select(AssociationMembership.id).where(
            AssociationMembership.user_id == user.id,
            AssociationMembership.organisation_id == association.id,
        )
    )
    if exists is None:
        db.session.add(AssociationMembership(user=user, organisation=association, number=number))
        db.session.flush()
