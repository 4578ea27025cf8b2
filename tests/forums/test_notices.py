from __future__ import annotations

import orjson
import pytest
import time_machine
from flask_login import login_user
from sqlalchemy import func, select

from lms.accounts.services.closing import close_account
from lms.core.db import db
from lms.core.models import OutboxRow
from lms.core.personal_data import personal_data
from lms.core.web import panels
from lms.courses.errors import PackageError
from lms.courses.models import Enrolment
from lms.forums.forum_activity import ForumActivity
from lms.forums.models import ForumRead, Post, PostRevision
from lms.forums.services import following, notices
from lms.forums.services.posts import Upload
from lms.notifications.jobs import find_digests
from lms.notifications.models import Notice
from lms.xapi.models import StoredStatement
from tests.factories.accounts import make_user
from tests.factories.courses import make_enrolment, make_instructor, make_run
from tests.factories.forums import (
    make_discussion,
    make_forum,
    make_learner,
    make_reply,
)


def told(kind=None):
    query = select(Notice.user_id, Notice.kind).order_by(Notice.id)
    return [(user, name) for user, name in db.session.execute(query) if kind in (None, name)]


def test_who_replies_to_me_is_told_at_once_and_others_in_the_digest(mails):
    forum = make_forum()
    ana = make_learner(forum, name="Ana", language="en", time_zone="UTC")
    luis = make_learner(forum, name="Luis [x](http://evil)", time_zone="UTC")
    discussion = make_discussion(forum, ana, title="Light *now*")
    make_reply(discussion, luis, text="Who pays?")
    assert [m["To"] for m in mails()] == [ana.email]
    reply = db.session.scalars(select(Post).order_by(Post.id.desc())).first()
    maria = make_learner(forum, name="Maria")

    make_reply(reply, maria, text="The **council** pays [here](http://example.org)")

    sent = mails()[1:]
    assert [m["To"] for m in sent] == [luis.email]
    assert "Maria replied to you" in sent[0]["Subject"]
    text = sent[0].get_body(("plain",)).get_content()
    assert "The council pays here" in text
    assert f"/posts/{reply.id + 1}" in text
    assert told("forums.reply") == [(ana.id, "forums.reply")]
    with time_machine.travel("2030-01-01T07:10:00Z", tick=True):
        find_digests()
        digest = mails()[-1]
    assert digest["To"] == ana.email
    assert "New reply in “Light *now*”" in digest.get_body(("plain",)).get_content()


def test_a_name_with_markdown_stays_text_in_a_mail(mails):
    forum = make_forum()
    discussion = make_discussion(forum, title="[free](http://evil.example) *x*")
    make_reply(discussion, make_learner(forum, name="[me](http://evil.example)"))

    html = mails()[0].get_body(("html",)).get_content()

    assert "[free](http://evil.example)" in html
    assert 'href="http://evil.example"' not in html


def test_followers_of_a_forum_hear_of_new_discussions(run_jobs):
    forum = make_forum()
    follower, author = make_learner(forum), make_learner(forum)
    for person in (follower, author):
        following.follow(person, forum, is_on=True)

    discussion = make_discussion(forum, author)
    make_reply(discussion, author)
    run_jobs()

    assert told() == [(follower.id, "forums.discussion")]


def test_nobody_is_told_who_left_turned_it_off_or_wrote_it(run_jobs):
    forum = make_forum()
    author, left, off, stays = (make_learner(forum) for _ in range(4))
    discussion = make_discussion(forum, author)
    for person in (left, off, stays):
        following.follow(person, discussion, is_on=True)
    following.follow(off, discussion, is_on=False)
    db.session.scalars(
        select(Enrolment).where(Enrolment.user_id == left.id)
    ).one().state = "withdrawn"
    db.session.commit()

    make_reply(discussion, author)
    run_jobs()

    assert told() == [(stays.id, "forums.reply")]


def test_instructors_who_follow_are_told(run_jobs):
    forum = make_forum()
    instructor = make_instructor(forum.run.course)
    following.follow(instructor, forum, is_on=True)
    make_discussion(forum)
    run_jobs()
    assert told() == [(instructor.id, "forums.discussion")]


def test_what_is_hidden_or_deleted_before_the_job_runs_sends_nothing(run_jobs):
    forum = make_forum()
    discussion = make_discussion(forum)
    for field in ("is_hidden", "is_deleted"):
        reply = make_reply(discussion, text=field)
        setattr(reply, field, True)
    db.session.commit()
    run_jobs()
    assert told() == []

    make_reply(discussion, text="seen")
    discussion.is_hidden = True
    db.session.commit()
    run_jobs()
    assert told() == []


def test_what_is_hidden_later_is_taken_back_from_the_notices(run_jobs, signed_in):
    forum = make_forum()
    discussion = make_discussion(forum)
    reply, other = make_reply(discussion, text="one"), make_reply(discussion, text="two")
    run_jobs()
    assert any(n.values["post_id"] == reply.id for n in db.session.scalars(select(Notice)))
    instructor = make_instructor(forum.run.course)

    signed_in(instructor).post(
        f"/study/{forum.run.id}/posts/{reply.id}/hidden", data={"reason": "x"}
    )

    values = [n.values for n in db.session.scalars(select(Notice)) if n.kind != "forums.moderated"]
    assert values
    assert {v["post_id"] for v in values} == {other.id}


