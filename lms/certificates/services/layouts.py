"""Layouts: making, changing, choosing. A change is a new version; old ones stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext
from sqlalchemy import func, select, update

from lms.accounts.models import User
from lms.certificates.errors import LayoutInUse
from lms.certificates.layout_data import Layout, LayoutRefused
from lms.certificates.layout_models import (
    CertificateLayout,
    CourseLayout,
    LayoutFile,
    LayoutVersion,
    OutcomeAlignment,
)
from lms.certificates.models import Credential
from lms.core import audit, clock
from lms.core.db import db
from lms.core.files import FileKinds, keep_file
from lms.core.models import StoredFile
from lms.courses.models import Course
from lms.directory.models import Organisation

UNKNOWN_PICTURE = lazy_gettext("This picture does not belong to the layout. Upload it again.")
PICTURES = FileKinds(frozenset({"image/png", "image/jpeg"}), 1024 * 1024)


def newest_version(layout: CertificateLayout) -> LayoutVersion:
    """The version that certificates get now."""
    return db.session.scalars(
        select(LayoutVersion)
        .where(LayoutVersion.layout_id == layout.id)
        .order_by(LayoutVersion.number.desc())
        .limit(1)
    ).one()


def versions_of(layout: CertificateLayout) -> Sequence[LayoutVersion]:
    """All versions, the newest first."""
    return db.session.scalars(
        select(LayoutVersion)
        .where(LayoutVersion.layout_id == layout.id)
        .order_by(LayoutVersion.number.desc())
    ).all()


def layouts_of(organisation_ids: Sequence[int]) -> Sequence[CertificateLayout]:
    """The layouts of organisations, by name."""
    return db.session.scalars(
        select(CertificateLayout)
        .where(
            CertificateLayout.organisation_id.in_(organisation_ids),
            CertificateLayout.deleted_at.is_(None),
        )
        .order_by(CertificateLayout.name, CertificateLayout.id)
    ).all()


def version_of(credential: Credential) -> LayoutVersion | None:
    """The version with which a certificate was issued; None: Puente's own layout."""
    if credential.layout_version_id is None:
        return None
    return db.session.get_one(LayoutVersion, credential.layout_version_id)


def version_for(course: Course) -> LayoutVersion | None:
    """What a certificate of this course is set in now; None for Puente's own layout."""
    chosen = db.session.get(CourseLayout, course.id)
    if chosen is not None and chosen.layout_id is None:
        return None
    wanted = (
        CertificateLayout.id == chosen.layout_id
        if chosen is not None
        else (CertificateLayout.organisation_id == course.owner_id)
        & CertificateLayout.is_default
        & CertificateLayout.deleted_at.is_(None)
    )
    return db.session.scalar(
        select(LayoutVersion)
        .join(CertificateLayout, CertificateLayout.id == LayoutVersion.layout_id)
        .where(wanted)
        .order_by(LayoutVersion.number.desc())
        .limit(1)
    )


def make_layout(
    organisation: Organisation, name: str, by: User, layout: Layout | None = None
) -> CertificateLayout:
    """A new layout, as Puente's own until it is changed."""
    made = CertificateLayout(organisation_id=organisation.id, name=name)
    db.session.add(made)
    db.session.flush()
    _add_version(made, layout or Layout(), by)
    audit.record("certificates.make_layout", made, by.id)
    return made


def _add_version(layout: CertificateLayout, content: Layout, by: User) -> LayoutVersion:
    last = db.session.scalar(
        select(func.max(LayoutVersion.number)).where(LayoutVersion.layout_id == layout.id)
    )
    version = LayoutVersion(
        layout_id=layout.id, number=(last or 0) + 1, data=content.to_json(), made_by_id=by.id
    )
    db.session.add(version)
    db.session.flush()
    return version


def keep_layout(layout: CertificateLayout, name: str, content: Layout, by: User) -> LayoutVersion:
    """A new version, unless nothing was changed. Raises LayoutRefused for pictures of others."""
    foreign = content.files - own_files(layout)
    if foreign:
        raise LayoutRefused("logo", UNKNOWN_PICTURE)
    layout.name = name
    newest = newest_version(layout)
    if newest.content == content:
        return newest
    audit.record("certificates.change_layout", layout, by.id)
    return _add_version(layout, content, by)


