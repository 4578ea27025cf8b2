"""Statements from files: own exports, other stores' exports, all or none."""

from __future__ import annotations

import io
import json
import uuid

import pytest
from sqlalchemy import func, select

from lms.core.db import db, transaction
from lms.core.models import AuditEntry
from lms.xapi import vocabulary
from lms.xapi.browse import Wanted
from lms.xapi.models import StoredStatement, XapiKey
from lms.xapi.services.access import find_access
from lms.xapi.services.export import FORMATS, export_parts
from lms.xapi.services.importing import MOST_PROBLEMS, ImportRefused, import_statements
from tests.factories.accounts import make_administrator, make_user
from tests.xapi.test_browse import keep

AUTHORITY = {"mbox": "mailto:other-store@example.org"}


def made(**values):
    return {
        "id": str(uuid.uuid4()),
        "actor": {"mbox": "mailto:ana@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/completed"},
        "object": {"id": "https://example.org/page"},
        "authority": AUTHORITY,
        "timestamp": "2021-01-01T00:00:00Z",
        "stored": "2021-01-01T00:00:01Z",
        **values,
    }


def read(text: str):
    return import_statements(io.StringIO(text))


def lines(*statements) -> str:
    return "".join(json.dumps(one) + "\n" for one in statements)


def kept() -> list[dict]:
    found = select(StoredStatement.document).order_by(StoredStatement.id)
    return [json.loads(document) for document in db.session.scalars(found)]


def count() -> int:
    return db.session.scalar(select(func.count()).select_from(StoredStatement)) or 0


@pytest.mark.parametrize(
    "written",
    [
        lambda some: lines(*some),
        lambda some: "\ufeff" + lines(*some).replace("\n", "\r\n"),
        lambda some: "\n\n" + lines(*some).rstrip("\n"),
        lambda some: json.dumps(some),
        lambda some: json.dumps(some, indent=2),
        lambda some: json.dumps({"statements": some, "more": ""}),
    ],
)
def test_json_lines_arrays_and_answers_of_other_stores_are_read(app, written):
    some = [made(), made(), made()]

    report = read(written(some))

    assert (report.read, report.stored, report.known) == (3, 3, 0)
    assert [one["id"] for one in kept()] == [one["id"] for one in some]


def test_ids_times_and_authorities_stay_and_numbers_keep_their_form(app):
    text = lines(made()).replace('"object"', '"result":{"score":{"raw":1.0}},"object"')

    read(text)

    [one] = kept()
    assert one["authority"] == AUTHORITY
    assert one["timestamp"] == "2021-01-01T00:00:00Z"
    assert one["stored"] != "2021-01-01T00:00:01Z"
    assert '"raw":1.0' in db.session.scalars(select(StoredStatement.document)).one().replace(
        " ", ""
    )


def test_an_own_export_can_be_read_again_without_effect(app):
    keep(1100)
    text = b"".join(export_parts(FORMATS["jsonl"], Wanted())).decode()

    report = read(text)

    assert (report.read, report.stored, report.known) == (1100, 0, 1100)


def test_an_export_fills_an_empty_store_with_the_same_statements(app):
    keep(30)
    text = b"".join(export_parts(FORMATS["jsonl"], Wanted())).decode()
    before = kept()
    db.session.query(StoredStatement).delete()

    read(text)

    def bare(some):
        return [{k: v for k, v in one.items() if k != "stored"} for one in some]

    assert bare(kept()) == bare(before)


def test_a_statement_that_stands_twice_is_stored_once(app):
    one = made()

    report = read(lines(one, one))

    assert (report.stored, report.known, count()) == (1, 1, 1)


def test_conflicts_and_refusals_are_told_with_their_lines_and_nothing_is_stored(app):
    [known] = keep()
    text = lines(made(), made(id=known), made(result={"success": "yes"})) + "{\n" + lines(made())

    with pytest.raises(ImportRefused) as refusal, transaction():
        read(text)

    problems = refusal.value.report.problems
    assert [problem.line for problem in problems] == [2, 3, 4]
    by_line = {problem.line: problem.text for problem in problems}
    assert known in by_line[2]
    assert "success" in by_line[3]
    assert "JSON" in by_line[4]
    assert count() == 1


def test_lines_are_counted_in_arrays_too(app):
    text = json.dumps([made(), made(verb={})], indent=1)

    with pytest.raises(ImportRefused) as refusal, transaction():
        read(text)

    [problem] = refusal.value.report.problems
    assert text.splitlines()[problem.line - 1].strip() == "{"
    assert problem.line > 10


@pytest.mark.parametrize(
    "text",
    ['[{"actor":', "[", "nonsense", "[1, 2]", '{"a": 1}', "[" * 100_000, '{"statements": [{"a"'],
)
def test_what_is_no_list_of_statements_is_refused(app, text):
    with pytest.raises(ImportRefused), transaction():
        read(text)

    assert count() == 0


def test_an_empty_file_has_nothing_to_import(app):
    assert read("").read == 0
    assert read("[]").read == 0


def test_after_many_problems_it_stops(app):
    with pytest.raises(ImportRefused) as refusal, transaction():
        read("{}\n" * 10_000)

    assert len(refusal.value.report.problems) == MOST_PROBLEMS
    assert refusal.value.report.read == MOST_PROBLEMS


