from __future__ import annotations

import itertools
from typing import Any

import pyotp

from lms.accounts.models import SecondFactor, User
from lms.accounts.passwords import hash_password
from lms.accounts.services import second_factor
from lms.core import clock
from lms.core.db import db

PASSWORD = "tres gatos verdes"

_numbers = itertools.count(1)


def make_user(*, password: str | None = None, **values: Any) -> User:
    """A confirmed person; `email`, `name` and all else can be given.

    Cannot sign in by password unless one is given, since hashing costs time.
    """
    number = next(_numbers)
    values.setdefault("email", f"person{number}@example.org")
    values.setdefault("name", f"Person {number}")
    values.setdefault("time_zone", "America/La_Paz")
    values.setdefault("email_confirmed_at", clock.now())
    if password is not None:
        values["password_hash"] = hash_password(password)
    user = User(email_folded=values["email"].casefold(), **values)
    db.session.add(user)
    db.session.commit()
    return user


def make_administrator(**values: Any) -> User:
    return make_user(is_administrator=True, **values)


def code_of(factor: SecondFactor) -> str:
    """What the person's app shows now."""
    return pyotp.TOTP(second_factor.secret_of(factor)).at(clock.now())


def give_second_factor(user: User) -> SecondFactor:
    """A second factor in use."""
    factor = second_factor.begin(user)
    second_factor.confirm(factor, code_of(factor))
    db.session.commit()
    return factor
