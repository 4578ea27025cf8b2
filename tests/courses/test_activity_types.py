from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from lms.core.db import db
from lms.core.files import keep_file
from lms.courses.activity_types.base import activity_types
from lms.courses.activity_types.video import caption_text, embed_url
from lms.courses.errors import PackageError
from lms.courses.models import CourseMedia
from tests.factories.accounts import make_user
from tests.factories.courses import (
    make_activity,
    make_course,
    make_enrolment,
    make_instructor,
    make_module,
    make_run,
)

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nOne <b>word</b>\n\n2\n00:03.000 --> 00:04.000\nAnother\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


def add_media(course, name, content=b"0123456789"):
    stored = keep_file(content, name, None)
    db.session.add(CourseMedia(course=course, name=name, file=stored))
    db.session.commit()
    return stored


@pytest.fixture
def run(app):
    run = make_run(make_course(slug="planning"))
    make_module(run.course)
    return run


def open_activity(signed_in, run, **values):
    activity = make_activity(run.course.modules[0], text={}, **values)
    return signed_in(make_enrolment(run).user).get(f"/study/{run.id}/{activity.slug}")


def test_a_film_comes_with_captions_and_a_transcript_made_of_them(signed_in, run):
    for name in ("film.en.webm", "film.es.webm", "film.png"):
        add_media(run.course, name)
    add_media(run.course, "film.en.vtt", VTT)
    page = open_activity(
        signed_in,
        run,
        kind="video",
        settings={
            "source": {"en": "media/film.en.webm", "es": "media/film.es.webm"},
            "captions": {"en": "media/film.en.vtt", "es": "media/lost.vtt"},
            "poster": "media/film.png",
            "duration": 100,
        },
    )

    assert 'src="/courses/planning/media/film.en.webm"' in page.text
    assert 'srclang="en"' in page.text
    assert 'srclang="es"' not in page.text
    assert "<p>One word</p>" in page.text
    assert 'data-viewed-seconds="80"' in page.text


def test_a_film_from_outside_is_embedded_without_tracking(signed_in, run):
    page = open_activity(
        signed_in, run, kind="video", settings={"source": "https://www.youtube.com/watch?v=abc123"}
    )

    assert 'src="https://www.youtube-nocookie.com/embed/abc123"' in page.text


@pytest.mark.parametrize(
    ("address", "embedded"),
    [
        ("https://youtu.be/abc123", "https://www.youtube-nocookie.com/embed/abc123"),
        ("https://vimeo.com/12345", "https://player.vimeo.com/video/12345?dnt=1"),
        ("http://youtu.be/abc123", None),
        ("https://evil.example/watch?v=abc", None),
        ("https://youtube.com.evil.example/watch?v=abc", None),
        ('https://youtu.be/a"><script>', None),
        ("javascript:alert(1)", None),
        ("https://vimeo.com/x", None),
        ("", None),
    ],
)
def test_only_two_services_may_be_embedded(address, embedded):
    assert embed_url(address) == embedded


def test_captions_become_plain_words():
    assert caption_text(VTT.decode()) == "One word\nAnother"


def test_a_missing_film_or_file_is_told(signed_in, run):
    film = {"source": "media/lost.webm"}
    assert "The film is missing" in open_activity(signed_in, run, kind="video", settings=film).text
    assert (
        "The file is missing"
        in open_activity(signed_in, run, kind="file", settings={"file": "media/lost.pdf"}).text
    )


def test_a_file_is_offered_in_the_readers_language_first(signed_in, run):
    add_media(run.course, "plan.en.pdf")
    add_media(run.course, "plan.es.pdf")

    page = open_activity(
        signed_in,
        run,
        kind="file",
        settings={"file": {"es": "media/plan.es.pdf", "en": "media/plan.en.pdf"}},
    )

    text = page.text
    assert text.index("media/plan.en.pdf") < text.index("media/plan.es.pdf")


