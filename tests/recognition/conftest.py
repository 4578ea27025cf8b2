from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from lms.accounts.models import User
from lms.directory.models import Organisation
from tests.factories.directory import make_association, make_officer


@pytest.fixture
def association(app) -> Organisation:
    return make_association(slug="colegio", name={"en": "College", "es": "Colegio"})


@pytest.fixture
def officer(association) -> User:
    return make_officer(association)


@pytest.fixture
def desk(proven, officer) -> FlaskClient:
    """The officer's browser."""
    return proven(officer)
