from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from lms.core import clock
from lms.core.db import db
from lms.courses.models import Enrolment
from lms.forums.models import Discussion, ForumRead, ForumSubscription, Post
from lms.forums.queries import get_opening
from tests.factories.accounts import make_administrator, make_user
from tests.factories.courses import make_enrolment, make_instructor, make_run
from tests.factories.directory import make_organisation
from tests.factories.forums import (
    first_post,
    make_discussion,
    make_forum,
    make_learner,
    make_reply,
    make_thread,
)


def run_url(forum, path=""):
    return f"/study/{forum.run.id}{path}"


def forum_url(forum, path=""):
    return run_url(forum, f"/forums/{forum.activity.slug}{path}")


def page_of(discussion, path=""):
    return f"/study/{discussion.run_id}/discussions/{discussion.id}{path}"


def test_only_people_of_the_run_come_in(signed_in, client):
    forum = make_forum()
    discussion = make_discussion(forum)
    post = first_post(discussion)
    other_run = make_run(forum.run.course)
    withdrawn = make_user()
    make_enrolment(forum.run, withdrawn, state="withdrawn")
    waiting = make_user()
    make_enrolment(forum.run, waiting, state="waitlisted")
    elsewhere = make_user()
    make_enrolment(other_run, elsewhere)
    reads = [
        run_url(forum, "/forums"),
        run_url(forum, "/forums/search?q=council"),
        forum_url(forum),
        forum_url(forum, "/new"),
        page_of(discussion),
        run_url(forum, f"/posts/{post.id}"),
        run_url(forum, f"/posts/{post.id}/history"),
    ]
    writes = [
        forum_url(forum, "/new"),
        forum_url(forum, "/following"),
        page_of(discussion),
        page_of(discussion, "/read?page=1&to=9"),
        page_of(discussion, "/following"),
        run_url(forum, "/forums/preview"),
    ]
    for address in reads:
        assert client.get(address).status_code == 302, address
        for person in (withdrawn, waiting, elsewhere, make_user()):
            assert signed_in(person).get(address).status_code == 403, address
        for person in (make_instructor(forum.run.course), make_administrator()):
            assert signed_in(person).get(address).status_code in (200, 302), address
    for address in writes:
        assert client.post(address).status_code == 302, address
        for person in (withdrawn, waiting, elsewhere, make_user()):
            assert signed_in(person).post(address).status_code == 403, address
    assert db.session.scalar(select(func.count()).select_from(ForumSubscription)) == 1


def test_posts_of_somebody_who_left_stay(signed_in):
    forum = make_forum()
    discussion = make_discussion(forum, make_learner(forum, name="Rosa Quispe"))
    enrolment = db.session.scalars(select(Enrolment)).one()
    enrolment.state = "withdrawn"
    db.session.commit()

    assert "Rosa Quispe" in signed_in(make_learner(forum)).get(page_of(discussion)).text
    assert signed_in(discussion.author).get(page_of(discussion)).status_code == 403


def test_each_run_starts_empty(signed_in):
    forum = make_forum()
    make_discussion(forum, title="From the first run")
    second = make_run(forum.run.course)
    learner = make_user()
    make_enrolment(second, learner)

    page = signed_in(learner).get(f"/study/{second.id}/forums/{forum.activity.slug}")

    assert "From the first run" not in page.text
    assert "Nobody has written yet" in page.text


def test_a_forum_opens_with_its_week(signed_in):
    run = make_run(release="by_week")
    forum = make_forum(run)
    forum.activity.module.release_day = 10
    db.session.commit()
    discussion = make_discussion(forum, make_instructor(run.course))
    learner = signed_in(make_learner(forum))

    for address in (forum_url(forum), page_of(discussion)):
        answer = learner.get(address)
        assert answer.status_code == 403
        assert "has not opened yet" in answer.text
    assert "No forum is open yet" in learner.get(run_url(forum, "/forums")).text
    assert (
        "council"
        not in learner.get(run_url(forum, "/forums/search?q=council")).text.split("</form>")[-1]
    )


