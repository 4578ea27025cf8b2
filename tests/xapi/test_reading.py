"""Reading statements: filters, pages that do not shift, formats, languages, bad parameters."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import pytest
import time_machine

from lms.core import clock
from lms.xapi.models import KeyScope
from lms.xapi.services.formats import in_best_language
from lms.xapi.services.keys import make_key
from tests.xapi.asking import ANA, COURSE, LUIS, VERB, asking, basic

RUN = {"id": "http://example.org/run"}
TEAM = {"objectType": "Group", "mbox": "mailto:team@example.org", "member": [LUIS]}


@pytest.fixture
def tool(client):
    return asking(client)


def statement(**values):
    return {"id": str(uuid.uuid4()), "actor": ANA, "verb": VERB, "object": COURSE, **values}


def found(answer) -> list[str]:
    return [one["id"] for one in answer.json["statements"]]


@pytest.mark.parametrize("ascending", ["false", "true"])
@pytest.mark.parametrize("query", [{}, {"agent": ANA}])
def test_pages_do_not_shift_while_others_write(tool, ascending, query):
    sent = [statement() for _ in range(7)]
    tool("POST", "statements", sent)
    ids = [one["id"] for one in sent]

    page = tool("GET", "statements", limit=3, ascending=ascending, **query)
    read = found(page)
    while page.json["more"]:
        tool("POST", "statements", statement())
        page = tool("GET", "statements", cursor=page.json["more"].partition("cursor=")[2])
        read += found(page)

    assert read == (ids if ascending == "true" else ids[::-1])


def test_more_is_taken_only_untouched_and_alone(tool):
    tool("POST", "statements", [statement(), statement()])
    more = tool("GET", "statements", limit=1).json["more"]
    assert more.startswith("/xapi/statements?cursor=")
    token = more.partition("cursor=")[2]

    for bad in (token[:-2] + "xx", "x" + token, "", token + "A", "." * 5):
        assert tool("GET", "statements", cursor=bad).status_code == 400
    assert tool("GET", "statements", cursor=token, limit=1).status_code == 400


def test_more_holds_a_day_and_behind_a_path_prefix(client):
    authorization = basic(*make_key("A tool", KeyScope.ALL, None))
    headers = {"Authorization": authorization, "X-Experience-API-Version": "1.0.3"}
    place = {"base_url": "http://puente.test/under/this", "headers": headers}
    sent = client.post("/xapi/statements", json=[statement(), statement()], **place)
    assert sent.status_code == 200

    more = client.get("/xapi/statements?limit=1", **place).json["more"]

    assert more.startswith("/under/this/xapi/statements?cursor=")
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        again = client.get(more.removeprefix("/under/this"), **place)
        assert len(again.json["statements"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"statementId": str(uuid.uuid4()), "voidedStatementId": str(uuid.uuid4())},
        {"statementId": str(uuid.uuid4()), "agent": ANA},
        {"statementId": "no uuid"},
        {"agent": "{"}, {"agent": "[]"}, {"agent": {"objectType": "Group", "member": [ANA]}},
        {"verb": "did"}, {"activity": "x"}, {"registration": "1"}, {"since": "yesterday"},
        {"until": "2026-02-30T00:00:00Z"}, {"limit": "-1"}, {"limit": "x"}, {"limit": "1e3"},
        {"format": "all"}, {"attachments": "yes"}, {"ascending": "True"}, {"Agent": ANA},
        {"related_agents": "1"}, {"unknown": "1"},
    ],
)  # fmt: skip
def test_bad_parameters_are_refused_by_name(tool, query):
    answer = tool("GET", "statements", **query)

    assert answer.status_code == 400
    assert any(name in answer.json["error"] for name in query)


def test_filters_know_direct_and_related_mentions(tool):
    plain = statement()
    grouped = statement(actor=TEAM, object=RUN)
    named = statement(
        object={"objectType": "Agent", **LUIS},
        context={
            "instructor": {"mbox": "mailto:teacher@example.org"},
            "contextActivities": {"category": [RUN]},
        },
    )
    inside = {k: v for k, v in statement(actor=LUIS, object=RUN).items() if k != "id"}
    nested = statement(object={"objectType": "SubStatement", **inside})
    tool("POST", "statements", [plain, grouped, named, nested])

    def ids(*statements):
        return [one["id"] for one in reversed(statements)]

    assert found(tool("GET", "statements", agent=LUIS)) == ids(grouped, named)
    everywhere = tool("GET", "statements", agent=LUIS, related_agents="true")
    assert found(everywhere) == ids(grouped, named, nested)
    teacher = {"mbox": "mailto:teacher@example.org"}
    assert found(tool("GET", "statements", agent=teacher)) == []
    assert found(tool("GET", "statements", agent=teacher, related_agents="true")) == ids(named)
    assert found(tool("GET", "statements", activity=RUN["id"])) == ids(grouped)
    about = {"activity": RUN["id"], "related_activities": "true"}
    assert found(tool("GET", "statements", **about)) == ids(grouped, named, nested)
    assert found(tool("GET", "statements", **about, agent=ANA)) == ids(named, nested)
    assert found(tool("GET", "statements", agent=TEAM)) == ids(grouped)


def test_context_agents_of_2_0_are_related_agents(client):
    tool = asking(client, "2.0.0")
    named = statement(
        context={
            "contextAgents": [{"objectType": "contextAgent", "agent": LUIS}],
            "contextGroups": [{"objectType": "contextGroup", "group": TEAM}],
        }
    )
    tool("POST", "statements", named)

    for agent in (LUIS, TEAM):
        assert found(tool("GET", "statements", agent=agent)) == []
        assert found(tool("GET", "statements", agent=agent, related_agents="true"))
    assert asking(client)("GET", "statements", statementId=named["id"]).json["context"]


def test_since_is_after_and_until_is_up_to(tool):
    sent = [statement() for _ in range(3)]
    tool("POST", "statements", sent)
    middle = tool("GET", "statements", statementId=sent[1]["id"]).json["stored"]

    assert found(tool("GET", "statements", since=middle)) == [sent[2]["id"]]
    assert found(tool("GET", "statements", until=middle)) == [sent[1]["id"], sent[0]["id"]]
    assert found(tool("GET", "statements", since=clock.now().isoformat())) == []


def test_ids_leave_what_identifies(tool):
    verb = {"id": VERB["id"], "display": {"en": "did"}}
    group = {"objectType": "Group", "name": "We", "member": [{"name": "Ana", **ANA}]}
    score = {"result": {"score": {"raw": 1.0}}}
    thing = {"id": COURSE["id"], "definition": {"name": {"en": "Course"}}}
    sent = statement(actor=group, verb=verb, object=thing, context={"team": TEAM}, **score)
    tool("POST", "statements", sent)

    text = tool("GET", "statements", format="ids").get_data(as_text=True)
    shown = json.loads(text)["statements"][0]

    assert shown["actor"] == {"objectType": "Group", "member": [ANA]}
    assert shown["verb"] == VERB
    assert shown["object"]["id"] == COURSE["id"]
    assert "definition" not in shown["object"]
    assert shown["context"]["team"] == {"objectType": "Group", "mbox": TEAM["mbox"]}
    assert "name" not in shown["authority"]
    assert '"raw":1.0' in text or '"raw": 1.0' in text


def test_canonical_definitions_gather_what_all_statements_say(tool):
    def about(**definition):
        return statement(object={"id": COURSE["id"], "definition": definition})

    first = about(name={"en": "Course", "es": "Curso"}, extensions={"http://a.example/a": 1.0})
    second = about(name={"en": "The course"}, extensions={"http://a.example/b": None})
    third = about(type="http://example.org/type", description={"pt": "Um curso"})
    for one in (first, second, third):
        tool("POST", "statements", one)

    def shown(language, **query):
        headers = {"Accept-Language": language}
        answer = tool("GET", "statements", None, headers, format="canonical", **query)
        return answer.json["object"]["definition"]

    assert shown("es-MX, en;q=0.5", statementId=first["id"]) == {
        "name": {"es": "Curso"},
        "description": {"pt": "Um curso"},
        "extensions": {"http://a.example/a": 1.0, "http://a.example/b": None},
        "type": "http://example.org/type",
    }
    assert shown("en", statementId=third["id"])["name"] == {"en": "The course"}
    exact = tool("GET", "statements", statementId=first["id"]).json["object"]["definition"]
    assert exact["name"] == {"en": "Course", "es": "Curso"}


@pytest.mark.parametrize(
    ("languages", "wanted"),
    [
        ([], "en-US"), (["*"], "en-US"), (["pt-BR"], "pt"), (["pt"], "pt"), (["es"], "es-419"),
        (["fr", "es-MX"], "es-419"), (["EN-us"], "en-US"), (["fr"], "en-US"),
    ],
)  # fmt: skip
def test_one_language_is_chosen(languages, wanted):
    texts = {"en-US": "a", "pt": "b", "es-419": "c"}

    assert list(in_best_language(texts, languages)) == [wanted]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xfe{\x00}\x00", "application/json"),
        ('{"a":"é"}'.encode("latin-1"), "application/json"),
        (b"{}", "application/json; charset=iso-8859-1"),
        (b'{"actor":NaN}', "application/json"),
        (b'{"id":1,"id":1}', "application/json"),
        (b"[" * 10_000, "application/json"),
        (b"[]", "text/plain"),
        (b"--x\r\n", "multipart/mixed; boundary=x"),
        (b"--x\r\n", "multipart/mixed"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"", "application/json"),
        (b"[1, 2]", "application/json"),
        (b'"text"', "application/json"),
        (b"[{}]", "application/json"),
    ],
)
def test_bodies_that_are_no_statements_are_refused_quickly(tool, content, kind):
    started = clock.now()

    answer = tool("POST", "statements", content, {"Content-Type": kind})

    assert answer.status_code == 400
    assert (clock.now() - started).total_seconds() < 1
    assert found(tool("GET", "statements")) == []


def test_names_with_any_sign_are_kept(tool):
    account = {"account": {"homePage": "http://example.org", "name": "a\0b\U0001f600|\u2028"}}
    tool("POST", "statements", statement(actor=account))

    [kept] = tool("GET", "statements").json["statements"]

    assert kept["actor"] == account
