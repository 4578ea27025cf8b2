"""Places of a block: given by mail or code, taken, given on, left; and who may do what."""

from __future__ import annotations

import re
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.core.models import AuditEntry
from lms.courses.errors import AlreadyEnrolled, EnrolmentClosed
from lms.courses.models import Enrolment
from lms.courses.services.enrolment import end_enrolment, hold_seat, seats_taken
from lms.payments.errors import InvitationOver, NoPlaceLeft, PlaceNotFree, TooLateToReassign
from lms.payments.models import Order, Refund
from lms.payments.personal_data import PLACES_DATA
from lms.payments.queries import seats as reads
from lms.payments.seat_models import SeatState, may_reassign
from lms.payments.services import orders, seats
from tests.factories.accounts import make_administrator, make_user
from tests.factories.directory import make_organisation
from tests.factories.payments import make_paid_run
from tests.factories.seats import invited, make_block
from tests.payments.test_seat_blocks import hidden, make_role

DAY = date(2027, 3, 1)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("today", "may"),
    [
        (DAY - timedelta(days=400), True),
        (DAY - timedelta(days=1), True),
        (DAY, True),
        (DAY + timedelta(days=1), True),
        (DAY + timedelta(days=2), True),  # day 3
        (DAY + timedelta(days=3), False),
        (DAY + timedelta(days=20), False),
    ],
)
def test_a_place_is_given_on_until_the_end_of_day_three(today, may):
    assert may_reassign(DAY, today) is may


def test_day_three_ends_where_the_run_takes_place(stripe):
    run = make_paid_run(starts_on=DAY, time_zone="America/La_Paz")
    with clock.set_to(run.starts_at - timedelta(days=3)):
        block = make_block(run)
    with clock.set_to(run.starts_at + timedelta(days=3, seconds=-1)):
        assert block.may_reassign
    with clock.set_to(run.starts_at + timedelta(days=3)):
        assert not block.may_reassign


def test_a_link_is_for_one_person_and_dies_when_the_invitation_is_taken_back(stripe):
    block = make_block(seats=2)
    first, second = invited(block, "ana@example.org", "luis@example.org")
    ana = make_user()

    enrolment = seats.take(seats.find_invited(first), ana, shares_result=False)
    seats.withdraw(block.places[1], block.user)

    assert (enrolment.state, enrolment.method) == ("active", "seat")
    with pytest.raises(InvitationOver):
        seats.take(seats.find_invited(first), make_user(), shares_result=False)
    for token in (second, first[:-1] + "x", "", "zz" * 32, second[:32]):
        with pytest.raises(InvitationOver):
            seats.find_invited(token)
    [third] = invited(block, "rosa@example.org")
    assert third != second
    assert block.places[0].email is None  # kept no longer than needed


def test_nobody_is_invited_twice_and_never_more_than_there_are_places(stripe):
    block = make_block(seats=2)

    assert seats.invite(block, ["ana@example.org", "ANA@example.org"], "es", block.user) == 1
    assert seats.invite(block, ["Ana@Example.org"], "es", block.user) == 0
    with pytest.raises(NoPlaceLeft):
        seats.invite(block, ["b@example.org", "c@example.org"], "es", block.user)
    assert reads.standing(block).free == 1


def test_a_code_opens_free_places_until_they_are_used_up(stripe):
    block = make_block(seats=3)
    invited(block, "ana@example.org")
    seats.make_code(block, block.user)
    code = seats.code_of(block)
    assert code is not None
    assert code.replace("-", "") not in (block.code_hash + block.code_sealed)

    for _number in range(2):
        found = seats.find_by_code(f" {code.lower()} ")
        seats.take_by_code(found, make_user(), shares_result=False)

    with pytest.raises(NoPlaceLeft):  # the third is promised
        seats.take_by_code(block, make_user(), shares_result=False)
    seats.make_code(block, block.user)
    with pytest.raises(InvitationOver):
        seats.find_by_code(code)
    seats.stop_code(block, block.user)
    assert seats.code_of(block) is None


def test_who_studies_already_uses_no_place_up(stripe):
    block = make_block(seats=2)
    [token] = invited(block, "ana@example.org")
    ana = make_user()
    seats.take(seats.find_invited(token), ana, shares_result=False)
    seats.make_code(block, block.user)

    with pytest.raises(AlreadyEnrolled):
        seats.take_by_code(block, ana, shares_result=False)
    assert reads.standing(block).free == 1


def test_who_was_paying_for_themself_gives_that_seat_and_order_up(stripe):
    run, ana = make_paid_run(capacity=3), make_user()
    order = orders.place_order(run, ana, "stripe")
    block = make_block(run, seats=2)
    [token] = invited(block, "ana@example.org")
    assert seats_taken(run) == 3

    seats.take(seats.find_invited(token), ana, shares_result=False)

    assert order.state == "cancelled"
    assert seats_taken(run) == 2


