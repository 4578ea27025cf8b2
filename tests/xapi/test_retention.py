from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.xapi import queries, vocabulary
from lms.xapi.json_text import dumps
from lms.xapi.lookup import agent_key
from lms.xapi.models import (
    Erasure,
    ErasureWay,
    RetentionRule,
    StatementKey,
    StoredStatement,
)
from lms.xapi.models.documents import DocumentKind
from lms.xapi.queries import StatementFilter
from lms.xapi.services import erasure, retention, summaries
from lms.xapi.services.documents import (
    DocumentPlace,
    Preconditions,
    SentDocument,
    find_document,
    put_document,
)
from lms.xapi.services.selection import Selection
from lms.xapi.services.store import store_statements
from tests.factories.accounts import make_user
from tests.xapi.test_forwarding import AUTHORITY, COMPLETED, PASSED, void, write

ANA = {"mbox": "mailto:ana@example.org", "name": "Ana Quispe"}
WHO = erasure.identifiers_of("ana@example.org")


def say(**values) -> uuid.UUID:
    statement = {"actor": ANA, "verb": {"id": PASSED}, "object": {"id": "urn:thing"}, **values}
    return store_statements([statement], authority=AUTHORITY)[0]


def kept() -> list[str]:
    rows = db.session.scalars(select(StoredStatement).order_by(StoredStatement.id))
    return [str(row.statement_id) for row in rows]


def texts() -> str:
    return "\n".join(db.session.scalars(select(StoredStatement.document)))


def old(count: int, days: int = 40, **more) -> list[str]:
    with clock.set_to(clock.now() - timedelta(days=days)):
        return write(count, **more)


def test_a_rule_deletes_what_is_too_old_and_fits(app):
    old(3)
    other = old(1, verb=COMPLETED)
    new = write(2)
    rule = retention.add_rule("Answers", 30, Selection(verbs=(PASSED,)))
    db.session.execute(
        StoredStatement.__table__.update()
        .where(StoredStatement.statement_id.not_in([uuid.UUID(i) for i in other + new]))
        .values(verb_id=PASSED)
    )

    assert retention.preview(rule).count == 3
    db.session.commit()
    assert retention.run_rule(rule.id) == 3

    assert kept() == other + new
    assert db.session.scalars(select(Erasure)).one().deleted == 3
    assert retention.preview(rule).count == 0


def test_a_preview_changes_nothing_and_says_what_would_go(app):
    old(2)
    rule = retention.add_rule("All", 30, Selection())

    seen = retention.preview(rule)

    assert (seen.count, seen.verbs) == (2, [(COMPLETED, 2)])
    assert seen.oldest < seen.newest < clock.now() - timedelta(days=39)
    assert len(kept()) == 2
    assert retention.preview(retention.add_rule("None", 50, Selection())).verbs == []


def test_only_active_rules_are_kept_by_the_clock(app):
    old(2)
    rule = retention.add_rule("All", 30, Selection())
    db.session.commit()

    retention.keep_rules()
    assert len(kept()) == 2

    rule.is_active = True
    db.session.commit()
    retention.keep_rules()
    assert kept() == []


def test_a_rule_works_in_chunks_and_is_one_line_in_the_log(app, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)
    old(5)
    rule = retention.add_rule("All", 30, Selection())
    db.session.commit()

    assert retention.run_rule(rule.id) == 5

    assert db.session.scalars(select(Erasure)).one().deleted == 5


def test_a_rule_whose_collection_no_plugin_knows_deletes_nothing(app):
    old(1)
    rule = retention.add_rule("Lost", 30, Selection(limit=("nothing", uuid.uuid4())))

    assert retention.preview(rule).count == 0


def test_what_voided_a_deleted_statement_goes_with_it_and_counts_follow(app):
    [first, second] = old(2)
    void(first)
    summaries.count_all()
    rule = retention.add_rule("All", 30, Selection())
    db.session.commit()

    assert retention.run_rule(rule.id) == 3

    assert kept() == []
    assert db.session.scalars(select(StatementKey)).all() == []
    assert summaries.kept() == summaries.recount() == {}
    assert second


def test_a_person_becomes_one_pseudonym_everywhere(app):
    say()
    say(context={"instructor": ANA})
    other = {"actor": {"mbox": "mailto:ben@example.org"}, "context": {"instructor": ANA}}
    say(**other)
    group = {"objectType": "Group", "name": "Team", "member": [ANA, {"mbox": "mailto:c@x.org"}]}
    say(actor=group)
    inner = {"objectType": "SubStatement", "actor": ANA, "verb": {"id": PASSED}, "object": ANA}
    say(object={**inner, "object": {"id": "urn:y"}})
    before = len(kept())

    done = erasure.erase_person(WHO, anonymise=True)

    assert (done.changed, done.deleted) == (5, 0)
    assert len(kept()) == before
    assert "ana@example.org" not in texts()
    assert "Quispe" not in texts()
    names = {word for word in texts().split('"') if word.startswith("anonymous-")}
    assert len(names) == 1
    assert erasure.still_named(WHO) == 0
    pseudonym = f"account:http://puente.test|{names.pop()}"
    found = queries.list_statements(StatementFilter(agent=pseudonym, related_agents=True))
    assert len(db.session.scalars(found).all()) == 5
    assert summaries.kept() == summaries.recount()


