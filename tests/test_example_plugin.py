"""The example package of a third party is installed as any package is, and used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
USE = """
import re
from lms.accounts.services.sign_ins import open_sign_in
from lms.app import create_app
from lms.assessments.question_types.base import Shown, question_types
from lms.config import Settings
from lms.core.db import Model, db
from lms.reports.base import reports
from tests.factories.accounts import make_administrator, make_user
from werkzeug.datastructures import MultiDict

app = create_app(Settings(data_dir={folder!r}, secret_key="k"), testing=True)
assert "puente_example" in app.extensions["puente"].names
with app.app_context():
    Model.metadata.create_all(db.engine)
    ordering = question_types["ordering"]
    steps = [{{"id": i, "text": {{"en": t}}}} for i, t in (("a", "Listen"), ("b", "Decide"))]
    settings = ordering.check({{"steps": steps}}, "here")
    with app.test_request_context():
        html = ordering.render(settings, None, Shown(name="q1", order=["b", "a"]))
        assert html.index("Decide") < html.index("Listen")
        response = ordering.read(settings, MultiDict({{"q1-a": "1", "q1-b": "2"}}), "q1", "en")
        assert ordering.grade(settings, response) == 1.0
        assert ordering.grade(settings, ["b", "a"]) == 0.0
    make_user(profession="Forester")
    administrator = make_administrator(profession="Forester")
    browser, key = app.test_client(), open_sign_in(administrator)
    db.session.commit()
    with browser.session_transaction() as session:
        session["_user_id"] = key
        session["_fresh"] = True
page = browser.get("/admin/reports/accounts-by-profession").text
row = re.search(r"Forester.*?</tr>", page, re.S).group()
assert re.search(r">\\s*2\\s*<", row), row
print("used")
"""


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--target", folder, ROOT / "examples" / "puente_example"],
        check=True, cwd=ROOT,
    )  # fmt: skip
    return folder


def test_a_package_of_somebody_else_brings_a_question_type_and_a_report(site_packages, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", USE.format(folder=str(tmp_path))],
        env={"PYTHONPATH": f"{site_packages}:{ROOT}", "PATH": ""},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.strip().endswith("used"), done.stdout + done.stderr


def test_it_can_be_switched_off(site_packages, tmp_path):
    code = (
        "from lms.app import create_app; from lms.config import Settings;"
        f"app = create_app(Settings(data_dir={str(tmp_path)!r}, secret_key='k'));"
        "print('puente_example' in app.extensions['puente'].names)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PYTHONPATH": f"{site_packages}:{ROOT}",
            "LMS_PLUGINS_OFF": '["puente_example"]',
            "PATH": "",
        },
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.strip() == "False", done.stderr
