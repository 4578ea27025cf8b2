from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from lms.core.db import db
from lms.courses.errors import PackageError
from lms.courses.models import Activity, Course, Progress
from lms.courses.packages.archive import pack, unpack
from lms.courses.packages.checks import problems_of
from lms.courses.packages.folder_export import FolderExporter
from lms.courses.packages.folder_import import FolderImporter
from lms.courses.services.topics import ensure_topics
from tests.courses.package_tree import (
    SVG,
    KindWithQuestions,
    stand_in_for_missing_kinds,
    tree,
    write_package,
)
from tests.factories.courses import make_enrolment, make_run
from tests.factories.directory import make_association, make_organisation

SHIPPED = Path(__file__).parents[2] / "content_packages"
PAGE = {"kind": "page", "title": {"en": "Page", "es": "Página"}}


@pytest.fixture
def kinds(app):
    """All five kinds of the format, whatever rooms are there."""
    added = stand_in_for_missing_kinds(app)
    yield
    for kind in added:
        del app.extensions["puente"].declared["activity_types"][kind]


@pytest.fixture
def institute(kinds):
    return make_organisation(slug="institute")


def bring_in(folder: Path, **options):
    report = FolderImporter().read(folder, None, **options)
    db.session.commit()
    return report


def send_out(course: Course, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    FolderExporter().write(course, folder)
    return tree(folder)


def problems(folder: Path) -> list[str]:
    with pytest.raises(PackageError) as caught:
        FolderImporter().read(folder, None)
    db.session.rollback()
    return [f"{where}: {message}" for where, message in problems_of(caught.value)]


def test_a_package_becomes_a_course(institute, tmp_path) -> None:
    folder = write_package(
        tmp_path / "p",
        media={"plan.svg": SVG},
        files={"course.en.md": "About it: ![Plan](media/plan.svg)\n"},
    )

    report = bring_in(folder)

    course = report.course
    assert report.is_new
    assert (course.slug, course.owner.slug, course.state) == (
        "reading-a-budget", "institute", "draft",
    )  # fmt: skip
    [module] = course.modules
    [welcome] = module.activities
    assert (module.slug, welcome.slug, welcome.kind) == ("first-steps", "welcome", "page")
    assert welcome.text == {"en": "## Hello\n\nRead *this*.", "es": "## Hola\n\nLea *esto*."}
    assert [media.name for media in course.media] == ["plan.svg"]
    assert "presupuesto" in course.search_text


def test_progress_is_told_step_by_step(institute, tmp_path) -> None:
    told = []
    FolderImporter().read(write_package(tmp_path / "p"), None, lambda *step: told.append(step))
    assert [(done, of) for done, of, _what in told] == [(1, 2), (2, 2)]


def test_an_export_is_the_same_after_a_second_round(institute, tmp_path) -> None:
    folder = write_package(
        tmp_path / "p",
        media={"plan.svg": SVG},
        files={"course.es.md": "Plano: ![Plano](media/plan.svg)\r\n\r\n\r\n"},
    )
    first = send_out(bring_in(folder).course, tmp_path / "first")
    second = send_out(bring_in(tmp_path / "first").course, tmp_path / "second")
    assert first == second
    assert first["course.es.md"] == b"Plano: ![Plano](media/plan.svg)\n"
    assert first["media/plan.svg"] == SVG


@pytest.mark.parametrize("slug", [path.parent.name for path in SHIPPED.glob("*/course.yaml")])
def test_the_shipped_courses_travel_without_loss(kinds, tmp_path, slug) -> None:
    ensure_topics()
    for name in ("instituto-puente", "centro-andino"):
        make_organisation(slug=name)
    make_association(slug="colegio-planificadores")
    report = bring_in(SHIPPED / slug)
    assert not report.skipped
    first = send_out(report.course, tmp_path / "first")
    again = bring_in(tmp_path / "first")
    assert not again.is_new
    assert send_out(again.course, tmp_path / "second") == first
    texts = {name for name in tree(SHIPPED / slug) if name.endswith(".md") or "media/" in name}
    assert {Path(name).name for name in texts} == {
        Path(name).name for name in first if name.endswith(".md") or "media/" in name
    }


def test_what_lies_beside_the_common_keys_is_given_to_the_kind(institute, app, tmp_path) -> None:
    declared = app.extensions["puente"].declared["activity_types"]
    kept, declared["quiz"] = declared["quiz"], KindWithQuestions("quiz")
    try:
        quiz = {
            "kind": "quiz",
            "title": {"en": "Quiz"},
            "settings": {"attempts": 3, "questions": [{"id": "a", "prompt": {"en": "?"}}]},
        }
        folder = write_package(
            tmp_path / "p",
            modules={"01-m": {"module.yaml": {"title": {"en": "M"}}, "01-q.yaml": quiz}},
        )
        [quiz_kept] = bring_in(folder).course.modules[0].activities
        assert declared["quiz"].kept[quiz_kept.id] == [{"id": "a", "prompt": {"en": "?"}}]
        assert quiz_kept.settings == {"attempts": 3}
    finally:
        declared["quiz"] = kept


def test_a_second_import_renews_the_course_in_place(institute, tmp_path) -> None:
    course = bring_in(write_package(tmp_path / "one")).course
    [welcome] = course.modules[0].activities
    identity = (course.id, course.uuid, welcome.id)

    folder = write_package(
        tmp_path / "two",
        course={"title": {"en": "Reading budgets"}},
        modules={
            "01-new": {"module.yaml": {"title": {"en": "New"}}, "01-start.yaml": PAGE},
            "02-first-steps": {
                "module.yaml": {"title": {"en": "Steps"}},
                "01-welcome.yaml": PAGE,
            },
        },
    )
    report = bring_in(folder)

    assert not report.is_new
    assert course.title == {"en": "Reading budgets"}
    assert (course.id, course.uuid, course.modules[1].activities[0].id) == identity
    assert [module.slug for module in course.modules] == ["new", "first-steps"]


def test_what_learners_worked_on_is_kept_back_and_the_rest_goes(institute, tmp_path) -> None:
    course = bring_in(
        write_package(
            tmp_path / "one",
            modules={
                "01-a": {
                    "module.yaml": {"title": {"en": "A"}},
                    "01-read.yaml": PAGE,
                    "02-unread.yaml": PAGE,
                },
                "02-b": {"module.yaml": {"title": {"en": "B"}}, "01-last.yaml": PAGE},
            },
        )
    ).course
    read = course.modules[0].activities[0]
    enrolment = make_enrolment(make_run(course))
    db.session.add(Progress(enrolment=enrolment, activity=read))
    db.session.commit()

    report = bring_in(
        write_package(
            tmp_path / "two",
            modules={"01-b": {"module.yaml": {"title": {"en": "B"}}, "01-last.yaml": PAGE}},
        )
    )

    db.session.expire_all()
    left = {a.slug: a for a in db.session.scalars(select(Activity))}
    assert set(left) == {"read", "last"}
    assert not left["read"].is_published
    assert left["read"].module.slug == "b"
    assert left["last"].is_published
    assert report.removed == ["a/unread", "a"]
    assert any("kept back" in warning for warning in report.warnings)
    assert db.session.scalar(select(Progress)) is not None


def test_a_new_picture_takes_the_place_of_the_old_one(institute, tmp_path) -> None:
    files = {"course.en.md": "![Plan](media/plan.svg)"}
    course = bring_in(write_package(tmp_path / "1", media={"plan.svg": SVG}, files=files)).course
    other = SVG.replace(b'"2"', b'"1"')
    bring_in(write_package(tmp_path / "2", media={"plan.svg": other}, files=files))
    [media] = course.media
    assert media.file.size == len(other)
    report = bring_in(write_package(tmp_path / "3"))
    db.session.expire_all()
    assert course.media == []
    assert report.removed == ["media/plan.svg"]


def test_every_mistake_is_named_with_file_line_and_key(institute, tmp_path) -> None:
    folder = write_package(
        tmp_path / "p",
        files={
            "course.yaml": (
                "format: 1\nslug: Bad Slug\ntitle: {en: A, english: B}\nhours: many\n"
                "weeks: 2\nlanguages: [en]\nowner: institute\ncolour: red\n"
            )
        },
        modules={
            "01-m": {
                "module.yaml": {"summary": {"en": "No title"}},
                "01-x.yaml": {"kind": "page", "title": {"en": "X"}, "minutes": 0},
                "02-y.en.md": "Lonely text",
                "Third.yaml": PAGE,
            }
        },
    )
    found = problems(folder)
    assert any(p.startswith("course.yaml, line 2, slug: “Bad Slug” has the wrong") for p in found)
    assert any(p.startswith("course.yaml, line 3, title.english: “english” is not") for p in found)
    assert any(p.startswith("course.yaml, line 4, hours: Expected a number") for p in found)
    assert any(p.startswith("course.yaml, line 8, colour: The key “colour” is not") for p in found)
    assert any("module.yaml" in p and "“title” is missing" in p for p in found)
    assert any("01-x.yaml" in p and "minutes: Too small" in p for p in found)
    assert any("02-y.en.md" in p and "no 02-y.yaml" in p for p in found)
    assert any("Third" in p and "wrong form" in p for p in found)
    assert db.session.scalar(select(Course)) is None


@pytest.mark.parametrize(
    ("course", "activity", "says"),
    [
        ({"owner": "nobody"}, {}, "course.yaml, line 14, owner: There is no organisation “nobody”"),
        ({"topic": "astrology"}, {}, "topic: Must be one of: learning"),
        ({}, {"kind": "hologram"}, "No plugin knows activities of the kind “hologram”"),
        ({}, {"completion": "danced"}, "completion: Must be one of: viewed"),
        ({}, {"settings": {"a": "media/none.png"}}, "media/none.png is not in the package"),
        ({}, {"colour": "red"}, "colour: The key “colour” is not known here"),
    ],
)
def test_what_does_not_fit_the_house_is_refused(
    institute, tmp_path, course, activity, says
) -> None:
    ensure_topics()
    folder = write_package(
        tmp_path / "p",
        course=course,
        modules={"01-m": {"module.yaml": {"title": {"en": "M"}}, "01-x.yaml": PAGE | activity}},
    )
    assert any(says in problem for problem in problems(folder)), problems(folder)


def test_a_kind_of_a_room_that_is_off_names_the_plugin(institute, app, tmp_path) -> None:
    declared = app.extensions["puente"].declared["activity_types"]
    quiz = declared.pop("quiz")
    try:
        folder = write_package(
            tmp_path / "p",
            modules={
                "01-m": {
                    "module.yaml": {"title": {"en": "M"}},
                    "01-x.yaml": PAGE | {"kind": "quiz"},
                }
            },
        )
        [problem] = problems(folder)
    finally:
        declared["quiz"] = quiz
    assert "need the plugin “assessments”, which is switched off" in problem


@pytest.mark.needs("assessments")
def test_a_mistake_in_a_question_is_named_with_its_line(institute, app, tmp_path) -> None:
    text = (
        "kind: quiz\ntitle: {en: Q}\nsettings:\n  questions:\n"
        '    - {id: a, kind: true_false, prompt: {en: "Yes?"}, correct: true}\n'
        '    - {id: b, kind: telepathy, prompt: {en: "What?"}}\n'
    )
    folder = write_package(
        tmp_path / "p",
        modules={"01-m": {"module.yaml": {"title": {"en": "M"}}, "01-q.yaml": text}},
    )
    [problem] = problems(folder)
    assert problem.startswith("modules/01-m/01-q.yaml, line 6, settings.questions.1")
    assert db.session.scalar(select(Activity)) is None


def test_the_same_name_twice_in_a_course_is_refused(institute, tmp_path) -> None:
    module = {"module.yaml": {"title": {"en": "M"}}, "01-x.yaml": PAGE}
    folder = write_package(tmp_path / "p", modules={"01-a": module, "02-b": module})
    [problem] = problems(folder)
    assert "02-b/01-x.yaml: The name “x” is taken by modules/01-a/01-x.yaml" in problem


def test_a_hostile_picture_is_refused_and_nothing_is_left(institute, tmp_path) -> None:
    folder = write_package(
        tmp_path / "p",
        media={"x.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'},
    )
    [problem] = problems(folder)
    assert problem.startswith("media/x.svg: This drawing holds scripts")
    assert db.session.scalar(select(Course)) is None


def test_a_link_in_the_folder_is_refused(institute, tmp_path) -> None:
    folder = write_package(tmp_path / "p")
    (folder / "media").mkdir()
    (folder / "media" / "secrets.txt").symlink_to("/etc/hostname")
    [problem] = problems(folder)
    assert problem.startswith("media/secrets.txt: Links and devices")


def test_a_package_one_folder_deeper_names_that_folder(institute, tmp_path) -> None:
    write_package(tmp_path / "p" / "inner")
    [problem] = problems(tmp_path / "p")
    assert "not in the folder “inner”" in problem


# Packages as .zip


def test_packing_twice_gives_the_same_bytes(institute, tmp_path) -> None:
    folder = write_package(tmp_path / "p", media={"plan.svg": SVG})
    pack(folder, tmp_path / "1.zip")
    pack(folder, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    unpack(tmp_path / "1.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == tree(folder)


def hostile(path: Path, *names: str, mode: int = 0, content: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name in names:
            entry = zipfile.ZipInfo("a" * len(name))
            entry.filename = name
            entry.compress_type = zipfile.ZIP_DEFLATED
            if mode:
                entry.create_system = 3
                entry.external_attr = mode << 16
            package.writestr(entry, content)
    return path


@pytest.mark.parametrize(
    ("names", "mode", "says"),
    [
        (["../outside.txt"], 0, "would leave the package"),
        (["modules/../../outside.txt"], 0, "would leave the package"),
        (["modules\\..\\..\\outside.txt"], 0, "would leave the package"),
        (["/etc/passwd"], 0, "must be relative"),
        (["C:\\windows\\x"], 0, "must be relative"),
        (["link"], stat.S_IFLNK | 0o777, "Links and devices"),
        (["pipe"], stat.S_IFIFO | 0o644, "Links and devices"),
        (["x" * 250], 0, "too long"),
        (["a.txt", "A.TXT"], 0, "twice"),
        (["a", "a/b"], 0, "same name"),
        (["bell\x07.txt"], 0, "control signs"),
    ],
)
def test_a_hostile_zip_is_refused(app, tmp_path, names, mode, says) -> None:
    package = hostile(tmp_path / "bad.zip", *names, mode=mode)
    with pytest.raises(PackageError) as caught:
        unpack(package, tmp_path / "out")
    assert says in str(caught.value.text)
    assert not (tmp_path / "outside.txt").exists()


def test_a_name_with_nul_is_refused(app, tmp_path) -> None:
    package = hostile(tmp_path / "bad.zip", "aXb.txt")
    package.write_bytes(package.read_bytes().replace(b"aXb.txt", b"a\0b.txt"))
    with pytest.raises(PackageError, match="control signs"):
        unpack(package, tmp_path / "out")


def test_a_zip_bomb_is_refused_while_it_is_read(app, tmp_path) -> None:
    package = hostile(tmp_path / "bomb.zip", "zeros.bin", content=bytes(12 * 1024 * 1024))
    with pytest.raises(PackageError, match="too tightly"):
        unpack(package, tmp_path / "out")


def test_what_is_no_zip_is_refused(app, tmp_path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04 but then nothing")
    with pytest.raises(PackageError, match="not a zip file"):
        unpack(broken, tmp_path / "out")


def test_what_systems_leave_behind_is_passed_over(app, tmp_path) -> None:
    package = hostile(tmp_path / "mac.zip", "__MACOSX/._course.yaml", "media/.DS_Store", "ok.txt")
    unpack(package, tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {"ok.txt"}


# Generated courses

slugs = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)
words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() and "media/" not in text
)
by_language = st.dictionaries(st.sampled_from(["en", "es", "fr", "qu"]), words, min_size=1)
markdown = st.lists(words | st.sampled_from(["## A", "- b", "", "> c"]), max_size=5).map("\n".join)
activities = st.fixed_dictionaries(
    {"kind": st.just("page"), "title": by_language},
    optional={
        "required": st.booleans(),
        "published": st.booleans(),
        "minutes": st.integers(1, 500),
        "due_day": st.integers(1, 28),
    },
)
courses = st.fixed_dictionaries(
    {
        "title": by_language,
        "hours": st.integers(1, 90) | st.sampled_from([0.5, 7.25]),
        "weeks": st.integers(1, 8),
        "languages": st.lists(st.sampled_from(["en", "es", "fr", "qu"]), min_size=1, unique=True),
    },
    optional={
        "summary": by_language,
        "audience": by_language,
        "outcomes": st.lists(by_language, min_size=1, max_size=3),
        "faq": st.lists(
            st.fixed_dictionaries({"question": by_language, "answer": by_language}), min_size=1,
            max_size=2,
        ),
        "completion": st.fixed_dictionaries(
            {"minimum_grade": st.floats(0, 1), "certificate_months": st.integers(1, 600)}
        ),
    },
)  # fmt: skip
modules = st.dictionaries(
    slugs,
    st.tuples(by_language, st.dictionaries(slugs, st.tuples(activities, markdown), max_size=3)),
    max_size=3,
)


@pytest.mark.slow
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(course=courses, content=modules)
def test_generated_courses_travel_without_loss(
    institute, tmp_path_factory, course, content
) -> None:
    folder = tmp_path_factory.mktemp("generated")
    seen: set[str] = set()
    parts = {}
    for number, (slug, (title, steps)) in enumerate(content.items(), start=1):
        files: dict = {"module.yaml": {"title": title}}
        for place, (name, (activity, text)) in enumerate(steps.items(), start=1):
            if name not in seen:
                seen.add(name)
                files[f"{place:02}-{name}.yaml"] = activity
                files[f"{place:02}-{name}.en.md"] = text
        parts[f"{number:02}-{slug}"] = files
    write_package(folder / "given", course=course, modules=parts)

    made = bring_in(folder / "given").course
    first = send_out(made, folder / "first")
    db.session.delete(made)
    db.session.commit()
    second = send_out(bring_in(folder / "first").course, folder / "second")

    assert second == first
    again = db.session.scalar(select(Course))
    assert again.title == course["title"]
    assert [module.slug for module in again.modules] == list(content)
    assert {a.slug for m in again.modules for a in m.activities} == seen
    db.session.delete(again)
    db.session.commit()
