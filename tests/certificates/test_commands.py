"""`lms verify`."""

from __future__ import annotations

import json

from tests.factories.certificates import make_credential


def test_verify_answers_scripts_by_its_exit_code(app, other, tmp_path):
    credential = make_credential()
    own, foreign, forged = (tmp_path / name for name in ("a.json", "b.json", "c.json"))
    own.write_text(credential.document)
    foreign.write_text(json.dumps(other.credential()))
    forged.write_text(credential.document.replace("Rosa", "Rita"))
    runner = app.test_cli_runner()

    good = runner.invoke(args=["verify", str(own), str(foreign), credential.code])
    bad = runner.invoke(args=["verify", "--json", str(own), str(forged), "PU-0000", "/no/such"])

    assert good.exit_code == 0, good.output
    assert [line.split()[0] for line in good.output.splitlines()] == ["valid"] * 3
    assert bad.exit_code == 1
    states = [json.loads(line)["state"] for line in bad.output.splitlines()]
    assert states == ["valid", "altered", "unreadable", "unreadable"]
    assert "Rita" not in bad.output
