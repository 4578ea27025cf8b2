from __future__ import annotations

import io
from datetime import date

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from lms.certificates.models import RevocationReason
from lms.certificates.services.issue import reissue
from lms.certificates.services.revoke import revoke
from lms.core.db import db
from lms.core.personal_data import personal_data
from lms.directory.services import keep_membership
from lms.recognition.hours import cycles_of
from lms.recognition.models import BodySettings, CreditEntry, EntryState
from tests.accounts.letters import text_of
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_certified_course, make_credential
from tests.factories.courses import make_run
from tests.factories.recognition import make_membership, make_rule


def entries() -> list[CreditEntry]:
    return list(db.session.scalars(select(CreditEntry).order_by(CreditEntry.id)))


@pytest.fixture
def member(association):
    make_rule(association, hours=10.0)
    user = make_user(email="ana@example.org")
    make_membership(association, user)
    return user


def test_a_certificate_becomes_hours_and_the_person_is_told(member, signed_in):
    credential = make_credential(user=member)

    [entry] = entries()
    assert (entry.hours, entry.credential_id, entry.state) == (10.0, credential.id, "credited")
    assert "College credits hours to you" in signed_in(member).get("/notices/").text


def test_a_corrected_certificate_counts_once(member):
    credential = make_credential(user=member)

    made = reissue(credential, "Ana María", make_administrator().id)

    [entry] = entries()
    assert (entry.credential_id, entry.state) == (made.id, "credited")


def test_the_same_course_counts_once_in_whichever_run(member):
    course = make_certified_course()
    make_credential(user=member, run=make_run(course))
    make_credential(user=member, run=make_run(course))

    assert len(entries()) == 1


def test_hours_of_a_revoked_certificate_no_longer_count(member):
    course = make_certified_course()
    first = make_credential(user=member, run=make_run(course))

    revoke(first, RevocationReason.MISCONDUCT, None, make_administrator().id)
    assert [entry.state for entry in entries()] == ["withdrawn"]

    second = make_credential(user=member, run=make_run(course))
    assert [(e.state, e.credential_id) for e in entries()] == [("credited", second.id)]


def test_who_names_the_association_later_gets_earlier_certificates(association):
    make_rule(association)
    user = make_user()
    make_credential(user=user)
    assert entries() == []

    keep_membership(user, association, "CP-2")
    keep_membership(user, association, "CP-3")

    assert len(entries()) == 1


def line(day: date, hours: float, **values) -> CreditEntry:
    values.setdefault("state", EntryState.CREDITED)
    values.setdefault("category", "")
    return CreditEntry(id=values.pop("id", 1), awarded_on=day, hours=hours, **values)


@pytest.mark.parametrize(
    ("years", "day", "first", "last"),
    [
        (1, date(2027, 3, 1), date(2026, 7, 1), date(2027, 6, 30)),
        (1, date(2027, 7, 1), date(2027, 7, 1), date(2028, 6, 30)),
        (3, date(2027, 3, 1), date(2025, 7, 1), date(2028, 6, 30)),
        (2, date(2020, 6, 30), date(2019, 7, 1), date(2021, 6, 30)),
        (5, date(2025, 6, 30), date(2020, 7, 1), date(2025, 6, 30)),
    ],
)
def test_cycles_follow_from_any_first_day(years, day, first, last):
    settings = BodySettings(cycle_starts_on=date(2025, 7, 1), cycle_years=years)

    assert settings.cycle_of(day) == (first, last)


def test_a_cycle_may_begin_on_29_february():
    settings = BodySettings(cycle_starts_on=date(2024, 2, 29), cycle_years=1)

    assert settings.cycle_of(date(2025, 2, 27)) == (date(2024, 2, 29), date(2025, 2, 27))
    assert settings.cycle_of(date(2025, 2, 28))[0] == date(2025, 2, 28)


def test_only_credited_hours_are_added_up_cycle_by_cycle():
    settings = BodySettings(cycle_starts_on=date(2026, 1, 1), cycle_years=1, hours_needed=20.0)
    found = cycles_of(
        settings,
        [
            line(date(2026, 5, 1), 4.0, category="Ethics"),
            line(date(2026, 6, 1), 5.5),
            line(date(2026, 7, 1), 9.0, state=EntryState.PENDING),
            line(date(2026, 8, 1), 9.0, state=EntryState.WITHDRAWN),
            line(date(2025, 8, 1), 7.0),
        ],
        date(2026, 9, 1),
    )

    assert [(one.first.year, one.total, one.missing) for one in found] == [
        (2026, 9.5, 10.5),
        (2025, 7.0, 13.0),
    ]
    assert found[0].by_category == {"": 5.5, "Ethics": 4.0}


