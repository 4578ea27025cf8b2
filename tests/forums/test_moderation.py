from __future__ import annotations

import pytest
from sqlalchemy import func, select

from lms.core.db import db
from lms.core.models import AuditEntry
from lms.forums.models import Discussion, ForumSubscription, Post
from lms.notifications.models import Notice
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_instructor
from tests.factories.forums import (
    first_post,
    make_discussion,
    make_forum,
    make_learner,
    make_reply,
)


def page_of(discussion, path=""):
    return f"/study/{discussion.run_id}/discussions/{discussion.id}{path}"


def post_url(post, path=""):
    return f"/study/{post.discussion.run_id}/posts/{post.id}{path}"


def acts():
    return list(db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


@pytest.fixture
def forum(app):
    return make_forum()


@pytest.fixture
def instructor(forum):
    return make_instructor(forum.run.course, name="Elena Mamani")


def test_instructors_pin_and_lock_once(signed_in, forum, instructor):
    discussion = make_discussion(forum)
    browser = signed_in(instructor)

    for _click in "ab":
        assert browser.post(page_of(discussion, "/pinned"), data={"on": "1"}).status_code == 303
        assert browser.post(page_of(discussion, "/locked"), data={"on": "1"}).status_code == 303

    discussion = db.session.get(Discussion, discussion.id)
    assert (discussion.is_pinned, discussion.is_locked) == (True, True)
    assert acts() == ["forums.pin", "forums.lock"]
    page = signed_in(make_learner(forum)).get(page_of(discussion)).text
    assert "An instructor ended this discussion" in page
    assert 'name="text"' not in page
    answer = browser.post(page_of(discussion), data={"text": "One more word", "language": "en"})
    assert answer.status_code == 303
    browser.post(page_of(discussion, "/pinned"), data={"on": "0"})
    browser.post(page_of(discussion, "/locked"), data={"on": "0"})
    discussion = db.session.get(Discussion, discussion.id)
    assert (discussion.is_pinned, discussion.is_locked) == (False, False)


def test_only_instructors_and_administrators_moderate(signed_in, client, forum):
    discussion = make_discussion(forum)
    make_discussion(forum, title="Target")
    post = first_post(discussion)
    deeds = [
        page_of(discussion, path) for path in ("/pinned", "/locked", "/hidden", "/shown", "/place")
    ] + [post_url(post, path) for path in ("/hidden", "/shown", "/place")]
    for address in deeds:
        assert client.post(address).status_code == 302, address
        for person in (discussion.author, make_learner(forum), make_user()):
            assert signed_in(person).post(address).status_code == 403, address
    assert acts() == []
    page = signed_in(discussion.author).get(page_of(discussion)).text
    for path in ("/hidden", "/place", "/pinned"):
        assert path not in page
    admin = signed_in(make_administrator())
    assert admin.post(page_of(discussion, "/pinned"), data={"on": "1"}).status_code == 303
    assert admin.get(post_url(post, "/hidden")).status_code == 200


def test_a_hidden_post_leaves_a_place_and_its_author_is_told_why(
    signed_in, forum, instructor, mails
):
    discussion = make_discussion(forum)
    author = make_learner(forum)
    reply = make_reply(discussion, author, text="Buy my **pills**")
    mails()
    db.session.query(Notice).delete()
    db.session.commit()
    before = len(mails())
    browser = signed_in(instructor)
    assert browser.get(post_url(reply, "/hidden")).status_code == 200
    answer = browser.post(post_url(reply, "/hidden"), data={"reason": "  "})
    assert answer.status_code == 422
    assert "Say why" in answer.text

    for _click in "ab":
        answer = browser.post(post_url(reply, "/hidden"), data={"reason": "Advertising [x](y)"})
        assert answer.status_code == 303

    learner = signed_in(make_learner(forum)).get(page_of(discussion)).text
    assert "Hidden by an instructor" in learner
    assert "pills" not in learner
    assert "Advertising" not in learner
    for person in (author, instructor):
        page = signed_in(person).get(page_of(discussion)).text
        assert "pills" in page
        assert "Advertising [x](y)" in page
    [mail] = mails()[before:]
    assert mail["To"] == author.email
    assert "Hidden by an instructor" in mail["Subject"]
    html = mail.get_body(("html",)).get_content()
    assert "Advertising [x](y)" in html
    assert 'href="y"' not in html
    assert acts() == ["forums.hide"]

    assert browser.post(post_url(reply, "/shown")).status_code == 303
    assert "pills" in signed_in(make_learner(forum)).get(page_of(discussion)).text
    assert "Visible again" in mails()[-1]["Subject"]


def test_a_hidden_posts_attachment_is_hidden_too(signed_in, forum, instructor):
    from lms.forums.services.posts import Upload

    author = make_learner(forum)
    discussion = make_discussion(forum, author, uploads=[Upload("a.txt", b"x")])
    post = first_post(discussion)
    address = f"/study/{forum.run.id}/attachments/{post.attachments[0].id}/a.txt"
    signed_in(instructor).post(post_url(post, "/hidden"), data={"reason": "No"})

    assert signed_in(make_learner(forum)).get(address).status_code == 403
    assert signed_in(author).get(address).status_code == 200
    assert signed_in(instructor).get(address).status_code == 200


def test_a_hidden_discussion_is_gone_for_learners(signed_in, forum, instructor):
    discussion = make_discussion(forum, title="Quarrel")
    make_reply(discussion)
    browser = signed_in(instructor)
    answer = browser.post(page_of(discussion, "/hidden"), data={"reason": "Quarrel"})
    assert answer.status_code == 303

    learner = signed_in(make_learner(forum))
    assert "Quarrel" not in learner.get(f"/study/{forum.run.id}/forums/{forum.activity.slug}").text
    assert "Quarrel" not in learner.get(f"/study/{forum.run.id}/{forum.activity.slug}").text
    assert learner.get(page_of(discussion)).status_code == 403
    author = signed_in(discussion.author).get(page_of(discussion))
    assert "This discussion is hidden" in author.text
    assert 'name="text"' not in author.text
    assert "Hidden" in browser.get(f"/study/{forum.run.id}/forums/{forum.activity.slug}").text
    browser.post(page_of(discussion, "/shown"))
    assert learner.get(page_of(discussion)).status_code == 200


def test_a_discussion_moves_to_another_forum_of_the_course_only(
    signed_in, forum, instructor, mails
):
    discussion = make_discussion(forum)
    target, foreign = make_forum(forum.run), make_forum()
    browser = signed_in(instructor)
    page = browser.get(page_of(discussion, "/place")).text
    assert f'value="{target.activity.id}"' in page
    assert f'value="{foreign.activity.id}"' not in page
    answer = browser.post(page_of(discussion, "/place"), data={"target": foreign.activity.id})
    assert answer.status_code == 422

    answer = browser.post(page_of(discussion, "/place"), data={"target": target.activity.id})

    assert answer.status_code == 303
    assert db.session.get(Discussion, discussion.id).activity_id == target.activity.id
    assert "Moved by an instructor" in mails()[-1]["Subject"]
    assert acts() == ["forums.move"]


def test_a_post_moves_with_its_replies(signed_in, forum, instructor):
    source, target = make_discussion(forum, title="Source"), make_discussion(forum, title="Target")
    reply = make_reply(source, text="Off the subject")
    below = make_reply(make_reply(reply, text="Level two"), text="Level three")
    stays = make_reply(source, text="Stays")
    browser = signed_in(instructor)

    answer = browser.post(post_url(reply, "/place"), data={"target": target.id})

    assert answer.status_code == 303
    source, target = (db.session.get(Discussion, d.id) for d in (source, target))
    assert (source.post_count, target.post_count) == (2, 4)
    posts = db.session.scalars(
        select(Post).where(Post.discussion_id == target.id).order_by(Post.path)
    ).all()
    assert [p.text for p in posts][1:] == ["Off the subject", "Level two", "Level three"]
    assert [p.depth for p in posts] == [0, 1, 2, 3]
    assert posts[1].parent_id == first_post(target).id
    assert db.session.get(Post, stays.id).discussion_id == source.id
    jump = browser.get(post_url(db.session.get(Post, below.id)))
    assert f"/discussions/{target.id}" in jump.location


def test_moving_the_first_post_joins_two_discussions(signed_in, forum, instructor):
    source, target = make_discussion(forum, title="Twice"), make_discussion(forum, title="Once")
    make_reply(source)
    source_id, follower = source.id, source.author_id

    answer = signed_in(instructor).post(
        post_url(first_post(source), "/place"), data={"target": target.id}
    )

    assert answer.status_code == 303
    assert db.session.get(Discussion, source_id) is None
    target = db.session.get(Discussion, target.id)
    assert target.post_count == 3
    followers = db.session.scalars(
        select(ForumSubscription.user_id).where(ForumSubscription.discussion_id == target.id)
    ).all()
    assert follower in followers
    assert db.session.scalar(select(func.count()).select_from(Post)) == 3


def test_posts_do_not_move_into_another_run(signed_in, forum, instructor):
    post = first_post(make_discussion(forum))
    foreign = make_discussion()
    make_discussion(forum)

    answer = signed_in(instructor).post(post_url(post, "/place"), data={"target": foreign.id})

    assert answer.status_code == 422
    assert db.session.get(Post, post.id).discussion_id != foreign.id


def test_without_another_place_the_page_says_so(signed_in, forum, instructor):
    discussion = make_discussion(forum)
    browser = signed_in(instructor)
    for address in (page_of(discussion, "/place"), post_url(first_post(discussion), "/place")):
        assert "There is no other place" in browser.get(address).text


def test_a_deleted_post_cannot_be_hidden(signed_in, forum, instructor):
    discussion = make_discussion(forum)
    reply = make_reply(discussion)
    signed_in(reply.author).post(post_url(reply, "/delete"))

    answer = signed_in(instructor).post(post_url(reply, "/hidden"), data={"reason": "x"})

    assert answer.status_code == 409


def test_instructors_find_guidance_in_an_empty_forum_and_a_badge_at_their_name(
    signed_in, forum, instructor
):
    browser = signed_in(instructor)
    address = f"/study/{forum.run.id}/forums/{forum.activity.slug}"
    assert "greet the group" in browser.get(address).text
    discussion = make_discussion(forum, instructor)
    page = signed_in(make_learner(forum)).get(page_of(discussion)).text
    assert '<span class="badge">Instructor</span>' in page