def test_a_large_group_is_told_in_parts_outside_of_the_request(run_jobs, monkeypatch):
    monkeypatch.setattr(notices, "AT_ONCE", 3)
    forum = make_forum()
    discussion = make_discussion(forum)
    run_jobs()
    people = [make_learner(forum) for _ in range(7)]
    for person in people:
        following.follow(person, discussion, is_on=True)
    make_reply(discussion, discussion.author)
    assert told() == []

    run_jobs()

    assert sorted(user for user, _ in told()) == sorted(p.id for p in people)
    parts = db.session.scalar(
        select(func.count()).select_from(OutboxRow).where(OutboxRow.job == "forums.tell_some")
    )
    assert parts == 3


def statements():
    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id))
    return [orjson.loads(row.document) for row in rows]


def test_a_post_becomes_a_commented_statement_with_its_context(signed_in):
    forum = make_forum()
    user = make_user()
    enrolment = make_enrolment(forum.run, user)
    signed_in(user).post(
        f"/study/{forum.run.id}/forums/{forum.activity.slug}/new",
        data={"title": "Luz", "text": "¿Quién **paga**? " + "x" * 900, "language": "es"},
    )

    found = statements()
    verbs = [s["verb"]["id"].rsplit("/", 1)[-1] for s in found]
    assert verbs.index("commented") < verbs.index("completed")
    [said] = [s for s in found if s["verb"]["id"].endswith("/commented")]
    assert said["object"]["definition"]["name"] == {"es": "Luz"}
    assert said["object"]["definition"]["type"].endswith("/discussion")
    assert said["result"]["response"].startswith("¿Quién paga ?"[:12])
    assert len(said["result"]["response"]) <= 300
    context = said["context"]
    assert context["registration"] == str(enrolment.registration)
    assert context["contextActivities"]["parent"][0]["definition"]["name"] == forum.activity.title
    assert len(context["contextActivities"]["grouping"]) == 2
    assert said["actor"]["account"]["name"] == str(user.uuid)


def test_an_instructors_post_has_no_registration(signed_in):
    forum = make_forum()
    make_discussion(forum, make_instructor(forum.run.course))
    [said] = statements()
    assert "registration" not in said["context"]


def test_a_person_gets_all_they_wrote(app):
    discussion = make_discussion(text="Own words", uploads=[Upload("plan.txt", b"x")])
    make_reply(discussion, text="Words of another")

    found = personal_data["forums"].export(discussion.author_id)

    assert [p["text"] for p in found["posts"]] == ["Own words"]
    assert found["posts"][0]["attachments"] == ["plan.txt"]
    assert found["follows"][0]["discussion_id"] == discussion.id


def test_closing_the_account_takes_the_name_but_not_the_text(run_jobs, signed_in):
    forum = make_forum()
    author, other = make_learner(forum, name="Rosa Quispe"), make_learner(forum)
    discussion = make_discussion(forum, other)
    reply = make_reply(discussion, author, text="Stays here", uploads=[Upload("cv.txt", b"x")])
    reply.revisions.append(PostRevision(text="An earlier text"))
    db.session.add(ForumRead(user_id=author.id, discussion_id=discussion.id, last_read_post_id=1))
    db.session.commit()
    run_jobs()
    assert told("forums.reply_to_me") == [(other.id, "forums.reply_to_me")]

    close_account(author)
    db.session.commit()
    run_jobs()

    page = signed_in(other).get(f"/study/{forum.run.id}/discussions/{discussion.id}").text
    assert "Stays here" in page
    assert "Former participant" in page
    assert "Rosa" not in page
    assert "cv.txt" not in page
    assert told("forums.reply_to_me") == []
    for model in (PostRevision, ForumRead):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0


@pytest.mark.parametrize("minimum", [0, -1, 51, "2", 1.5, True])
def test_wrong_settings_are_refused_with_their_place(app, minimum):
    with app.test_request_context(), pytest.raises(PackageError, match="minimum_posts"):
        ForumActivity().check_settings({"minimum_posts": minimum}, "forum.yaml: settings")


def test_settings_are_kept_as_they_are(app):
    kind = ForumActivity()
    assert kind.check_settings({"minimum_posts": 3}, "x") == {"minimum_posts": 3}
    assert kind.check_settings({}, "x") == {}
    with app.test_request_context(), pytest.raises(PackageError, match="colour"):
        kind.check_settings({"colour": "red"}, "x")
    assert issubclass(kind.settings_form(None), object)


def test_forums_stand_among_the_links_of_a_run_for_those_who_teach(app):
    forum = make_forum()
    instructor = make_instructor(forum.run.course)

    with app.test_request_context():
        assert panels["forums.run"].render(run=forum.run) is None
        login_user(instructor)
        link = panels["forums.run"].render(run=forum.run)
        assert f"/study/{forum.run.id}/forums" in link
        assert panels["forums.run"].render(run=make_run()) is None
