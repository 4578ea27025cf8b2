"""Work after commit and by the clock."""

from __future__ import annotations

from lms.core import clock
from lms.core.db import db, transaction
from lms.core.outbox import Job, enqueue
from lms.directory import queries as directory
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.models import Endorsement
from lms.recognition.services import endorsements, ledger, rules
from lms.recognition.services.prior_learning import portfolio


def credit_members(association_id: int) -> None:
    """Judge certificates of members by the rules that there are now."""
    association = db.session.get(Organisation, association_id)
    if association is not None:
        ledger.credit_members(association)


def refresh_course_credits() -> None:
    """Rules and accreditations begin and end by the calendar."""
    for association in directory.associations():
        rules.refresh_course_credits(association)


def check_endorsements() -> None:
    """Have each endorsement that was signed elsewhere verified, one by one."""
    for endorsement_id in queries.foreign_endorsements():
        enqueue("recognition.check_endorsement", endorsement_id=endorsement_id)


def check_endorsement(endorsement_id: int) -> None:
    """Verify an endorsement over the network, and keep the answer."""
    with transaction(write=False):
        endorsement = db.session.get(Endorsement, endorsement_id)
        if endorsement is None or endorsement.revoked_at is not None:
            return
        verdict = endorsements.verify_again(endorsement)
    with transaction():
        endorsements.keep_verdict(db.session.merge(endorsement), verdict)


def end_prior_learning() -> None:
    """End requests whose time for an appeal is over; delete evidence whose time is over."""
    portfolio.end_when_nothing_follows(clock.now().date())
    portfolio.forget_evidence()


JOBS = [
    Job("recognition.end_prior_learning", end_prior_learning, every="29 2 * * *"),
    Job("recognition.credit_members", credit_members),
    Job("recognition.check_endorsements", check_endorsements, every="17 2 * * *"),
    Job("recognition.check_endorsement", check_endorsement, writes=False),
    Job("recognition.refresh_course_credits", refresh_course_credits, every="7 0 * * *"),
]
