from __future__ import annotations

import itertools
from typing import Any

from lms.accounts.models import User
from lms.core.db import db
from lms.directory.models import Organisation, OrganisationRole
from tests.factories.accounts import make_user

_numbers = itertools.count(1)


def make_organisation(**values: Any) -> Organisation:
    number = next(_numbers)
    values.setdefault("slug", f"organisation-{number}")
    values.setdefault("name", {"en": f"Institute {number}", "es": f"Instituto {number}"})
    values.setdefault("country", "BO")
    organisation = Organisation(**values)
    db.session.add(organisation)
    db.session.commit()
    return organisation


def make_association(**values: Any) -> Organisation:
    return make_organisation(kind="association", **values)


def make_officer(association: Organisation | None = None, **values: Any) -> User:
    """A person who acts for an association."""
    user = make_user(**values)
    role = OrganisationRole(
        organisation=association or make_association(), user=user, role="officer"
    )
    db.session.add(role)
    db.session.commit()
    return user


def make_manager(organisation: Organisation | None = None, **values: Any) -> User:
    """A person who manages an organisation."""
    user = make_user(**values)
    role = OrganisationRole(
        organisation=organisation or make_organisation(), user=user, role="manager"
    )
    db.session.add(role)
    db.session.commit()
    return user
