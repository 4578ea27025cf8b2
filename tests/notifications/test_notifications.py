from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from lms.core.db import db
from lms.notifications import jobs, services
from lms.notifications.kinds import NotificationKind
from lms.notifications.models import MailChoice, Notice
from tests.factories.accounts import make_user


@pytest.fixture
def kind(app, monkeypatch):
    """A kind of message that no room owns."""
    from flask_babel import gettext as _

    found = NotificationKind(
        "test.happened",
        "Something happened",
        subject=lambda values: _("Hello %(name)s,", name=values["what"]),
        template="notifications/mail/layout.txt",
        link=lambda values: "http://puente.test/somewhere",
    )
    monkeypatch.setitem(app.extensions["puente"].declared["notification_kinds"], found.name, found)
    return found


def test_a_value_with_a_name_that_every_message_has_is_refused_at_once(kind):
    with pytest.raises(ValueError, match="recipient"):
        services.tell(make_user(), kind.name, recipient="somebody")
    with pytest.raises(ValueError, match="link"):
        services.tell_address("a@example.org", "en", kind.name, link="http://example.org")


def test_a_notice_arrives_on_the_page_and_by_mail(kind, mails, signed_in):
    user = make_user(name="Ana Flores")

    services.tell(user, kind.name, what="there")

    [mail] = mails()
    assert mail["To"] == user.email
    assert mail["Subject"] == "Hello there,"
    assert "http://puente.test/somewhere" in mail.get_body(("plain",)).get_content()
    page = signed_in(user).get("/notices/")
    assert "Hello there," in page.text


def test_a_mail_is_sent_once_even_when_its_job_runs_twice(kind, mails):
    notice = services.tell(make_user(), kind.name, what="there")
    assert len(mails()) == 1

    jobs.send(notice.id)

    assert len(mails()) == 1


def test_the_link_in_a_mail_turns_its_kind_off_without_signing_in(kind, mails, client):
    user = make_user()
    services.tell(user, kind.name, what="there")
    address = re.search(r"/notices/stop/\S+", mails()[0]["List-Unsubscribe"].strip("<>")).group()

    assert client.get(address).status_code == 200
    assert client.post(address).status_code == 200

    services.tell(user, kind.name, what="again")
    assert len(mails()) == 1
    assert client.get("/notices/stop/forged").status_code == 404


def test_a_digest_holds_all_that_waited(kind, mails, run_jobs):
    user = make_user()
    services.choose(user.id, {kind.name: MailChoice.DAILY})
    services.tell(user, kind.name, what="one")
    services.tell(user, kind.name, what="two")
    assert mails() == []

    jobs.digest(user.id)

    [mail] = mails()
    text = mail.get_body(("plain",)).get_content()
    assert "Hello one," in text
    assert "Hello two," in text
    assert not db.session.scalars(select(Notice).where(Notice.waits_for_digest)).all()


def test_nobody_opens_the_notices_of_others(kind, signed_in):
    notice = services.tell(make_user(), kind.name, what="secret")

    answer = signed_in(make_user()).post(f"/notices/{notice.id}")

    assert answer.status_code == 404


def test_a_closed_account_is_told_nothing(kind, mails):
    from lms.core import clock

    services.tell(make_user(closed_at=clock.now()), kind.name, what="there")

    assert mails() == []
