"""How often strangers may guess. With an app of its own, since the others run without limits."""

from __future__ import annotations

from lms.app import create_app
from lms.config import Settings
from lms.core.db import Model, db, write_intent
from lms.core.limits import limiter
from tests.factories.certificates import make_credential


def test_wrong_codes_are_limited_and_right_ones_are_not(tmp_path):
    settings = Settings(
        data_dir=tmp_path, rate_limits=True, secret_key="a key for tests only", log_level="WARNING"
    )
    app = create_app(settings, testing=True)
    try:
        with app.app_context(), write_intent(True):
            Model.metadata.create_all(db.engine)
            code = make_credential().code
            db.session.close()
        limiter.reset()
        client = app.test_client()
        right = [client.get(f"/verify/{code}").status_code for _number in range(70)]
        wrong = [
            client.get(f"/verify/PU-0000-0000-0000-{number:04d}").status_code
            for number in range(1000, 1061)
        ]

        assert right == [200] * 70
        assert wrong == [404] * 60 + [429]
        assert client.get("/verify/PU-0000-0000-0000-9999.json").status_code == 429
    finally:
        limiter.reset()
        limiter.enabled = False
        with app.app_context():
            db.engine.dispose()
