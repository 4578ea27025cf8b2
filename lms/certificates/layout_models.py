"""Layouts of the certificate: kept by organisations, in versions that never change."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms.accounts.models import User
from lms.certificates.layout_data import Layout, read_layout
from lms.core import clock
from lms.core.db import AnyJSON, Model, PrimaryKey
from lms.courses.models import Course
from lms.directory.models import Organisation


class CertificateLayout(Model):
    """A layout by its name. One of an organisation's is what its courses use unless they choose."""

    __tablename__ = "certificate_layouts"
    __table_args__ = (
        Index(
            "uq_certificate_layouts_default",
            "organisation_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[PrimaryKey]
    uuid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4, unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    deleted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    organisation: Mapped[Organisation] = relationship()

    __mapper_args__ = {"version_id_col": version}


class LayoutVersion(Model):
    """A layout as it was saved once. Certificates keep the one they were issued with."""

    __tablename__ = "certificate_layout_versions"
    __table_args__ = (UniqueConstraint("layout_id", "number"),)

    id: Mapped[PrimaryKey]
    layout_id: Mapped[int] = mapped_column(ForeignKey("certificate_layouts.id"))
    number: Mapped[int]
    data: Mapped[dict[str, Any]] = mapped_column(AnyJSON)  # see layout_data.Layout
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )

    layout: Mapped[CertificateLayout] = relationship()
    made_by: Mapped[User | None] = relationship()

    @property
    def content(self) -> Layout:
        """What it says."""
        return read_layout(self.data)


class LayoutFile(Model):
    """A picture that somebody uploaded for a layout, so that no other file can be shown by one."""

    __tablename__ = "certificate_layout_files"

    layout_id: Mapped[int] = mapped_column(
        ForeignKey("certificate_layouts.id"), primary_key=True, autoincrement=False
    )
    file_id: Mapped[int] = mapped_column(
        ForeignKey("stored_files.id"), primary_key=True, autoincrement=False, index=True
    )


class CourseLayout(Model):
    """The layout that a course has chosen; None: Puente's own, whatever its organisation says."""

    __tablename__ = "certificate_course_layouts"

    course_id: Mapped[int] = mapped_column(
        ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    layout_id: Mapped[int | None] = mapped_column(ForeignKey("certificate_layouts.id"), index=True)

    course: Mapped[Course] = relationship()
    layout: Mapped[CertificateLayout | None] = relationship()


class OutcomeAlignment(Model):
    """What an outcome of a course answers to in a framework elsewhere (OB 3.0 Alignment)."""

    __tablename__ = "outcome_alignments"
    __table_args__ = (Index("ix_outcome_alignments_course_id", "course_id", "outcome", "id"),)

    id: Mapped[PrimaryKey]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    outcome: Mapped[int]  # its place among the course's outcomes, from 1
    framework: Mapped[str]
    code: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    url: Mapped[str]
