"""The profile of a holder as Open Badges 3.0 has it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from lms.accounts.models import User
from lms.certificates.badge_api.errors import ProfileFixed
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
    """Change the name of a person. All else has to be as it is.

    Raises ProfileFixed.
    """
    present = profile_of(user)
    name = asked.get("name")
    said = {key: value for key, value in asked.items() if key not in ("name", "@context", "type")}
    kind = asked.get("type")
    is_profile = kind == "Profile" or (isinstance(kind, list) and "Profile" in kind)
    if not is_profile or any(present.get(key) != value for key, value in said.items()):
        raise ProfileFixed
    tidy = tidy_name(name) if isinstance(name, str) else ""
    has_link = "/" in tidy or "www." in tidy.lower()
    if not tidy or len(tidy) > LONGEST_NAME or not tidy.isprintable() or has_link:
        raise ProfileFixed
    user.name = tidy
    db.session.flush()
