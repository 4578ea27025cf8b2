"""What lies in the data folder is for its owner only."""

from __future__ import annotations

import os

from lms.app import create_app
from lms.config import Settings
from lms.core.checks import run_checks
from lms.core.db import Model, db


def test_the_data_folder_and_its_databases_are_for_their_owner_only(tmp_path):
    before = os.umask(0o022)
    try:
        app = create_app(Settings(data_dir=tmp_path / "data", rate_limits=False))
        with app.app_context():
            Model.metadata.create_all(db.engine)
            findings = {finding.name: finding for finding in run_checks()}
            (tmp_path / "data").chmod(0o755)
            afterwards = {finding.name: finding for finding in run_checks()}
            db.session.close()
            db.engine.dispose()
    finally:
        os.umask(before)

    assert findings["privacy"].is_ok
    assert not afterwards["privacy"].is_ok
    assert "chmod 700" in afterwards["privacy"].text
    files = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    kept = {name: mode for name, mode in files.items() if name.endswith((".sqlite3", "_key"))}
    assert {"puente.sqlite3", "queue.sqlite3", "limits.sqlite3", "secret_key"} <= set(kept)
    assert set(kept.values()) == {0o600}
