"""Posts are drawn when they are written, and shown as they would be drawn for each reader."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from lms.core import fragments
from lms.core.db import db
from lms.core.markdown import EDITION
from lms.forums import queries
from lms.forums.models import Post
from lms.forums.services import posts as services
from tests.factories.courses import make_instructor
from tests.factories.forums import first_post, make_discussion, make_learner, make_reply


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(fragments, "_kept", {})


def page_of(discussion):
    return f"/study/{discussion.run_id}/discussions/{discussion.id}"


def test_a_post_keeps_its_safe_markup_and_renews_it_with_its_text(app):
    discussion = make_discussion(text="*Water* <script>alert(1)</script> [x](javascript:1)")
    post = first_post(discussion)

    assert "<em>Water</em>" in post.html
    assert "<script" not in post.html
    assert "href" not in post.html
    post.text = "**Roads**"
    db.session.commit()
    assert (post.html, post.html_edition) == ("<p><strong>Roads</strong></p>\n", EDITION)


def test_nothing_of_a_deleted_post_is_kept(app):
    reply = make_reply(make_discussion(), text="Too *much*")
    services.delete_post(reply)
    db.session.commit()

    assert reply.html == ""


@pytest.mark.parametrize("text", ["::: note\nMind\n:::", "![Map](https://elsewhere.example/a.png)"])
def test_a_text_with_words_of_ours_is_drawn_in_each_readers_language(signed_in, text):
    discussion = make_discussion(text=text)
    english, spanish = (
        signed_in(make_learner_of(discussion, language)).get(page_of(discussion)).text
        for language in ("en", "es")
    )

    assert first_post(discussion).html is None
    assert ("Note" in english) or ("Picture: Map" in english)
    assert ("Nota" in spanish) or ("Imagen: Map" in spanish)


def make_learner_of(discussion, language="en", **values):
    return make_learner(discussion.forum, language=language, **values)


def test_what_another_edition_drew_is_not_shown(signed_in):
    discussion = make_discussion(text="*Fresh* words")
    post = first_post(discussion)
    values = {"html": "<p>Stale words</p>", "html_edition": "another"}
    db.session.execute(update(Post).where(Post.id == post.id).values(values))
    db.session.commit()

    page = signed_in(make_learner_of(discussion)).get(page_of(discussion)).text

    assert "<em>Fresh</em> words" in page
    assert "Stale" not in page


def test_the_command_draws_what_was_written_before(app):
    post = first_post(make_discussion(text="*Old*"))
    db.session.execute(update(Post).values(html=None, html_edition=None))
    db.session.commit()
    version = post.version

    outcome = app.test_cli_runner().invoke(args=["draw-posts"])

    db.session.refresh(post)
    assert "1 posts" in outcome.output
    assert (post.html, post.version) == ("<p><em>Old</em></p>\n", version)


def test_posts_look_the_same_filled_into_a_pattern_and_drawn_one_by_one(signed_in, monkeypatch):
    discussion = make_discussion(text="Opening & more")
    hostile = make_learner_of(discussion, name="<b>\"Ana\" & 'co'</b>")
    reply = make_reply(discussion, hostile, text="First *reply*")
    make_reply(make_reply(reply, text="Deeper"), hostile, text="Deepest")
    make_reply(discussion, make_instructor(discussion.run.course), text="From staff")
    spanish = make_reply(discussion, text="En español", language="es")
    edited = make_reply(discussion, hostile, text="To be changed")
    services.edit_post(edited, text="Changed", language="en", version=edited.version)
    db.session.commit()
    readers = [hostile, make_learner_of(discussion), make_learner_of(discussion, "fr"),
               spanish.author]  # fmt: skip

    def pages():
        fragments._kept.clear()
        found = [signed_in(reader).get(page_of(discussion)).text for reader in readers]
        return [text.partition("<ol>")[2].partition("</section>")[0] for text in found]

    filled = pages()
    texts_by_id = queries.texts_by_id

    def with_files(ids):
        return {n: text._replace(has_files=True) for n, text in texts_by_id(ids).items()}

    monkeypatch.setattr(queries, "texts_by_id", with_files)
    assert filled == pages()
    assert "&lt;b&gt;" in filled[1]
    assert "<b>" not in filled[1]
    assert "\0" not in "".join(filled)