def test_the_rest_of_a_statement_stays_as_it_was_sent(app):
    odd = {
        "urn:x": [None, 1.0, 1e2, 12345678901234567890123, {}, "ana@example.org stays: not ours"]
    }
    say(context={"extensions": odd}, object={"id": "urn:ana", "definition": {"extensions": odd}})
    before = db.session.scalars(select(StoredStatement.document)).one()

    erasure.erase_person(WHO, anonymise=True)

    db.session.expire_all()
    after = db.session.scalars(select(StoredStatement.document)).one()
    actor = json.loads(after)["actor"]
    assert after == before.replace(dumps(ANA), dumps(actor))


def test_free_text_goes_and_choices_stay(app):
    say(result={"response": "I am Ana Quispe", "success": True})
    chosen = {"type": "http://adlnet.gov/expapi/activities/cmi.interaction"}
    say(
        result={"response": "b"},
        object={"id": "urn:q", "definition": {**chosen, "interactionType": "choice"}},
    )

    erasure.erase_person(WHO, anonymise=True)

    documents = [json.loads(text) for text in db.session.scalars(select(StoredStatement.document))]
    assert [d["result"]["response"] for d in documents] == ["", "b"]


def test_a_person_is_deleted_and_others_keep_theirs(app):
    mine = say()
    about_me = say(actor={"mbox": "mailto:ben@example.org"}, object={"objectType": "Agent", **ANA})
    theirs = say(actor={"mbox": "mailto:ben@example.org"}, context={"instructor": ANA})
    voiding = void(str(mine))

    assert erasure.find(WHO) == erasure.Found(2, 1, 0)
    done = erasure.erase_person(WHO, anonymise=False)

    assert (done.deleted, done.changed) == (3, 1)
    assert kept() == [str(theirs)]
    assert "Quispe" not in texts()
    assert about_me
    assert voiding
    assert summaries.kept() == summaries.recount()


def test_who_only_refers_to_the_person_is_not_found_by_the_person_any_more(app):
    mine = say()
    about = {"objectType": "StatementRef", "id": str(mine)}
    say(actor={"mbox": "mailto:ben@example.org"}, object=about)
    found = queries.list_statements(StatementFilter(agent=WHO[0]))
    assert len(db.session.scalars(found).all()) == 2

    done = erasure.erase_person(WHO, anonymise=True)

    assert done.changed == 1
    assert db.session.scalars(found).all() == []


def test_states_go_over_to_the_pseudonym_or_are_deleted(app):
    def keep(name: str) -> DocumentPlace:
        place = DocumentPlace(DocumentKind.STATE, "urn:thing", WHO[0])
        sent = SentDocument(b"{}", "application/json")
        put_document(place, name, sent, Preconditions(), key_id=None)
        return place

    place = keep("bookmark")
    assert erasure.find(WHO).documents == 1

    assert erasure.erase_person(WHO, anonymise=True).documents == 1
    assert find_document(place, "bookmark") is None

    place = keep("bookmark")
    assert erasure.erase_person(WHO, anonymise=False).documents == 1
    assert find_document(place, "bookmark") is None


@pytest.mark.parametrize("way", list(ErasureWay))
def test_an_order_is_carried_out_once_and_forgets_who_it_was(app, run_jobs, way):
    say()

    order = retention.order_erasure(WHO, way, None)
    assert "ana" not in (order.identifiers_sealed or "")
    run_jobs()

    assert order.finished_at is not None
    assert order.identifiers_sealed is None
    assert order.deleted + order.changed == 1
    retention.carry_out(order.id)
    assert order.deleted + order.changed == 1


@pytest.mark.parametrize("way", ["anonymise", "delete"])
def test_closing_an_account_erases_the_records_as_the_setting_says(app, monkeypatch, way):
    from lms.accounts.services.closing import close_account

    changed = app.extensions["settings"].model_copy(update={"records_of_closed_accounts": way})
    monkeypatch.setitem(app.extensions, "settings", changed)
    user = make_user(password="a password of some length")
    actor, mbox = vocabulary.actor(user), {"mbox": f"mailto:{user.email}"}
    say(actor=actor)
    say(actor=mbox, result={"response": f"my name is {user.name}"})
    email, account = user.email, agent_key(actor)

    close_account(user)

    assert erasure.still_named((account, f"mbox:mailto:{email}")) == 0
    assert email not in texts()
    assert str(user.uuid) not in texts()
    assert len(kept()) == (2 if way == "anonymise" else 0)
    log = db.session.scalars(select(Erasure)).one()
    assert (log.kind, log.way, log.ordered_by_id) == ("account", way, None)


def test_rules_can_be_forgotten_and_their_log_stays(app):
    old(1)
    rule = retention.add_rule("All", 30, Selection())
    db.session.commit()
    retention.run_rule(rule.id)

    db.session.delete(db.session.get_one(RetentionRule, rule.id))
    db.session.commit()

    assert db.session.scalars(select(Erasure)).one().deleted == 1


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ana@example.org", "mbox:mailto:ana@example.org"),
        (" mailto:Ana@example.org ", "mbox:mailto:Ana@example.org"),
        ("https://x.org|ana", "account:https://x.org|ana"),
        ("https://ana.example.org/", "openid:https://ana.example.org/"),
        ("sha1:" + "0" * 40, "sha1:" + "0" * 40),
    ],
)
def test_a_person_can_be_named_in_many_ways(text, first):
    assert erasure.identifiers_of(text)[0] == first
