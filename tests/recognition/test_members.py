from __future__ import annotations

import io
from datetime import timedelta

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.directory.services import end_membership
from lms.recognition.models import Member, MemberConsent
from lms.recognition.services import members as services
from lms.recognition.sheets import MemberRow, UnreadableList, read_members
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential
from tests.factories.directory import make_association, make_officer
from tests.factories.recognition import (
    make_consent,
    make_member_with_certificate,
    make_membership,
    make_rule,
)

DESK = "/recognition/colegio"
LIST = "Número;Correo;Nombre\nCP-1;ana@example.org;Ana\ncp 2;;Luis\n"


def upload(browser, content: bytes | str, name: str = "list.csv", **more):
    content = content.encode() if isinstance(content, str) else content
    data = {"file": (io.BytesIO(content), name), **more}
    return browser.post(f"{DESK}/members/import", data=data)


def lines() -> list[Member]:
    return list(db.session.scalars(select(Member).order_by(Member.id)))


def test_a_list_is_kept_as_keyed_hashes_only(desk, association):
    answer = upload(desk, LIST)

    assert answer.status_code == 200
    assert "New: 2." in answer.text
    kept = " ".join(f"{m.number_mac} {m.email_mac} {m.hint}" for m in lines())
    assert "ana@example.org" not in kept
    assert "cp1" not in kept
    assert "Ana" not in kept
    assert "CP-1" not in kept


def test_the_same_list_again_changes_nothing_and_a_whole_list_ends_members(desk, association):
    upload(desk, LIST)

    assert "New: 0. Changed: 0. As before: 2. Left: 0." in upload(desk, LIST).text
    shorter = "number,email\nCP-1,new@example.org\n"
    answer = upload(desk, shorter, is_complete="y")
    assert "New: 0. Changed: 1. As before: 0. Left: 1." in answer.text
    assert [m.ended_at is None for m in lines()] == [True, False]
    assert "Changed: 2" in upload(desk, LIST).text
    assert [m.ended_at is None for m in lines()] == [True, True]


def test_an_excel_list_is_read_with_numbers_as_typed(desk, association):
    book = Workbook()
    book.active.append(["Nº", "Licence number", "Membership number"])
    book.active.append(["x", 12345, 77])
    content = io.BytesIO()
    book.save(content)

    [row] = read_members(content.getvalue(), "list.xlsx")

    assert row == MemberRow(2, "77", "", "12345")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,phone\nAna,1\n", "The first row must name the columns"),
        (b"number,email\n", "no members"),
        (b"PK\x03\x04 no archive", "cannot be read"),
        (b"number,email\n\x00,\x00\n", "cannot be read"),
    ],
)
def test_other_files_are_refused_with_a_reason(desk, association, content, words):
    answer = upload(desk, content)

    assert answer.status_code == 422
    assert words in answer.text
    assert lines() == []


def test_lists_of_windows_are_read_and_bad_lines_are_named():
    rows = read_members("number;email\nÑ-1;a@x.org\n;b@x.org\n".encode("cp1252"), "list.csv")

    assert rows[0].number == "Ñ-1"
    assert rows[1].line == 3


def test_a_list_that_is_too_large_is_refused():
    with pytest.raises(UnreadableList):
        read_members(b"number,email\n" + b"x" * (10 * 1024 * 1024), "list.csv")


def consent(association, user, licence="") -> MemberConsent:
    made = services.give_consent(association, user, licence)
    db.session.commit()
    return made


def rows(*given: tuple[str, str, str]) -> list[MemberRow]:
    return [MemberRow(line, *one) for line, one in enumerate(given, start=2)]


@pytest.mark.parametrize(
    ("number", "email", "licence", "expected"),
    [
        ("CP-1", "ana@example.org", "", "match"),
        ("cp 1", "ANA@example.org", "", "match"),
        (None, "ana@example.org", "", "match"),
        ("CP-1", "other@example.org", "", "not_enough"),  # anybody can type a number
        ("CP-3", "other@example.org", "L-3", "match"),
        ("CP-3", "other@example.org", "", "not_enough"),
        ("CP-3", "other@example.org", "L-9", "not_enough"),
        ("CP-3", "ana@example.org", "", "not_enough"),  # number and address of two members
        ("CP-9", "nobody@example.org", "", "no_match"),
        ("CP-9", "ana@example.org", "", "not_enough"),
    ],
)
def test_matching_is_by_identifiers(association, officer, number, email, licence, expected):
    services.import_members(
        association,
        officer,
        rows(("CP-1", "ana@example.org", ""), ("CP-3", "", "L-3")),
        is_complete=True,
    )
    user = make_user(email=email, name="Ana")
    make_membership(association, user, number)

    assert consent(association, user, licence).match == expected


def test_a_name_alone_is_never_a_match(association, officer):
    services.import_members(
        association, officer, rows(("Ana Quispe", "x@example.org", "")), is_complete=True
    )
    user = make_user(name="Ana Quispe")
    make_membership(association, user, None)

    assert consent(association, user).match == "no_match"