def return_to(layout: CertificateLayout, number: int, by: User) -> LayoutVersion | None:
    """What an older version says becomes the newest; None when there is no such version."""
    older = db.session.scalar(
        select(LayoutVersion).where(
            LayoutVersion.layout_id == layout.id, LayoutVersion.number == number
        )
    )
    return keep_layout(layout, layout.name, older.content, by) if older else None


def copy_layout(layout: CertificateLayout, name: str, by: User) -> CertificateLayout:
    """Another layout that begins as this one is now, pictures included."""
    made = make_layout(layout.organisation, name, by, newest_version(layout).content)
    for file_id in own_files(layout):
        db.session.add(LayoutFile(layout_id=made.id, file_id=file_id))
    db.session.flush()
    return made


def own_files(layout: CertificateLayout) -> set[int]:
    """The numbers of the pictures that were uploaded for a layout."""
    found = db.session.scalars(select(LayoutFile.file_id).where(LayoutFile.layout_id == layout.id))
    return set(found)


def keep_picture(layout: CertificateLayout, content: bytes, name: str) -> StoredFile:
    """Keep a picture for a layout. Raises UploadRefused for what is no PNG or JPEG."""
    stored = keep_file(content, name, PICTURES)  # of the organisation, not of a person
    if db.session.get(LayoutFile, (layout.id, stored.id)) is None:
        db.session.add(LayoutFile(layout_id=layout.id, file_id=stored.id))
        db.session.flush()
    return stored


def set_default(layout: CertificateLayout, is_default: bool, by: User) -> None:
    """Let the organisation's courses use it unless they choose, or no longer."""
    db.session.execute(
        update(CertificateLayout)
        .where(
            CertificateLayout.organisation_id == layout.organisation_id,
            CertificateLayout.is_default,
            CertificateLayout.id != layout.id,
        )
        .values(is_default=False)
        .execution_options(synchronize_session="fetch")
    )
    layout.is_default = is_default
    db.session.flush()
    audit.record("certificates.default_layout", layout, by.id, is_default=is_default)


def choose_layout(course: Course, choice: CertificateLayout | str, by: User) -> None:
    """What a course's certificates are set in from now on.

    choice: a layout, "own" for Puente's, or "organisation" for what its organisation says.
    """
    row = db.session.get(CourseLayout, course.id)
    if choice == "organisation":
        if row is not None:
            db.session.delete(row)
    else:
        layout_id = choice.id if isinstance(choice, CertificateLayout) else None
        if row is None:
            db.session.add(CourseLayout(course_id=course.id, layout_id=layout_id))
        else:
            row.layout_id = layout_id
    db.session.flush()
    audit.record("certificates.choose_layout", course, by.id)


def chosen_by(course: Course) -> str:
    """What a course has chosen: the UUID of a layout, "own" or "organisation"."""
    row = db.session.get(CourseLayout, course.id)
    if row is None:
        return "organisation"
    return str(row.layout.uuid) if row.layout else "own"


def align(course: Course, values: dict[str, str | int], by: User) -> OutcomeAlignment:
    """Say what an outcome answers to elsewhere; certificates issued from now on say it."""
    made = OutcomeAlignment(course_id=course.id, **values)
    db.session.add(made)
    db.session.flush()
    audit.record("certificates.align", course, by.id, framework=made.framework)
    return made


def end_alignment(alignment: OutcomeAlignment, by: User) -> None:
    """Take an alignment away; certificates that say it go on saying it."""
    audit.record("certificates.end_alignment", alignment, by.id, framework=alignment.framework)
    db.session.delete(alignment)
    db.session.flush()


def delete_layout(layout: CertificateLayout, by: User) -> None:
    """Take a layout out of the lists; certificates keep its versions. Raises LayoutInUse."""
    used = db.session.scalar(
        select(func.count()).select_from(CourseLayout).where(CourseLayout.layout_id == layout.id)
    )
    if used:
        raise LayoutInUse
    layout.deleted_at, layout.is_default = clock.now(), False
    db.session.flush()
    audit.record("certificates.delete_layout", layout, by.id)


def bring_back(layout: CertificateLayout, by: User) -> None:
    """Undo the deletion. Safe to repeat."""
    layout.deleted_at = None
    db.session.flush()
    audit.record("certificates.bring_back_layout", layout, by.id)