def test_what_does_not_exist_is_not_found(signed_in):
    forum = make_forum()
    browser = signed_in(make_learner(forum))
    for path in ("/forums/none", "/discussions/99", "/posts/99", "/attachments/9/x.txt"):
        assert browser.get(run_url(forum, path)).status_code == 404
    assert browser.get("/study/999999/forums").status_code == 404


def test_pinned_discussions_come_first_then_the_newest(signed_in):
    forum = make_forum()
    author = make_learner(forum)
    titles = ["First one", "Second one", "Third one"]
    first, second, _third = [make_discussion(forum, author, title=t, text=t) for t in titles]
    make_reply(second, author)
    db.session.get(Discussion, first.id).is_pinned = True
    db.session.commit()

    page = signed_in(make_learner(forum)).get(forum_url(forum)).text

    places = [page.index(title) for title in ("First one", "Second one", "Third one")]
    assert places == sorted(places)
    assert "Pinned" in page


def test_unread_marks_go_when_the_page_was_read(signed_in):
    forum = make_forum()
    discussion = make_discussion(forum)
    reader = make_learner(forum)
    browser = signed_in(reader)
    page = browser.get(forum_url(forum)).text
    assert "is-unread" in page
    thread = browser.get(page_of(discussion)).text
    newest = first_post(discussion).id
    beacon = f"/read?page=1&amp;to={newest}"
    assert beacon in thread
    late = make_reply(discussion)

    assert browser.post(page_of(discussion, f"/read?page=1&to={newest}")).status_code == 204

    thread = browser.get(page_of(discussion)).text
    assert thread.count('class="post is-unread"') == 1
    assert f"/posts/{late.id}" in thread
    answer = browser.post(page_of(discussion, f"/read?to={late.id}"), data={"all": "1"})
    assert answer.status_code == 303
    page = browser.get(forum_url(forum)).text
    assert "is-unread" not in page
    assert "is-unread" not in browser.get(page_of(discussion)).text
    assert "You have read everything" in browser.get(forum_url(forum, "?show=unread")).text


def test_opening_a_page_changes_nothing(signed_in):
    discussion = make_discussion()
    signed_in(make_learner(discussion.forum)).get(page_of(discussion))
    assert db.session.scalar(select(func.count()).select_from(ForumRead)) == 0


@pytest.mark.parametrize("to", ["", "-1", "abc", "9" * 30, "99999"])
def test_nonsense_about_what_was_read_is_harmless(signed_in, to):
    discussion = make_discussion()
    browser = signed_in(make_learner(discussion.forum))

    assert browser.post(page_of(discussion, f"/read?page=1&to={to}")).status_code == 204

    read = db.session.scalars(select(ForumRead.last_read_post_id)).one_or_none()
    assert read in (None, first_post(discussion).id)


def test_own_posts_are_never_unread(signed_in):
    discussion = make_discussion()
    page = signed_in(discussion.author).get(forum_url(discussion.forum)).text
    assert "is-unread" not in page


def test_what_stands_on_other_pages_stays_unread(signed_in):
    forum = make_forum()
    author = make_learner(forum)
    discussion = make_discussion(forum, author)
    posts = make_thread(discussion, author, 60)
    answer_on_first_page = make_reply(posts[0], author, text="Late, but on page one")
    reader = make_learner(forum)
    browser = signed_in(reader)
    newest = answer_on_first_page.id

    first = browser.get(page_of(discussion)).text
    assert "Late, but on page one" in first
    assert "Reply 55" not in first
    browser.post(page_of(discussion, f"/read?page=1&to={newest}"))

    page = browser.get(page_of(discussion, "?page=2")).text
    assert "Reply 55" in page
    assert "is-unread" in page
    jump = browser.get(run_url(forum, f"/posts/{posts[-1].id}"))
    assert jump.location.endswith(f"?page=2#post-{posts[-1].id}")
    browser.post(page_of(discussion, f"/read?page=2&to={newest}"))
    browser.post(page_of(discussion, f"/read?page=1&to={newest}"))
    assert "is-unread" not in browser.get(forum_url(forum)).text


