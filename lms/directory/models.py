"""Organisations, roles in them, and membership of associations."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import ByLanguage, Model, PrimaryKey
from lms.core.text import fold


class OrganisationKind(StrEnum):
    """What an organisation is to Puente."""

    INSTITUTION = "institution"  # teaches
    ASSOCIATION = "association"  # recognises


class OrganisationRoleName(StrEnum):
    """What a person does for an organisation."""

    MANAGER = "manager"
    OFFICER = "officer"  # of an association: verifies and recognises
    MEMBER = "member"


class Organisation(Model):
    """An institution or a professional association."""

    __tablename__ = "organisations"

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(default=OrganisationKind.INSTITUTION, index=True)
    name: Mapped[ByLanguage]
    search_text: Mapped[str] = mapped_column(default="")  # the names in all languages, folded
    description: Mapped[ByLanguage] = mapped_column(default=dict)
    country: Mapped[str | None]  # ISO 3166-1 alpha-2
    website: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    roles: Mapped[list[OrganisationRole]] = relationship(
        back_populates="organisation", cascade="all, delete-orphan"
    )

    @validates("name")
    def _keep_searchable(self, key: str, name: ByLanguage) -> ByLanguage:
        self.search_text = fold(" ".join(name.values()))
        return name

    @property
    def is_association(self) -> bool:
        """Whether it recognises rather than teaches."""
        return self.kind == OrganisationKind.ASSOCIATION


class OrganisationRole(Model):
    """One person's role in one organisation."""

    __tablename__ = "organisation_roles"
    __table_args__ = (UniqueConstraint("organisation_id", "user_id", "role"),)

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
    organisation: Mapped[Organisation] = relationship(back_populates="roles")
    user: Mapped[User] = relationship()


class AssociationMembership(Model):
    """A person's membership of a professional association, as they state it."""

    __tablename__ = "association_memberships"
    __table_args__ = (UniqueConstraint("user_id", "organisation_id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    number: Mapped[str | None]  # membership number
    organisation: Mapped[Organisation] = relationship()
    user: Mapped[User] = relationship()
