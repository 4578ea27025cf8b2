"""The seller's bank file in the demo, and a partner that collects in bolivianos."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from lms.accounts.models import User
from lms.core import clock
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.demo.people import Person, ensure_membership, ensure_person
from lms.demo.shares import is_off
from lms.directory.models import Organisation
from lms.ledger.accounts import Account
from lms.payments.bank_models import BankAccount
from lms.payments.gateways.base import MovementKind, payment_gateways
from lms.payments.models import Order
from lms.payments.movement_models import GatewayMovement, MovementState
from lms.payments.services import bank_imports, bank_landing, explaining, orders

ACCOUNT = "Example Bank, CAD"
FEE, BEFORE = Money(-500, "CAD"), Money(100_000, "CAD")
BUYERS = (
    Person("payer1@example.org", "Celia Limachi Ticona", "BO", "America/La_Paz", "es", "Teacher"),
    Person("payer2@example.org", "Rubén Apaza Flores", "BO", "America/La_Paz", "es", "Engineer"),
)


def ensure_bank_file(administrator: User) -> None:
    """A month of the bank: the payout of the card service, and a fee that a person explained."""
    if db.session.scalar(select(BankAccount.id).where(BankAccount.name == ACCOUNT)) is not None:
        return
    payout = db.session.scalars(
        select(GatewayMovement).where(GatewayMovement.kind == MovementKind.PAYOUT)
    ).first()
    if payout is None:
        return
    account = bank_imports.add_account(ACCOUNT, "CAD", "bank_transfer", administrator)
    day = clock.local_date(payout.happened_at, "UTC") + timedelta(days=2)
    rows, held = ["Date;Description;Amount;Balance"], BEFORE
    for text, amount in (("PAYOUT po_demo_0001", -payout.amount), ("Frais – monthly fee", FEE)):
        held = held + amount
        cells = [f"{day:%d/%m/%Y}", text, _comma(amount), _comma(held)]
        rows.append(";".join(cells))
    content = "\r\n".join(rows).encode("cp1252")
    made = bank_imports.upload(account, content, "example-bank.csv", administrator)
    bank_imports.confirm(made, made.version, administrator)
    bank_landing.land(made)
    for row in db.session.scalars(
        select(GatewayMovement).where(
            GatewayMovement.gateway == account.gateway, GatewayMovement.state == MovementState.OPEN
        )
    ).all():
        why = "Monthly fee of the account"
        explaining.explain([row], Account.BANK_FEE, why, administrator)


def _comma(amount: Money) -> str:
    return f"{amount.decimal:f}".replace(".", ",")


def ensure_collections(course: Course, administrator: User, association: Organisation) -> None:
    """The southern partner collects in bolivianos: one payment has come, one is waited for."""
    if is_off():
        return
    from lms.partners.collecting_models import Collector
    from lms.partners.services import collecting

    [south] = course.partners
    if db.session.scalar(select(Collector.id).limit(1)) is not None:
        return
    collecting.add_collector(
        south, "BOB", "BO", administrator,
        holder="Centro Andino", bank="Banco de Ejemplo, La Paz", account="400-000077",
        qr_text="DEMO|Banco de Ejemplo|400-000077|Centro Andino",
    )  # fmt: skip
    run = db.session.scalars(
        select(CourseRun).where(CourseRun.course_id == course.id, CourseRun.slug == "abril")
    ).one()
    placed = []
    for number, person in enumerate(BUYERS, start=1):
        user = ensure_person(person)
        ensure_membership(user, association, f"CP-88{number:02d}")
        placed.append(_order(run, user, collecting.GATEWAY))
    kept = collecting.get_collected(placed[0].uuid)
    collecting.confirm(kept, placed[0].total, "QR-000001", administrator)


def _order(run: CourseRun, user: User, gateway: str) -> Order:
    order = orders.place_order(
        run, user, gateway, country=user.country, currency="BOB", language=user.language
    )
    orders.keep_page(order, payment_gateways[gateway].start(order), order.attempt)
    return order