def test_statements_longer_than_a_part_are_read_whole(app):
    definition = {"name": {"en": "x" * 600_000}}
    long = made(object={"id": "https://example.org/page", "definition": definition})

    assert read(json.dumps([long, made()])).stored == 2


def test_a_voiding_statement_of_another_store_voids_here(app):
    target = made()
    thing = {"objectType": "StatementRef", "id": target["id"]}
    read(lines(target, made(verb={"id": vocabulary.VERBS["voided"][0]}, object=thing)))

    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id)).all()
    assert [row.is_voided for row in rows] == [True, False]


@pytest.fixture
def lms(app):
    """Run a command of the house; gives its result."""
    db.session.commit()
    runner = app.test_cli_runner()

    def run(*arguments):
        result = runner.invoke(args=list(arguments))
        db.session.expire_all()
        return result

    return run


def test_the_command_exports_and_imports(lms, tmp_path):
    [first] = keep()
    keep(4, verb={"id": "https://example.org/verbs/juggled"})
    target = tmp_path / "out.jsonl"

    result = lms("statements", "export", str(target), "--verb", "https://example.org/verbs/juggled")

    assert result.exit_code == 0, result.output
    assert len(target.read_text().splitlines()) == 4
    with target.open("a") as file:
        file.write(lines(made()))
    tried = lms("statements", "import", str(target), "--dry-run")
    assert "5 read, 1 would be stored, 4 known" in tried.output
    assert count() == 5
    assert "5 read, 1 stored, 4 known" in lms("statements", "import", str(target)).output
    assert count() == 6
    assert "xapi.import_statements" in db.session.scalars(select(AuditEntry.act)).all()
    target.write_text(lines(made(id=first)))
    refused = lms("statements", "import", str(target))
    assert refused.exit_code == 1
    assert "line 1" in refused.output
    assert "Nothing was stored" in refused.output


def test_keys_are_made_rotated_given_an_end_and_revoked_by_command(lms):
    made_now = lms("xapi-keys", "make", "A tool", "--scope", "state", "--scope", "statements/write",
                   "--limit", f"registration:{uuid.uuid4()}")  # fmt: skip
    assert made_now.exit_code == 0, made_now.output
    words = made_now.output.split()
    key, secret = words[words.index("key") + 1], words[words.index("secret") + 1]
    assert find_access(key, secret) is not None
    assert "A tool" in lms("xapi-keys", "list").output

    rotated = lms("xapi-keys", "rotate", key, "--overlap", "2").output.split()
    assert find_access(key, rotated[rotated.index("secret") + 1]) is not None
    assert find_access(key, secret) is not None

    assert lms("xapi-keys", "expire", key, "2099-12-31").exit_code == 0
    assert db.session.scalars(select(XapiKey)).one().expires_at is not None
    assert lms("xapi-keys", "revoke", key).exit_code == 0
    assert find_access(key, secret) is None
    acts = set(db.session.scalars(select(AuditEntry.act)))
    assert acts == {"xapi.make_key", "xapi.rotate_key", "xapi.set_expiry", "xapi.revoke_key"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("xapi-keys", "revoke", "nobody"), ("xapi-keys", "make", "x", "--scope", "fly"),
        ("xapi-keys", "make", "x", "--scope", "all", "--limit", "ship:1"),
        ("xapi-keys", "make", "x", "--scope", "all", "--expires", "soon"),
        ("statements", "export", "-", "--of", "course:nonsense"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told(lms, arguments):
    result = lms(*arguments)

    assert result.exit_code != 0
    assert "Traceback" not in result.output


PAGE = "/admin/learning-records/import"


def upload(browser, text: str):
    return browser.post(PAGE, data={"file": (io.BytesIO(text.encode()), "statements.jsonl")})


def test_only_administrators_import(client, signed_in):
    for method in ("GET", "POST"):
        assert client.open(PAGE, method=method).status_code in (302, 303)
        assert signed_in(make_user()).open(PAGE, method=method).status_code == 403
    assert upload(signed_in(make_user()), lines(made())).status_code == 403
    assert count() == 0


def test_a_file_is_imported_in_the_browser(signed_in):
    browser = signed_in(make_administrator())
    assert browser.get(PAGE).status_code == 200
    text = lines(made(), made())

    first, again = upload(browser, text), upload(browser, text)

    assert "The file is imported" in first.text
    assert again.status_code == 200
    assert count() == 2
    acts = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(act.details["stored"], act.details["known"]) for act in acts] == [(2, 0), (0, 2)]


def test_a_wrong_file_stores_nothing_and_says_where_it_is_wrong(signed_in):
    browser = signed_in(make_administrator())

    answer = upload(browser, lines(made(), made(verb={"id": "<b>"})))

    assert answer.status_code == 422
    assert "Line 2" in answer.text
    assert count() == 0
    assert browser.post(PAGE).status_code == 422
    latin = browser.post(PAGE, data={"file": (io.BytesIO(b'{"a": "\xe9"}'), "x.jsonl")})
    assert latin.status_code == 422
    assert "UTF-8" in latin.text