def test_following_is_turned_on_by_writing_and_stays_off_when_turned_off(signed_in):
    discussion = make_discussion()
    author = discussion.author
    browser = signed_in(author)
    assert "Stop following" in browser.get(page_of(discussion)).text

    answer = browser.post(page_of(discussion, "/following"), data={"on": "0"})
    assert answer.status_code == 303
    browser.post(page_of(discussion), data={"text": "More", "language": "en"})
    assert "Stop following" not in browser.get(page_of(discussion)).text

    for _click in "ab":
        browser.post(page_of(discussion, "/following"), data={"on": "1"})
    assert db.session.scalars(select(ForumSubscription)).one().is_on
    browser.post(forum_url(discussion.forum, "/following"), data={"on": "1"})
    assert "Stop following" in browser.get(forum_url(discussion.forum)).text


def test_search_finds_words_without_accents_and_marks_them(signed_in):
    forum = make_forum()
    author = make_learner(forum)
    make_discussion(forum, author, title="Other", text="The council votes on Tuesday.")
    make_discussion(
        forum, author, title="Agua", language="es",
        text="x " * 200 + "La GESTIÓN del **agua** <b>pública</b> en El Alto." + " y" * 200,
    )  # fmt: skip
    browser = signed_in(make_learner(forum))

    page = browser.get(run_url(forum, "/forums/search?q=gestion+PUBLICA")).text
    assert "<mark>GESTIÓN</mark>" in page
    assert "<mark>pública</mark>" in page
    assert "&lt;b&gt;" in page
    assert "1 post found" in page
    assert "Other" not in page
    assert "1 post found" in browser.get(run_url(forum, "/forums/search?q=tuesday")).text
    assert "Nothing found" in browser.get(run_url(forum, "/forums/search?q=100%25")).text
    for query in ("", "%25", "_", "'", "%00", "a" * 5000, "<script>alert(1)</script>"):
        answer = browser.get(run_url(forum, f"/forums/search?q={query}"))
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


def test_search_can_stay_in_one_forum_and_has_pages(signed_in):
    forum = make_forum()
    other = make_forum(forum.run)
    author = make_learner(forum)
    make_thread(make_discussion(forum, author, text="reply to this"), author, 30)
    make_discussion(other, author, title="Elsewhere", text="reply elsewhere")
    browser = signed_in(make_learner(forum))

    everywhere = browser.get(run_url(forum, "/forums/search?q=reply")).text
    assert "32 posts found" in everywhere
    assert "page=2" in everywhere
    here = browser.get(run_url(forum, f"/forums/search?q=reply&forum={other.activity.slug}")).text
    assert "1 post found" in here


def test_search_shows_nothing_hidden_or_deleted(signed_in):
    forum = make_forum()
    discussion = make_discussion(forum, text="needle in the open")
    hidden = make_reply(discussion, text="needle hidden")
    hidden.is_hidden = True
    covered = make_discussion(forum, text="needle in a hidden discussion")
    covered.is_hidden = True
    db.session.commit()

    page = signed_in(make_learner(forum)).get(run_url(forum, "/forums/search?q=needle")).text

    assert "1 post found" in page


def test_the_study_page_shows_the_task_and_the_discussions(signed_in):
    forum = make_forum(text={"en": "Write about *your* town."})
    discussion = make_discussion(forum, title="La Paz")
    browser = signed_in(make_learner(forum))

    page = browser.get(run_url(forum, f"/{forum.activity.slug}")).text

    assert "<em>your</em>" in page
    assert "La Paz" in page
    assert f"/discussions/{discussion.id}" in page
    assert "Start a discussion" in page
    assert "is-unread" in page
    instructor = signed_in(make_instructor(forum.run.course))
    assert "La Paz" in instructor.get(run_url(forum, f"/{forum.activity.slug}?preview=1")).text
    preview = instructor.get(f"/preview/{forum.run.course.slug}/{forum.activity.slug}")
    assert "In a course run" in preview.text


def test_a_preview_is_safe(signed_in):
    forum = make_forum()
    answer = signed_in(make_learner(forum)).post(
        run_url(forum, "/forums/preview"), data={"text": "**a** <script>x</script>"}
    )
    assert answer.status_code == 200
    assert "<strong>a</strong>" in answer.text
    assert "<script>" not in answer.text


