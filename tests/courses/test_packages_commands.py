from __future__ import annotations

from click.testing import CliRunner
from flask.cli import ScriptInfo
from sqlalchemy import select

from lms.cli import cli
from lms.core.db import db
from lms.courses.models import Course
from tests.courses.package_tree import tree, write_package
from tests.factories.accounts import make_user
from tests.factories.directory import make_organisation


def run(app, *arguments):
    db.session.commit()
    house = ScriptInfo(create_app=lambda: app)
    answer = CliRunner().invoke(cli, [str(a) for a in arguments], obj=house)
    db.session.expire_all()
    return answer


def whole_package(folder):
    return write_package(folder, files={"course.en.md": "About it.", "course.es.md": "Es esto."})


def test_a_course_is_imported_given_to_somebody_and_published(app, tmp_path) -> None:
    make_organisation(slug="institute")
    other = make_organisation(slug="other")
    teacher = make_user(email="teacher@example.org")
    folder = whole_package(tmp_path / "p")

    answer = run(
        app, "import-course", folder, "--owner", "other", "--instructor", "Teacher@example.org",
        "--publish",
    )  # fmt: skip

    assert answer.exit_code == 0, answer.output
    assert "Created the course reading-a-budget" in answer.output
    course = db.session.scalar(select(Course))
    assert course.is_published
    assert course.owner_id == other.id
    assert [row.user_id for row in course.staff] == [teacher.id]
    assert "Renewed" in run(app, "import-course", folder).output


def test_a_course_is_exported_as_folder_and_as_zip(app, tmp_path) -> None:
    make_organisation(slug="institute")
    run(app, "import-course", whole_package(tmp_path / "p"))
    assert run(app, "export-course", "reading-a-budget", tmp_path / "out").exit_code == 0
    assert run(app, "export-course", "reading-a-budget", tmp_path / "out.zip").exit_code == 0
    assert run(app, "import-course", tmp_path / "out.zip").exit_code == 0
    run(app, "export-course", "reading-a-budget", tmp_path / "again")
    assert tree(tmp_path / "out") == tree(tmp_path / "again")


def test_refusals_say_what_to_do_and_change_nothing(app, tmp_path) -> None:
    folder = whole_package(tmp_path / "p")
    for arguments, says in (
        (["import-course", folder], "There is no organisation “institute”"),
        (["import-course", folder, "--owner", "none"], "There is no organisation “none”"),
        (["import-course", folder, "--instructor", "x@example.org"], "Nobody has an account"),
        (["import-course", tmp_path], "course.yaml must lie at the top"),
        (["export-course", "none", tmp_path / "x"], "There is no course “none”"),
    ):
        answer = run(app, *arguments)
        assert answer.exit_code == 1, arguments
        assert says in answer.output
    assert db.session.scalar(select(Course)) is None


def test_nothing_is_written_over(app, tmp_path) -> None:
    make_organisation(slug="institute")
    folder = whole_package(tmp_path / "p")
    run(app, "import-course", folder)
    answer = run(app, "export-course", "reading-a-budget", folder)
    assert answer.exit_code == 1
    assert "This is there already" in answer.output
    assert run(
        app, "export-course", "reading-a-budget", tmp_path / "x", "--format", "none"
    ).exit_code
    assert not (tmp_path / "x").exists()