@pytest.mark.parametrize(
    ("kind", "given", "named"),
    [
        ("video", {}, "source"),
        ("video", {"source": "http://example.org/film"}, "source"),
        ("video", {"source": {"en": 3}}, "source"),
        ("video", {"source": "media/a.webm", "colour": "red"}, "colour"),
        ("video", {"source": "media/a.webm", "duration": -1}, "duration"),
        ("file", {}, "file"),
        ("file", {"file": "https://example.org/a.pdf"}, "file"),
        ("file", {"file": "media/a.pdf", "size": 3}, "size"),
    ],
)
def test_wrong_settings_are_refused_by_name(app, kind, given, named):
    with pytest.raises(PackageError, match=named):
        activity_types[kind].check_settings(given, "02-film.yaml")


def test_authors_write_one_line_for_each_language(app):
    form_class = activity_types["video"].settings_form(None)
    assert form_class is not None

    with app.test_request_context():
        good = form_class(
            MultiDict({"source": "en: media/a.webm\r\nES: media/b.webm", "duration": "80"})
        )
        one = form_class(MultiDict({"source": "https://youtu.be/abc123"}))
        mixed = form_class(MultiDict({"source": "en: media/a.webm\nmedia/b.webm"}))
        outside = form_class(MultiDict({"source": "https://example.org/film.webm"}))

        assert good.validate()
        assert good.source.data == {"en": "media/a.webm", "es": "media/b.webm"}
        assert "en: media/a.webm\nes: media/b.webm" in form_class(data=good.data).source()
        assert one.validate()
        assert one.source.data == "https://youtu.be/abc123"
        assert not mixed.validate()
        assert "media/b.webm" in mixed.source()
        assert not outside.validate()


def test_problems_name_what_is_missing(app, run):
    module = run.course.modules[0]

    def problems(**values):
        activity = make_activity(module, **values)
        return " ".join(activity_types[activity.kind].problems(activity))

    assert "no text" in problems(kind="page", text={})
    assert problems(kind="page") == ""
    assert "missing" in problems(kind="video", settings={})
    assert "lost.webm" in problems(kind="video", settings={"source": "media/lost.webm"}, text={})
    assert "transcript" in problems(kind="video", settings={"source": "media/a.webm"}, text={})
    assert "lost.pdf" in problems(kind="file", settings={"file": "media/lost.pdf"})


def test_media_are_for_learners_and_staff_with_ranges_for_films(client, signed_in, run):
    add_media(run.course, "film.webm")
    address = "/courses/planning/media/film.webm"
    learner = signed_in(make_enrolment(run).user)

    part = learner.get(address, headers={"Range": "bytes=2-4"})

    assert learner.get(address).data == b"0123456789"
    assert (part.status_code, part.data) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    assert learner.get(address, headers={"Range": "bytes=50-"}).status_code == 416
    assert signed_in(make_instructor(run.course)).get(address).status_code == 200
    assert signed_in(make_user()).get(address).status_code == 403
    left = make_enrolment(run, state="withdrawn")
    assert signed_in(left.user).get(address).status_code == 403
    assert client.get(address).status_code == 302
    assert learner.get("/courses/planning/media/lost.webm").status_code == 404
    assert learner.get("/courses/planning/media/../../etc/passwd").status_code == 404


def test_pictures_of_the_public_page_are_public(client, run):
    add_media(run.course, "map.png", PNG)
    add_media(run.course, "inside.png", PNG)
    run.course.description = {"en": "![A map](media/map.png)"}
    db.session.commit()

    picture = client.get("/courses/planning/media/map.png")

    assert picture.status_code == 200
    assert picture.headers["Cache-Control"].startswith("public")
    assert client.get("/courses/planning/media/inside.png").status_code == 302
    run.course.state = "draft"
    db.session.commit()
    assert client.get("/courses/planning/media/map.png").status_code == 302
