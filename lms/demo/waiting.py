"""Money that is waited for: invoices, instalments, offers, credit, and a guest who must claim."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import timedelta

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.text import in_language
from lms.courses.models import CourseRun
from lms.demo.books import note_payment_and_payout
from lms.demo.history import newest_job, send_no_old_mails
from lms.demo.people import Person, ensure_person, ensure_role
from lms.directory.models import Organisation, OrganisationRoleName
from lms.payments.due_models import InvoiceApproval
from lms.payments.models import Order
from lms.payments.products import Item, products
from lms.payments.queries import dues as due_queries
from lms.payments.seat_models import SEATS
from lms.payments.services import guests, leaving, offers, on_account, orders, parts, payments
from lms.payments.services.prices import Wishes, show_price
from lms.payments.services.seat_blocks import choose_seats
from lms.payments.services.terms import Billing
from lms.pricing.services.quotes import make_ticket

BY_PARTS = (
    Person(
        "parts1@example.org", "Inés Calderón Vaca", "EC", "America/Guayaquil", "es", "Geographer"
    ),
    Person(
        "parts2@example.org", "Mateo Quiroga Paz", "AR", "America/Argentina/Salta", "en", "Lawyer"
    ),
)
WITH_CREDIT = Person(
    "credit@example.org", "Noémie Lachance", "CA", "America/Toronto", "fr", "Urban planner"
)
GUEST = guests.Guest("Iván Soria Luna", "ivan.soria@example.org")


def ensure_waiting(
    soon: CourseRun, running: CourseRun, later: CourseRun, buyer: User, buys_for: Organisation,
    administrator: User,
) -> None:  # fmt: skip
    """What is owed, offered, kept and unclaimed, unless it is there already.

    soon, running, later: runs of the paid course. buyer: gets to manage the organisation for which
    places are bought on invoice.
    """
    known = select(InvoiceApproval.id).where(InvoiceApproval.organisation_id == buys_for.id)
    if db.session.scalar(known) is not None:
        return
    ensure_role(buyer, buys_for, OrganisationRoleName.MANAGER)
    newest = newest_job()
    with _days_ago(45):
        on_account.approve(buys_for, "Pays within a month, as a rule", administrator)
        _on_invoice(soon, buyer, buys_for, 3, "IP-2041")
    for number, person in enumerate(BY_PARTS):
        _in_parts(running, ensure_person(person), administrator, pays_all=number == 0)
    with _days_ago(6):
        _with_credit(soon, ensure_person(WITH_CREDIT), administrator)
    send_no_old_mails(newest)
    _guest(soon)
    _offer(later, buyer, buys_for, 8)
    accepted = _offer(soon, buyer, buys_for, 4)
    on_account.agree(offers.accept_offer(accepted, "invoice", "IP-2077"))


def _days_ago(days: int) -> AbstractContextManager[None]:
    return clock.set_to(clock.now() - timedelta(days=days))


def _chosen(run: CourseRun, buyer: User, organisation: Organisation, seats: int) -> Item:
    block = choose_seats(run, buyer, seats, organisation)
    product = products[SEATS]
    return product.find(block.uuid, buyer, product.country_for(block.uuid, buyer))


def _billing(organisation: Organisation, purchase_order: str = "") -> Billing:
    return Billing(
        buyer="organisation",
        organisation=in_language(organisation.name, "en"),
        purchase_order=purchase_order,
        province="ON",
    )


def _on_invoice(
    run: CourseRun, buyer: User, organisation: Organisation, seats: int, purchase_order: str
) -> None:
    """Due a fortnight ago: thirty days after it was bought."""
    item = _chosen(run, buyer, organisation, seats)
    order = orders.order_item(
        item, buyer, "invoice", item.prices[run.price.currency],
        country="CA", language=buyer.language or "en",
        billing=_billing(organisation, purchase_order),
    )  # fmt: skip
    on_account.agree(order)


def _in_parts(run: CourseRun, user: User, administrator: User, *, pays_all: bool) -> None:
    """Half at once, half before the run began; who has not paid that by now is paused."""
    with _days_ago(25):
        if not due_queries.plan_of(run):
            day = run.starts_on - timedelta(days=8)
            parts.keep_plan(run, [(50, None), (50, day)], administrator)
        order = orders.place_order(
            run, user, "bank_transfer", country=user.country, language=user.language or "en"
        )
        order = on_account.agree(order, in_parts=True)
        payments.confirm_transfer(order, order.asked, f"PA-{order.id}-1", administrator)
    if pays_all:
        with _days_ago(12):
            [_first, second] = due_queries.dues_of(order)
            payments.confirm_transfer(order, second.total, f"PA-{order.id}-2", administrator)
    else:
        parts.remind(order)


def _with_credit(run: CourseRun, user: User, administrator: User) -> None:
    """Paid, and left again; the money is kept for another course."""
    order = orders.place_order(
        run, user, "bank_transfer", country=user.country, language=user.language or "en"
    )
    payments.confirm_transfer(order, order.total, "LA-0031", administrator)
    leaving.leave_run(order, leaving.back_for(order).as_credit, as_credit=True)


def _guest(run: CourseRun) -> None:
    """Paid by card without an account; the link to claim it is in the mail."""
    wishes = Wishes("PE", run.price.currency, None, "")
    shown = show_price(run, None, wishes, None)
    assert shown.calculation is not None
    order = guests.place_guest_order(
        run, GUEST, None, "stripe", wishes, str(make_ticket(shown.calculation, None)), language="es"
    )
    payments.take_payment(order, "stripe", "pi_demo_guest", order.total)
    note_payment_and_payout(order)


def _offer(run: CourseRun, buyer: User, organisation: Organisation, seats: int) -> Order:
    item = _chosen(run, buyer, organisation, seats)
    return offers.make_offer(
        item, buyer, item.prices[run.price.currency],
        country="CA", language=buyer.language or "en",
        billing=_billing(organisation), ticket=None,
    )  # fmt: skip