def test_a_place_that_is_given_on_ends_the_studies_of_the_first(stripe, mails):
    run = make_paid_run(starts_on=clock.now().date())
    block = make_block(run, seats=1)
    [token] = invited(block, "ana@example.org")
    ana = make_user(email="ana@example.org")
    enrolment = seats.take(seats.find_invited(token), ana, shares_result=True)

    seats.reassign(block.places[0], block.user)

    assert enrolment.state == "withdrawn"
    assert (block.places[0].state, block.places[0].shares_result) == (SeatState.FREE, False)
    [other] = invited(block, "luis@example.org")
    luis = make_user()
    seats.take(seats.find_invited(other), luis, shares_result=False)
    with clock.set_to(run.starts_at + timedelta(days=4)), pytest.raises(TooLateToReassign):
        seats.reassign(block.places[0], block.user)
    subjects = [mail["Subject"] for mail in mails() if mail["To"] == "ana@example.org"]
    assert any("given to somebody else" in subject for subject in subjects)
    hold_seat(run, ana, method="payment")  # and may buy a place of their own


def test_who_has_completed_keeps_the_place(stripe):
    block = make_block(make_paid_run(starts_on=clock.now().date()), seats=1)
    [token] = invited(block, "ana@example.org")
    enrolment = seats.take(seats.find_invited(token), make_user(), shares_result=False)
    enrolment.state = "completed"

    with pytest.raises(PlaceNotFree):
        seats.reassign(block.places[0], block.user)


def test_who_leaves_gives_the_place_back_to_the_block_and_gets_no_money(stripe):
    run = make_paid_run(capacity=2)
    block = make_block(run, seats=2)
    [token] = invited(block, "ana@example.org")
    enrolment = seats.take(seats.find_invited(token), make_user(), shares_result=False)

    end_enrolment(enrolment, "withdrawn")

    assert block.places[0].state == SeatState.FREE
    assert seats_taken(run) == 2
    assert db.session.scalars(select(Refund)).all() == []


def test_nothing_is_taken_when_the_run_is_over_and_addresses_are_forgotten(stripe):
    run = make_paid_run(starts_on=DAY, ends_on=DAY + timedelta(days=20))
    with clock.set_to(run.starts_at - timedelta(days=3)):
        block = make_block(run, seats=2)
        [token] = invited(block, "ana@example.org")
        seats.make_code(block, block.user)
    with clock.set_to(run.ends_at + timedelta(seconds=1)):
        with pytest.raises(InvitationOver):
            seats.find_invited(token)
        with pytest.raises(EnrolmentClosed):
            seats.invite(block, ["luis@example.org"], "en", block.user)
    with clock.set_to(run.ends_at + timedelta(days=2)):
        assert seats.forget_addresses() == 1
        assert seats.forget_addresses() == 0
    assert (block.places[0].email, block.code_hash) == (None, None)


def test_invitations_come_in_the_language_of_the_person(stripe, mails):
    make_user(email="ana@example.org", language="pt")
    block = make_block(seats=2)

    invited(block, "ana@example.org", "luis@example.org", language="fr")

    found = {mail["To"]: mail for mail in mails() if "/places/invitation/" in text_of(mail)}
    assert set(found) == {"ana@example.org", "luis@example.org"}
    assert found["ana@example.org"]["Content-Language"] == "pt"
    assert found["luis@example.org"]["Content-Language"] == "fr"