def test_the_ceiling_of_a_rule_holds_within_a_cycle(association):
    version = make_rule(association, most_hours=6.0).newest
    settings = BodySettings(cycle_starts_on=date(2026, 1, 1), cycle_years=1)
    found = cycles_of(
        settings,
        [line(date(2026, month, 1), 4.0, rule_version=version, id=month) for month in (3, 1, 2)],
        date(2026, 9, 1),
    )
    db.session.rollback()

    assert found[0].total == 6.0
    assert [one.counted for one in reversed(found[0].lines)] == [4.0, 2.0, 0.0]


def test_the_learner_sees_the_ledger_and_takes_it_along(signed_in, member, association):
    credential = make_credential(user=member)
    browser = signed_in(member)

    page = browser.get("/my/hours").text
    assert "Andean Centre" in page
    assert credential.code in page
    table = browser.get("/my/hours/colegio.csv")
    assert table.data.startswith("\ufeff".encode())
    assert f",10.0,10.0,,,,credited,{credential.code}" in table.text
    pdf = browser.get("/my/hours/colegio.pdf")
    text = PdfReader(io.BytesIO(pdf.data)).pages[0].extract_text()
    assert credential.code in text.replace("\n", "")
    assert "College" in text
    assert browser.get("/my/hours/other.csv").status_code == 404


def test_nobody_sees_the_hours_of_others(signed_in, client, member, association, officer):
    credential = make_credential(user=member)

    assert client.get("/my/hours").status_code == 302
    for user in (make_user(), officer, make_administrator()):
        assert credential.code not in signed_in(user).get("/my/hours").text
        assert signed_in(user).get("/my/hours/colegio.csv").status_code == 404


CLAIM = {
    "association": "colegio", "title": "Seminar", "provider": "University",
    "awarded_on": "2026-03-01", "hours": "6", "link": "https://example.org/seminar",
}  # fmt: skip


def test_an_officer_decides_on_hours_from_elsewhere(signed_in, desk, member, mails):
    browser = signed_in(member)
    data = CLAIM | {"file": (io.BytesIO(b"%PDF-1.4 proof"), "proof.pdf")}
    assert browser.get("/my/hours/claim").status_code == 200

    answer = browser.post("/my/hours/claim", data=data)

    assert answer.status_code == 303, answer.text
    [entry] = entries()
    assert (entry.state, entry.file.name) == ("pending", "proof.pdf")
    assert "Seminar" in desk.get("/recognition/colegio/requests").text
    path = f"/recognition/colegio/claims/{entry.id}"
    assert entry.file.sha256 in desk.get(path).text
    assert desk.get(f"{path}/file").data == b"%PDF-1.4 proof"
    assert browser.get(f"/my/hours/claims/{entry.uuid}/file").data == b"%PDF-1.4 proof"
    refused = desk.post(path, data={"decision": "refuse"})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    assert desk.post(path, data={"decision": "grant", "hours": "4"}).status_code == 303
    [entry] = entries()
    assert (entry.state, entry.hours) == ("credited", 4.0)
    assert desk.post(path, data={"decision": "grant", "hours": "4"}).status_code == 409
    assert any("has credited hours to you" in text_of(mail) for mail in mails())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": " "}, "Say what you learned."),
        ({"hours": "0"}, "Between 0.25 and 1,000 hours."),
        ({"awarded_on": "2099-01-01"}, "This day has not come yet."),
        ({"link": ""}, "Add a link or a file that shows it."),
        ({"link": "javascript:alert(1)"}, "Write a web address."),
        ({"association": "other"}, "Not a valid choice"),
    ],
)
def test_wrong_claims_are_explained(signed_in, member, change, words):
    answer = signed_in(member).post("/my/hours/claim", data=CLAIM | change)

    assert answer.status_code == 422
    assert words in answer.text
    assert entries() == []


def test_evidence_is_for_the_officers_and_the_person_alone(signed_in, client, desk, member):
    data = CLAIM | {"file": (io.BytesIO(b"%PDF-1.4 proof"), "proof.pdf")}
    signed_in(member).post("/my/hours/claim", data=data)
    [entry] = entries()

    for user in (make_user(), make_administrator(), member):
        path = f"/recognition/colegio/claims/{entry.id}/file"
        assert signed_in(user).get(path).status_code == 403
    assert signed_in(make_user()).get(f"/my/hours/claims/{entry.uuid}/file").status_code == 404
    assert client.get(f"/my/hours/claims/{entry.uuid}/file").status_code == 302


def test_personal_data_is_given_and_erased(signed_in, member):
    data = CLAIM | {"file": (io.BytesIO(b"%PDF-1.4 proof"), "proof.pdf")}
    signed_in(member).post("/my/hours/claim", data=data)

    exported = personal_data["recognition"].export(member.id)
    assert exported["hours"][0]["file"] == "proof.pdf"
    personal_data["recognition"].erase(member.id)

    assert entries() == []
