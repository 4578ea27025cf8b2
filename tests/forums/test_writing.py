from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.core.models import StoredFile
from lms.courses.models import Progress
from lms.forums.models import Discussion, ForumSubscription, Post, PostAttachment
from lms.forums.thread import quotation
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment, make_instructor, make_run
from tests.factories.forums import (
    first_post,
    make_discussion,
    make_forum,
    make_learner,
    make_reply,
)


def url(forum, path=""):
    return f"/study/{forum.run.id}/forums/{forum.activity.slug}{path}"


def page_of(discussion):
    return f"/study/{discussion.run_id}/discussions/{discussion.id}"


def start(browser, forum, **values):
    values = {"title": "Light", "text": "Who pays?", "language": "es"} | values
    return browser.post(url(forum, "/new"), data=values)


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_learner_starts_a_discussion_and_others_reply(signed_in):
    forum = make_forum()
    ana, luis = make_learner(forum, name="Ana Flores"), make_learner(forum, name="Luis Paz")

    answer = start(signed_in(ana), forum, title="  Street   light ")

    assert answer.status_code == 303
    discussion = db.session.scalars(select(Discussion)).one()
    assert (discussion.title, discussion.language, discussion.post_count) == (
        "Street light",
        "es",
        1,
    )
    browser = signed_in(luis)
    page = browser.get(answer.location)
    assert page.status_code == 200
    assert "Street light" in page.text
    assert "Ana Flores" in page.text
    assert 'lang="es"' in page.text
    answer = browser.post(page_of(discussion), data={"text": "The town.", "language": "en"})
    assert answer.status_code == 303
    reply = db.session.scalars(select(Post).order_by(Post.id.desc())).first()
    assert answer.location.endswith(f"#post-{reply.id}")
    assert reply.parent_id == first_post(discussion).id
    assert db.session.get(Discussion, discussion.id).post_count == 2


def test_enough_posts_complete_the_activity_and_deleting_does_not_undo_it(signed_in):
    forum = make_forum(settings={"minimum_posts": 2})
    user = make_user()
    enrolment = make_enrolment(forum.run, user)
    browser = signed_in(user)

    start(browser, forum)
    progress = db.session.scalars(select(Progress)).one()
    assert progress.completed_at is None

    discussion = db.session.scalars(select(Discussion)).one()
    browser.post(page_of(discussion), data={"text": "And who decides?", "language": "en"})
    assert db.session.scalars(select(Progress)).one().completed_at is not None

    reply = db.session.scalars(select(Post).order_by(Post.id.desc())).first()
    answer = browser.post(f"/study/{forum.run.id}/posts/{reply.id}/delete")
    assert answer.status_code == 303
    assert db.session.scalars(select(Progress)).one().completed_at is not None
    assert enrolment.id == db.session.scalars(select(Progress)).one().enrolment_id


def test_replies_are_drawn_in_levels_down_to_the_third(signed_in):
    discussion = make_discussion()
    post = first_post(discussion)
    chain = []
    for number in range(5):
        post = make_reply(post, text=f"Level {number + 1}")
        chain.append(post)
    late = make_reply(discussion, text="Beside")

    posts = db.session.scalars(select(Post).order_by(Post.path)).all()
    assert [p.text for p in posts][1:] == [
        "Level 1", "Level 2", "Level 3", "Level 4", "Level 5", "Beside",
    ]  # fmt: skip
    assert [p.depth for p in posts] == [0, 1, 2, 3, 3, 3, 1]
    page = signed_in(make_learner(discussion.forum)).get(page_of(discussion)).text
    assert page.count("post-replies") == 2
    assert f"/posts/{chain[3].id}" in page
    assert f'id="post-{late.id}"' in page


def test_a_quotation_leaves_out_what_was_quoted_in_it():
    assert quotation("> Who?\n\nThe town.\nAnd us.") == "> The town.\n> And us.\n\n"
    assert quotation("> Only a quotation") == "> > Only a quotation\n\n"
    assert len(quotation("word " * 1000)) < 1600