def text_of(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def test_a_person_without_account_comes_back_after_registering(stripe, client, signed_in, mails):
    block = make_block(seats=1)
    invited(block, "ana@example.org")
    [mail] = [mail for mail in mails() if mail["To"] == "ana@example.org"]
    link = urlsplit(re.search(r"https?://\S+/places/invitation/\w+", text_of(mail))[0]).path

    page = client.get(link)
    assert page.status_code == 200
    assert block.user.name in page.text
    register = re.search(r'href="(/register\?next=[^"]+)"', page.text)[1]
    assert client.get(register).status_code == 200
    assert client.post(link).location == "/sign-in"

    ana = make_user()
    browser = signed_in(ana)
    answer = browser.post(link, data={"shares_result": "y"})
    assert answer.location == f"/study/{block.run_id}"
    assert browser.get(link).location == f"/study/{block.run_id}"
    assert client.get(link).status_code == 404  # used up
    assert block.places[0].shares_result
    assert "Places that others paid for" in browser.get("/my/courses").text
    browser.post(f"/places/mine/{block.places[0].uuid}/sharing")
    db.session.refresh(block.places[0])
    assert not block.places[0].shares_result
    wrong = signed_in(make_user()).post(f"/places/mine/{block.places[0].uuid}/sharing")
    assert wrong.status_code == 403


def test_a_code_is_typed_and_taken_by_the_pages(stripe, client, signed_in):
    block = make_block(seats=1)
    seats.make_code(block, block.user)
    code = seats.code_of(block)
    db.session.commit()

    assert client.post("/places/code", data={"code": "ABCD-EFGH"}).status_code == 422
    there = client.post("/places/code", data={"code": code.lower()}).location
    assert client.get(there).status_code == 200
    assert signed_in(make_user()).post(there).location == f"/study/{block.run_id}"
    late = signed_in(make_user())
    assert late.post(there).location == there
    assert "All places of this code are taken" in late.get(there).text


def test_progress_is_shown_only_with_consent_and_counts_only_of_five(stripe, signed_in):
    block = make_block(seats=6)
    tokens = invited(block, *(f"p{number}@example.org" for number in range(5)))
    for number, token in enumerate(tokens[:4]):
        enrolment = seats.take(
            seats.find_invited(token), make_user(), shares_result=number in (0, 1)
        )
        enrolment.state = "completed" if number in (1, 2) else "active"
    db.session.commit()
    browser = signed_in(block.user)

    page = browser.get(f"/places/{block.uuid}").text
    assert (page.count("Not shown"), page.count("Not completed yet")) == (2, 1)
    assert reads.standing(block).completed is None
    seats.take(seats.find_invited(tokens[4]), make_user(), shares_result=False)
    assert reads.standing(block).completed == 2


def test_a_block_is_managed_by_its_buyer_and_the_organisations_managers_alone(stripe, signed_in):
    employer = make_organisation()
    buyer, manager, member = make_user(), make_user(), make_user()
    for user, role in ((buyer, "member"), (manager, "manager"), (member, "member")):
        make_role(user, employer, role)
    block = make_block(buyer=buyer, organisation=employer)
    other = make_block()
    deeds = ("invite", "code", "1/withdraw", "1/write-again", "1/reassign", "return")

    for person in (member, make_user(), make_administrator(), other.user):
        browser = signed_in(person)
        assert browser.get(f"/places/{block.uuid}").status_code == 403
        assert browser.get(f"/places/{block.uuid}/return").status_code == 403
        for deed in deeds:
            assert browser.post(f"/places/{block.uuid}/{deed}").status_code == 403, deed
    for person in (buyer, manager):
        browser = signed_in(person)
        assert browser.get(f"/places/{block.uuid}").status_code == 200
        assert str(block.uuid) in browser.get("/places").text
        assert browser.get(f"/places/{other.uuid}").status_code == 403
    assert "No places yet" in signed_in(make_user()).get("/places").text
    assert db.session.scalars(select(Enrolment)).all() == []


def to(addresses: str) -> dict[str, str]:
    return {"addresses": addresses, "language": "es"}


def test_a_buyer_gives_places_away_and_back_by_the_pages_alone(stripe, signed_in, mails):
    run = make_paid_run(starts_on=clock.now().date() + timedelta(days=5))
    block = make_block(run, seats=4)
    browser, here = signed_in(block.user), f"/places/{block.uuid}"

    wrong = browser.post(f"{here}/invite", data=to("ana@example.org\nnobody"))
    assert wrong.status_code == 422
    assert "Not an address: nobody." in wrong.text
    assert "ana@example.org" in wrong.text
    many = "\n".join(f"p{number}@example.org" for number in range(5))
    full = browser.post(f"{here}/invite", data=to(many))
    assert full.status_code == NoPlaceLeft.status
    assert "Places that are still free: 4" in full.text
    browser.post(f"{here}/invite", data=to("ana@example.org; luis@example.org"))
    browser.post(f"{here}/1/write-again")
    assert len([mail for mail in mails() if mail["To"] == "ana@example.org"]) == 2
    browser.post(f"{here}/2/withdraw")
    browser.post(f"{here}/code")
    page = browser.get(here).text
    assert seats.code_of(block) in page
    browser.post(f"{here}/code", data={"stop": "1"})

    page = browser.get(f"{here}/return").text
    assert "CAD\u00a0360.00" in page or "CAD 360.00" in page
    too_many = browser.post(f"{here}/return", data={"count": "4"})
    assert too_many.status_code == 422
    stale = browser.post(f"{here}/return", data={"count": "2", "shown": "36000", "confirm": "1"})
    assert stale.status_code == 409
    assert hidden(stale.text, "shown") == "24000"
    browser.post(f"{here}/return", data={"count": "2", "shown": "24000", "confirm": "1"})
    assert reads.standing(block).returned == 2
    acts = set(db.session.scalars(select(AuditEntry.act)))
    assert {"payments.invite_to_seats", "payments.withdraw_seat", "payments.make_seat_code",
            "payments.stop_seat_code", "payments.give_seats_back"} <= acts  # fmt: skip
    kept = str([entry.details for entry in db.session.scalars(select(AuditEntry))])
    assert "example.org" not in kept


def test_what_is_kept_of_a_person_is_exported_and_erased(stripe):
    block = make_block(seats=2)
    [token, _other] = invited(block, "ana@example.org", "luis@example.org")
    ana, luis = make_user(), make_user(email="luis@example.org")
    seats.take(seats.find_invited(token), ana, shares_result=True)

    assert PLACES_DATA.export(ana.id)["taken"][0]["shares_result"]
    assert PLACES_DATA.export(block.user_id)["bought"][0]["invited"] == ["luis@example.org"]
    PLACES_DATA.erase(luis.id)
    db.session.expire_all()
    assert reads.standing(block).free == 1
    PLACES_DATA.erase(ana.id)
    db.session.expire_all()
    assert not block.places[0].shares_result
    assert db.session.scalars(select(Order)).one().state == "paid"