def test_lists_need_few_queries(signed_in, count_queries):
    forum = make_forum()
    author = make_learner(forum)
    for number in range(50):
        make_discussion(forum, author, title=f"Number {number}", text=f"Text {number}")
    learner = make_learner(forum)
    manager = make_instructor(forum.run.course)
    for person in (learner, manager):
        browser = signed_in(person)
        for address in (
            forum_url(forum),
            forum_url(forum, "?show=unread"),
            run_url(forum, "/forums"),
            run_url(forum, "/forums/search?q=number"),
            run_url(forum, f"/{forum.activity.slug}"),
        ):
            db.session.commit()
            count_queries()
            answer = browser.get(address)
            number = count_queries()
            assert answer.status_code == 200
            assert number <= 12, (address, number)


def test_a_long_thread_needs_few_queries(signed_in, count_queries):
    forum = make_forum()
    discussion = make_discussion(forum)
    opening = first_post(discussion)
    people = [make_learner(forum) for _ in range(10)]
    for number in range(120):
        make_thread(discussion, people[number % 10], 1)
    posts = db.session.scalars(select(Post).where(Post.parent_id == opening.id)).all()
    for post in posts[:20]:
        make_reply(make_reply(post, people[1], text=f"a{post.id}"), people[2], text=f"b{post.id}")
    for person in (make_learner(forum), make_instructor(forum.run.course)):
        browser = signed_in(person)
        for address in (page_of(discussion), page_of(discussion, "?page=2")):
            db.session.commit()
            count_queries()
            answer = browser.get(address)
            number = count_queries()
            assert answer.text.count('id="post-') == 50
            assert number <= 12, (address, number)


def test_a_page_beyond_the_end_shows_the_last(signed_in):
    discussion = make_discussion()
    for page in ("9", "0", "-3", "x"):
        answer = signed_in(make_learner(discussion.forum)).get(page_of(discussion, f"?page={page}"))
        assert answer.status_code == 200
        assert "council" in answer.text


def test_somebody_who_closed_the_account_has_no_name(signed_in):
    forum = make_forum()
    author = make_learner(forum, name="Rosa Quispe")
    discussion = make_discussion(forum, author)
    author.closed_at = clock.now()
    db.session.commit()

    browser = signed_in(make_learner(forum))
    for address in (forum_url(forum), page_of(discussion), run_url(forum, "/forums/search?q=our")):
        page = browser.get(address).text
        assert "Former participant" in page
        assert "Rosa" not in page


def test_managers_of_the_organisation_come_in(signed_in):
    from lms.directory.models import OrganisationRole

    forum = make_forum()
    manager, stranger = make_user(), make_user()
    db.session.add(
        OrganisationRole(organisation=forum.run.course.owner, user=manager, role="manager")
    )
    db.session.add(
        OrganisationRole(organisation=make_organisation(), user=stranger, role="manager")
    )
    db.session.commit()

    assert signed_in(manager).get(forum_url(forum)).status_code == 200
    assert signed_in(stranger).get(forum_url(forum)).status_code == 403


@pytest.mark.sqlite  # the plan is read in SQLite's words
def test_the_lists_use_their_indexes(app):
    plan = db.session.execute(
        text(
            "EXPLAIN QUERY PLAN SELECT * FROM discussions WHERE run_id = 1 AND activity_id = 1"
            " ORDER BY is_pinned DESC, last_post_at DESC, id DESC LIMIT 50"
        )
    ).all()
    assert "ix_discussions_forum" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
    plan = db.session.execute(
        text("EXPLAIN QUERY PLAN SELECT * FROM posts WHERE discussion_id = 1 ORDER BY path LIMIT 9")
    ).all()
    assert "ix_posts_discussion_id_path" in str(plan)


def test_an_old_post_is_dated_by_its_time(signed_in):
    discussion = make_discussion()
    post = get_opening(discussion)
    post.created_at = clock.now() - timedelta(days=400)
    db.session.commit()
    page = signed_in(make_learner(discussion.forum)).get(page_of(discussion)).text
    assert post.created_at.isoformat(timespec="seconds") in page
