from __future__ import annotations

import pytest
from sqlalchemy import select

from lms.core import clock
from lms.core.db import db
from lms.recognition import queries
from lms.recognition.models import AuditSample, CreditEntry, FrameworkCode, TrustedIssuer
from lms.recognition.services import audits
from tests.accounts.letters import text_of
from tests.factories.recognition import make_member_with_certificate, make_rule

DESK = "/recognition/colegio"


@pytest.fixture
def sample(desk, association) -> AuditSample:
    make_rule(association)
    for _number in range(6):
        make_member_with_certificate(association)
    answer = desk.post(f"{DESK}/audits", data={"year": clock.now().year, "size": 3})
    assert answer.status_code == 303, answer.text
    return db.session.scalars(select(AuditSample)).one()


def test_a_sample_can_be_drawn_again_from_its_seed(sample, desk):
    drawn = [str(item.entry_uuid) for item in sample.items]

    assert len(drawn) == 3
    assert audits.draw(sample.seed, sample.population, 3) == drawn
    assert audits.draw(sample.seed, list(reversed(sample.population)), 3) == drawn
    assert "gives the same sample" in desk.get(f"{DESK}/audits/{sample.id}").text
    seeds = (f"another {number}" for number in range(100))
    sample.seed = next(
        seed for seed in seeds if set(audits.draw(seed, sample.population, 3)) != set(drawn)
    )
    db.session.commit()
    assert "it was altered" in desk.get(f"{DESK}/audits/{sample.id}").text


def test_every_entry_is_drawn_equally_often():
    population = [f"entry-{n}" for n in range(10)]
    counts = dict.fromkeys(population, 0)
    for seed in range(2000):
        for one in audits.draw(str(seed), population, 3):
            counts[one] += 1

    assert all(500 < count < 700 for count in counts.values()), counts


def test_refused_hours_no_longer_count_and_the_member_is_told(sample, desk, mails):
    item = sample.items[0]
    path = f"{DESK}/audits/{sample.id}/{item.id}"
    name = f"item-{item.id}"

    desk.post(path, data={f"{name}-state": "refused", f"{name}-note": "No proof"})

    entry = db.session.get(CreditEntry, item.entry_id)
    assert (entry.state, entry.reason) == ("withdrawn", "No proof")
    assert any("no longer counts your hours" in text_of(mail) for mail in mails())
    desk.post(path, data={f"{name}-state": "accepted"})
    assert db.session.get(CreditEntry, item.entry_id).state == "credited"
    assert desk.post(f"{DESK}/audits/{sample.id}/999").status_code == 404


def test_without_hours_there_is_nothing_to_draw_from(desk):
    answer = desk.post(f"{DESK}/audits", data={"year": 2020, "size": 3})

    assert answer.status_code == 422
    assert "No hours of consenting members" in answer.text


def test_an_association_keeps_a_list_of_issuers_it_trusts(desk, client, association):
    data = {"name": "University", "did": "did:web:uni.example", "starts_on": "2026-01-01"}
    today = clock.now().date()
    assert desk.post(f"{DESK}/issuers", data=data).status_code == 303
    assert desk.post(f"{DESK}/issuers", data=data).status_code == 422
    wrong = desk.post(f"{DESK}/issuers", data=data | {"did": "uni.example"})
    assert "like did:web:example.org" in wrong.text

    assert queries.associations_that_trust("did:web:uni.example", today) == [association]
    assert queries.associations_that_trust("did:web:other.example", today) == []
    assert "did:web:uni.example" in client.get("/organisations/colegio").text
    [issuer] = db.session.scalars(select(TrustedIssuer)).all()
    assert desk.post(f"{DESK}/issuers/{issuer.id}/end").status_code == 303
    assert db.session.get(TrustedIssuer, issuer.id).ends_on == today


def test_cycle_and_codes_are_kept(desk, association):
    cycle = {"cycle-cycle_starts_on": "2026-07-01", "cycle-cycle_years": "3"}
    assert (
        desk.post(f"{DESK}/settings", data=cycle | {"cycle-hours_needed": "40"}).status_code == 303
    )
    assert queries.body_settings(association).hours_needed == 40.0
    refused = desk.post(f"{DESK}/settings", data=cycle | {"cycle-cycle_years": "0"})
    assert refused.status_code == 422

    code = {"code-code": "SP-2", "code-title": "Facilitation"}
    assert desk.post(f"{DESK}/codes", data=code).status_code == 303
    assert desk.post(f"{DESK}/codes", data=code).status_code == 422
    assert "SP-2" in desk.get(f"{DESK}/rules/new").text
    [kept] = db.session.scalars(select(FrameworkCode)).all()
    assert desk.post(f"{DESK}/codes/{kept.id}/remove").status_code == 303
