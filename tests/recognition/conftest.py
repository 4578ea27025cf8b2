from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from lms.accounts.models import SignIn, User
from lms.core import clock
from lms.core.db import db
from lms.directory.models import Organisation
from tests.factories.accounts import give_second_factor
from tests.factories.directory import make_association, make_officer


@pytest.fixture
def association(app) -> Organisation:
    return make_association(slug="colegio", name={"en": "College", "es": "Colegio"})


@pytest.fixture
def officer(association) -> User:
    return make_officer(association)


@pytest.fixture
def proven(signed_in) -> Callable[[User], FlaskClient]:
    """A browser in which this person has just proven the second factor."""

    def sign_in(user: User) -> FlaskClient:
        give_second_factor(user)
        browser = signed_in(user)
        db.session.execute(
            update(SignIn).where(SignIn.user_id == user.id).values(second_factor_at=clock.now())
        )
        db.session.commit()
        return browser

    return sign_in


@pytest.fixture
def desk(proven, officer) -> FlaskClient:
    """The officer's browser."""
    return proven(officer)
