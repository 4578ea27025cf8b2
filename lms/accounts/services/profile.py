"""What people tell about themselves."""

from __future__ import annotations

from lms.accounts.models import User
from lms.core.db import db


def edit_profile(
    user: User,
    *,
    name: str,
    language: str,
    time_zone: str,
    country: str | None,
    profession: str | None,
) -> None:
    """Keep the person's profile. The name is as it shall stand on certificates to come."""
    user.name = name
    user.language = language
    user.time_zone = time_zone
    user.country = country
    user.profession = profession
    db.session.flush()
