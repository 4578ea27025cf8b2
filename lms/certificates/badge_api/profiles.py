"""The profile of a holder as Open Badges 3.0 has it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from lms.accounts.models import User
from lms.certificates.badge_api.errors import NameUnusable, ProfileFixed, ProfileUnreadable
from lms.certificates.badge_api.profile_schema import wrong_place
from lms.certificates.data_integrity import OPEN_BADGES_3
from lms.certificates.services.issue import tidy_name
from lms.core.db import db

LONGEST_NAME = 120


def profile_of(user: User) -> dict[str, Any]:
    """Name and address of a person, under an identity that is used nowhere else."""
    return {
        "@context": [OPEN_BADGES_3],
        "id": uuid.uuid5(user.uuid, "badge-profile").urn,
        "type": ["Profile"],
        "name": user.name,
        "email": user.email,
    }


def change(user: User, asked: Mapping[str, Any]) -> None:
    """Take a whole profile (6.2.5): its name is kept, and members that this site keeps nothing of
    are left out, as the answer shows, which is the profile as it now is.

    The country of the account is not one of them: it decides what a course costs.
    Raises ProfileUnreadable, ProfileFixed for another identity or address, and NameUnusable.
    """
    place = wrong_place(asked)
    if place is not None:
        raise ProfileUnreadable(place)
    present = profile_of(user)
    if any(asked.get(key, present[key]) != present[key] for key in ("id", "email")):
        raise ProfileFixed
    tidy = tidy_name(asked.get("name", ""))
    has_link = "/" in tidy or "www." in tidy.lower()
    if not tidy or len(tidy) > LONGEST_NAME or not tidy.isprintable() or has_link:
        raise NameUnusable
    user.name = tidy
    db.session.flush()
