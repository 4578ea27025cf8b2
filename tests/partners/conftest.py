"""Fixtures of the partners tests: cards that nobody is asked for, a run, two institutions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from tests.doubles.stripe import API_KEY
from tests.factories.payments import make_paid_run
from tests.partners.ways import MONDAY, PRICE


@pytest.fixture(autouse=True)
def cards(app, settings):
    app.extensions["settings"] = settings.model_copy(
        update={"stripe_secret_key": SecretStr(API_KEY)}
    )
    yield
    app.extensions["settings"] = settings


@pytest.fixture
def run(app):
    """Three weeks from a Monday, for 100 dollars."""
    return make_paid_run(
        price=PRICE, starts_on=MONDAY, ends_on=MONDAY + timedelta(days=20), time_zone="UTC"
    )