def test_without_a_list_or_a_confirmed_address_there_is_not_enough_data(association, officer):
    user = make_user(email="ana@example.org", email_confirmed_at=None)
    make_membership(association, user, None)
    assert consent(association, user).match == "not_enough"

    services.import_members(
        association, officer, rows(("CP-1", "ana@example.org", "")), is_complete=True
    )

    assert consent(association, user).match == "not_enough"


def test_a_later_list_matches_those_who_wait(association, officer):
    user = make_user(email="ana@example.org")
    make_membership(association, user)
    waiting = consent(association, user)
    assert waiting.match == "not_enough"

    services.import_members(
        association, officer, rows(("CP-1", "ana@example.org", "")), is_complete=True
    )

    assert db.session.get(MemberConsent, waiting.id).match == "match"


def test_an_officer_decides_where_the_list_does_not(desk, association):
    user = make_user(name="Luis Choque")
    make_membership(association, user, None)
    waiting = consent(association, user)
    assert "Luis Choque" in desk.get(f"{DESK}/requests").text
    path = f"{DESK}/requests/{waiting.id}/membership"

    assert desk.post(path, data={"answer": "yes"}).status_code == 303
    assert desk.post(path, data={"answer": "no"}).status_code == 409

    assert db.session.get(MemberConsent, waiting.id).match == "match"


def test_the_desk_shows_certificates_of_consenting_members_only(desk, signed_in, association):
    mine = make_member_with_certificate(association)
    without = make_credential(user=make_user())
    unclear = make_credential(user=make_user())
    make_consent(association, unclear.user, "no_match")
    path = f"{DESK}/certificates"

    page = desk.get(path).text
    assert mine.code in page
    assert without.code not in page
    assert unclear.code not in page
    table = desk.get(f"{path}?format=csv").text
    assert f"{mine.code}," in table
    assert ",valid," in table
    book = load_workbook(io.BytesIO(desk.get(f"{path}?format=xlsx").data))
    assert [cell.value for cell in book.active[2]][2] == mine.code

    signed_in(mine.user).post("/my/hours/colegio/consent/withdraw")
    assert mine.code not in desk.get(path).text
    assert mine.code not in desk.get(f"{path}?format=csv").text


def test_hours_of_members_are_listed_and_taken_along(desk, association):
    make_rule(association, hours=9.0, category="=Ethics")
    credential = make_member_with_certificate(association)
    stranger = make_credential(user=make_user())
    make_membership(association, stranger.user)

    assert credential.user.name in desk.get(f"{DESK}/hours").text
    table = desk.get(f"{DESK}/hours?format=csv").text
    assert credential.code in table
    assert "'=Ethics" in table
    assert stranger.code not in table
    consents = db.session.scalars(select(MemberConsent)).all()
    page = desk.get(f"{DESK}/members/{consents[0].id}").text
    assert credential.code in page


def test_consent_comes_from_the_person_and_ends_with_the_membership(signed_in, association):
    user = make_user()
    browser = signed_in(user)
    assert browser.post("/my/hours/colegio/consent").status_code == 409  # no member
    membership = make_membership(association, user)

    assert browser.post("/my/hours/colegio/consent", data={"licence": "L-1"}).status_code == 303
    [given] = db.session.scalars(select(MemberConsent)).all()
    assert given.is_given
    assert "L-1" not in f"{given.licence_mac}"
    end_membership(db.session.merge(membership))
    assert not db.session.get(MemberConsent, given.id).is_given


@pytest.mark.parametrize(
    "path",
    [
        "", "/members", "/members/import", "/requests", "/certificates", "/hours", "/audits",
        "/issuers", "/settings", "/rules", "/accreditations",
    ],
)  # fmt: skip
def test_the_desk_is_for_its_officers(signed_in, client, desk, association, path):
    assert desk.get(f"{DESK}{path}").status_code == 200
    assert client.get(f"{DESK}{path}").location.startswith("/sign-in")
    for user in (
        make_user(),
        make_administrator(),
        make_officer(make_association()),
        make_officer(association, is_administrator=True),
    ):
        assert signed_in(user).get(f"{DESK}{path}").status_code == 403


def test_an_officer_of_one_association_goes_straight_to_its_desk(signed_in, officer):
    assert signed_in(officer).get("/recognition").location == DESK
    second = make_association()
    from lms.directory.models import OrganisationRole

    db.session.add(OrganisationRole(organisation=second, user_id=officer.id, role="officer"))
    db.session.commit()
    assert signed_in(officer).get("/recognition").status_code == 200
    assert signed_in(make_user()).get("/recognition").status_code == 403


def test_lists_of_the_desk_ask_few_queries(desk, association, count_queries):
    make_rule(association)
    for _number in range(8):
        make_member_with_certificate(association)
    for path in ("/members", "/certificates", "/hours", "/rules", "/requests", ""):
        count_queries()
        assert desk.get(f"{DESK}{path}").status_code == 200
        assert count_queries() <= 18, path


def test_a_large_list_is_taken_over_in_seconds(association, officer):
    many = [MemberRow(n, f"CP-{n}", f"person{n}@example.net", "") for n in range(2, 5002)]
    start = clock.now()

    result = services.import_members(association, officer, many, is_complete=True)

    assert result.added == 5000
    assert clock.now() - start < timedelta(seconds=20)