def test_quote_fills_the_form_without_script(signed_in):
    discussion = make_discussion(text="First line\n\nSecond <b>line</b>")
    post = first_post(discussion)

    page = signed_in(make_learner(discussion.forum)).get(f"{page_of(discussion)}?quote={post.id}")

    assert "&gt; First line\n&gt;\n&gt; Second &lt;b&gt;line&lt;/b&gt;" in page.text
    assert f'name="parent" type="hidden" value="{post.id}"' in page.text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": "   \n "}, "Write something first"),
        ({"text": "x" * 20_001}, "20,001 signs"),
        ({"title": ""}, "Give the discussion a title"),
        ({"title": "t" * 201}, "201 signs"),
        ({"language": "xx"}, "Not a valid choice"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_its_text(signed_in, values, words):
    forum = make_forum()

    answer = start(signed_in(make_learner(forum)), forum, **values)

    assert answer.status_code == 422
    assert words in answer.text
    assert values.get("text", "Who pays?").strip() in answer.text
    assert count(Discussion) == 0


def test_too_long_a_reply_is_refused_with_its_text_kept(signed_in):
    discussion = make_discussion()

    answer = signed_in(make_learner(discussion.forum)).post(
        page_of(discussion), data={"text": "y" * 20_001, "language": "en"}
    )

    assert answer.status_code == 422
    assert "y" * 20_001 in answer.text
    assert count(Post) == 1


def test_scripts_and_control_signs_do_no_harm(signed_in):
    forum = make_forum()
    browser = signed_in(make_learner(forum))
    text = '<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=y>\0\x07 "end"'

    answer = start(browser, forum, title="<b>Bold\0</b>", text=text)

    page = browser.get(answer.location).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert 'href="javascript:' not in page
    assert "<img src=x" not in page
    assert "<b>Bold" not in page
    assert "\0" not in db.session.scalars(select(Post)).one().text


def test_a_second_click_writes_nothing_new(signed_in):
    forum = make_forum()
    browser = signed_in(make_learner(forum))

    first, second = start(browser, forum), start(browser, forum)
    assert first.location == second.location
    discussion = db.session.scalars(select(Discussion)).one()
    replies = [
        browser.post(page_of(discussion), data={"text": "Again", "language": "en"}) for _ in "ab"
    ]

    assert replies[0].location == replies[1].location
    assert count(Post) == 2


def test_the_same_words_later_are_another_post(signed_in, monkeypatch):
    discussion = make_discussion()
    author = make_learner(discussion.forum)
    make_reply(discussion, author, text="Agreed")
    earlier = db.session.scalars(select(Post).order_by(Post.id.desc())).first()
    earlier.created_at = clock.now().replace(year=2020)
    db.session.commit()

    make_reply(discussion, author, text="Agreed")

    assert count(Post) == 3


def upload(name, content):
    return (io.BytesIO(content), name)


def test_attachments_are_kept_and_given_to_people_of_the_run_only(signed_in, client):
    forum = make_forum()
    author, other = make_learner(forum), make_learner(forum)
    answer = start(signed_in(author), forum, files=[upload("plan año.txt", b"One. Two.")])
    assert answer.status_code == 303
    attachment = db.session.scalars(select(PostAttachment)).one()
    address = f"/study/{forum.run.id}/attachments/{attachment.id}/plan año.txt"

    assert "plan año.txt" in signed_in(other).get(answer.location).text
    download = signed_in(other).get(address)
    assert download.data == b"One. Two."
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in download.headers["Content-Security-Policy"]
    assert signed_in(make_user()).get(address).status_code == 403
    assert client.get(address).status_code == 302
    assert signed_in(other).get(address.replace("plan", "x")).status_code == 404
    other_run = make_run(forum.run.course)
    wrong = address.replace(f"/study/{forum.run.id}/", f"/study/{other_run.id}/")
    assert signed_in(other).get(wrong).status_code == 404


@pytest.mark.parametrize(
    ("files", "words", "status"),
    [
        ([("a.exe", b"MZ\x90\x00" + b"\0" * 200)], "Files of this kind", 422),
        ([("a.svg", b"<svg onload='x()'></svg>")], "Files of this kind", 422),
        ([("a.html", b"<script>alert(1)</script>")], "Files of this kind", 422),
        ([("a.txt", b"fine"), ("b.png", b"\x89PNG\r\n\x1a\nbroken")], "damaged", 422),
        ([("empty.txt", b"")], "empty", 422),
        ([(f"{n}.txt", b"x") for n in range(4)], "three attachments", 422),
        ([("big.txt", b"x" * (10 * 1024 * 1024 + 1))], "too large", 413),
    ],
)
def test_hostile_attachments_are_refused_and_the_text_is_kept(signed_in, files, words, status):
    forum = make_forum()

    answer = start(
        signed_in(make_learner(forum)), forum, files=[upload(name, data) for name, data in files]
    )

    assert answer.status_code == status
    assert words in answer.text
    assert "Who pays?" in answer.text
    assert count(Discussion) == count(Post) == count(StoredFile) == 0


def test_an_attachment_name_cannot_leave_its_place(signed_in):
    forum = make_forum()
    start(signed_in(make_learner(forum)), forum, files=[upload("../../etc/a<x>.txt", b"x")])

    assert db.session.scalars(select(StoredFile)).one().name == "a_x_.txt"


def test_the_author_edits_and_the_earlier_text_stays_in_the_history(signed_in):
    discussion = make_discussion(text="Old words")
    post, author = first_post(discussion), discussion.author
    browser = signed_in(author)
    address = f"/study/{discussion.run_id}/posts/{post.id}/edit"
    form = browser.get(address)
    assert "Old words" in form.text

    answer = browser.post(
        address,
        data={"title": "New title", "text": "New words", "language": "pt", "version": post.version},
    )

    assert answer.status_code == 303
    post = db.session.get(Post, post.id)
    assert (post.text, post.language, post.discussion.title) == ("New words", "pt", "New title")
    assert post.edited_at is not None
    history = f"/study/{discussion.run_id}/posts/{post.id}/history"
    instructor = make_instructor(discussion.run.course)
    for reader in (author, instructor):
        assert "Old words" in signed_in(reader).get(history).text
    assert signed_in(make_learner(discussion.forum)).get(history).status_code == 403
    page = signed_in(make_learner(discussion.forum)).get(page_of(discussion)).text
    assert "Edited" in page
    assert "/history" not in page


def test_an_edit_in_two_windows_keeps_the_typed_text(signed_in):
    discussion = make_discussion(text="Old words")
    post = first_post(discussion)
    address = f"/study/{discussion.run_id}/posts/{post.id}/edit"
    browser = signed_in(discussion.author)
    old = {"title": discussion.title, "language": "en", "version": post.version}
    assert browser.post(address, data=old | {"text": "First window"}).status_code == 303

    answer = browser.post(address, data=old | {"text": "Second window"})

    assert answer.status_code == 409
    assert "First window" in answer.text
    assert "Second window" in answer.text
    post = db.session.get(Post, post.id)
    assert post.text == "First window"
    assert f'name="version" type="hidden" value="{post.version}"' in answer.text
    again = browser.post(address, data=old | {"text": "Both", "version": post.version})
    assert again.status_code == 303
    assert len(db.session.get(Post, post.id).revisions) == 2


def test_attachments_can_be_changed_with_the_text(signed_in, run_jobs):
    forum = make_forum()
    author = make_learner(forum)
    browser = signed_in(author)
    start(browser, forum, files=[upload("a.txt", b"a"), upload("b.txt", b"b")])
    post = db.session.scalars(select(Post)).one()
    gone = post.attachments[0].id

    answer = browser.post(
        f"/study/{forum.run.id}/posts/{post.id}/edit",
        data={
            "title": "Light", "text": "Who pays?", "language": "es", "version": post.version,
            "remove": [gone], "files": [upload("c.txt", b"c")],
        },
    )  # fmt: skip

    assert answer.status_code == 303
    run_jobs()
    assert sorted(f.name for f in db.session.scalars(select(StoredFile))) == ["b.txt", "c.txt"]


def test_nobody_edits_or_deletes_the_post_of_another(signed_in):
    discussion = make_discussion()
    post = first_post(discussion)
    people = [
        make_learner(discussion.forum),
        make_instructor(discussion.run.course),
        make_user(is_administrator=True),
        make_user(),
    ]
    for person in people:
        for deed in ("edit", "delete"):
            address = f"/study/{discussion.run_id}/posts/{post.id}/{deed}"
            assert signed_in(person).get(address).status_code == 403
            assert signed_in(person).post(address, data={"text": "x"}).status_code == 403


def test_a_deleted_post_keeps_its_place_but_none_of_its_words(signed_in, run_jobs):
    forum = make_forum()
    author = make_learner(forum)
    browser = signed_in(author)
    start(browser, forum, text="Secret words", files=[upload("a.txt", b"a")])
    discussion = db.session.scalars(select(Discussion)).one()
    make_reply(discussion, text="An answer")
    post = first_post(discussion)
    address = f"/study/{forum.run.id}/posts/{post.id}/delete"
    assert "for good" in browser.get(address).text

    assert browser.post(address).status_code == 303
    assert browser.post(address).status_code == 303

    run_jobs()
    page = browser.get(page_of(discussion)).text
    assert "Deleted by the author" in page
    assert "An answer" in page
    assert "Secret words" not in page
    assert db.session.get(Post, post.id).text == ""
    assert count(PostAttachment) == count(StoredFile) == 0


def test_a_discussion_without_replies_goes_with_its_post(signed_in):
    discussion = make_discussion()
    post, slug = first_post(discussion), discussion.activity.slug

    answer = signed_in(discussion.author).post(f"/study/{discussion.run_id}/posts/{post.id}/delete")

    assert answer.status_code == 303
    assert answer.location.endswith(f"/forums/{slug}")
    assert count(Discussion) == count(Post) == count(ForumSubscription) == 0


def test_replies_to_what_is_locked_hidden_or_elsewhere_are_refused(signed_in):
    discussion, foreign = make_discussion(), make_discussion()
    learner = make_learner(discussion.forum)
    browser = signed_in(learner)
    words = {"text": "My long typed text", "language": "en"}

    answer = browser.post(page_of(discussion), data=words | {"parent": first_post(foreign).id})
    assert answer.status_code == 409
    assert "My long typed text" in answer.text
    assert browser.post(page_of(foreign), data=words).status_code == 403
    assert (
        browser.post(f"/study/{discussion.run_id}/discussions/{foreign.id}", data=words).status_code
        == 404
    )

    db.session.get(Post, first_post(discussion).id).is_hidden = True
    db.session.commit()
    assert browser.post(page_of(discussion), data=words).status_code == 409

    db.session.get(Discussion, discussion.id).is_locked = True
    db.session.commit()
    answer = browser.post(page_of(discussion), data=words)
    assert answer.status_code == 409
    assert "This discussion is closed" in answer.text
    assert "My long typed text" in answer.text

    db.session.get(Discussion, discussion.id).is_hidden = True
    db.session.commit()
    assert browser.post(page_of(discussion), data=words).status_code == 403
    assert count(Post) == 2


def test_after_the_end_of_the_run_learners_read_and_instructors_write(signed_in):
    today = clock.now().date()
    run = make_run(starts_on=today - timedelta(days=40), ends_on=today - timedelta(days=20))
    forum = make_forum(run)
    instructor = make_instructor(run.course)
    browser = signed_in(instructor)
    assert start(browser, forum).status_code == 303
    discussion = db.session.scalars(select(Discussion)).one()

    learner = signed_in(make_learner(forum))
    page = learner.get(page_of(discussion))
    assert page.status_code == 200
    assert "This course run ended on" in page.text
    assert 'name="text"' not in page.text
    assert "Start a discussion" not in learner.get(url(forum)).text
    assert learner.get(url(forum, "/new")).status_code == 409
    answer = start(learner, forum, text="Too late but typed")
    assert answer.status_code == 409
    assert "Too late but typed" in answer.text


def test_an_administrator_writes_without_an_enrolment(signed_in):
    forum = make_forum()
    assert start(signed_in(make_user(is_administrator=True)), forum).status_code == 303
    assert count(Progress) == 0
