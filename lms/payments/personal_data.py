"""What orders keep about a person. The law wants orders kept: they stay without a name."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import joinedload, selectinload

from lms.accounts.models import User
from lms.core.db import db
from lms.core.personal_data import PersonalData
from lms.courses.models import CourseRun, Enrolment
from lms.payments.bank_models import BankLine
from lms.payments.basket_models import BasketLine
from lms.payments.credit_models import CreditMovement
from lms.payments.due_models import Due
from lms.payments.grant_models import OrderGrant
from lms.payments.models import Order, Payment, Refund
from lms.payments.queries.bank import lines_of_person
from lms.payments.seat_models import Seat, SeatBlock
from lms.payments.services import bank_names
from lms.payments.terms_models import OrderTerms


def _export(user_id: int) -> Any:
    found = db.session.scalars(
        select(Order)
        .where(Order.user_id == user_id)
        .options(
            selectinload(Order.payments),
            selectinload(Order.refunds),
            selectinload(Order.run).selectinload(CourseRun.course),
            selectinload(Order.receipt),
            selectinload(Order.voucher),
        )
        .order_by(Order.id)
    )
    own = select(OrderTerms).join(Order).where(Order.user_id == user_id)
    grants = select(OrderGrant).join(Order).where(Order.user_id == user_id)
    granted = {one.order_id: one.amount_minor for one in db.session.scalars(grants)}
    terms = {one.order_id: one for one in db.session.scalars(own)}
    dues: dict[int, list[Due]] = defaultdict(list)
    owned = select(Due).join(Order).where(Order.user_id == user_id).order_by(Due.id)
    for due in db.session.scalars(owned):
        dues[due.order_id].append(due)
    return [
        {
            "number": order.number,
            "uuid": str(order.uuid),
            "product": order.product,
            "title": order.title,
            "course_run": str(order.run.uuid) if order.run else None,
            "state": order.state,
            "currency": order.currency,
            "amount_minor": order.amount_minor,
            "discount_minor": order.discount_minor,
            "total_minor": order.total_minor,
            "voucher": order.voucher.code if order.voucher else None,
            "scholarship_minor": granted.get(order.id, 0),
            "buyer_name": order.buyer_name,
            "country": order.country,
            "language": order.language,
            "receipt": order.receipt.number if order.receipt else None,
            "created_at": order.created_at.isoformat(),
            "paid_at": order.paid_at.isoformat() if order.paid_at else None,
            "payments": [
                {
                    "gateway": payment.gateway,
                    "reference": payment.reference,
                    "currency": payment.currency,
                    "amount_minor": payment.amount_minor,
                    "card_country": payment.card_country,
                    "received_at": payment.received_at.isoformat(),
                }
                for payment in order.payments
            ],
            "refunds": [_refund(refund) for refund in order.refunds],
            "parts": [_part(due) for due in dues[order.id]],
            "for_invoice": _for_invoice(terms.get(order.id)),
        }
        for order in found
    ]


def _bank_lines(user_id: int) -> Any:
    """What banks told of the person's payments, and of what was sent back."""
    found = db.session.scalars(lines_of_person(user_id).options(joinedload(BankLine.movement)))
    return [
        {
            "day": line.day.isoformat(),
            "currency": line.movement.currency,
            "amount_minor": line.movement.amount_minor,
            "name": line.name,
            "words": line.text,
            "reference": line.movement.source,
        }
        for line in found
    ]


def _places(user_id: int) -> dict[str, Any]:
    """Places for others: what the person bought, who they invited, and what they sit on."""
    bought = db.session.scalars(
        select(SeatBlock)
        .where(SeatBlock.user_id == user_id, SeatBlock.bought_at.is_not(None))
        .options(selectinload(SeatBlock.run), selectinload(SeatBlock.places))
        .order_by(SeatBlock.id)
    )
    taken = db.session.scalars(
        select(Seat)
        .join(Enrolment, Enrolment.id == Seat.enrolment_id)
        .where(Enrolment.user_id == user_id)
        .options(selectinload(Seat.block).selectinload(SeatBlock.run))
        .order_by(Seat.id)
    )
    return {
        "bought": [
            {
                "uuid": str(block.uuid),
                "course_run": str(block.run.uuid),
                "seats": block.seats,
                "bought_at": block.bought_at.isoformat() if block.bought_at else None,
                "invited": [seat.email for seat in block.places if seat.email],
            }
            for block in bought
        ],
        "taken": [
            {
                "course_run": str(seat.block.run.uuid),
                "taken_at": seat.taken_at.isoformat() if seat.taken_at else None,
                "shares_result": seat.shares_result,
            }
            for seat in taken
        ],
    }


def _erase_places(user_id: int) -> None:
    """Links and codes that the person gave out lead nowhere, unless an organisation's managers look
    after them; invitations to the person are gone.
    """
    email = db.session.scalar(select(User.email_folded).where(User.id == user_id))
    blocks = select(SeatBlock.id).where(
        SeatBlock.user_id == user_id, SeatBlock.organisation_id.is_(None)
    )
    sits = select(Enrolment.id).where(Enrolment.user_id == user_id)
    db.session.execute(
        update(Seat)
        .where(
            or_(
                Seat.enrolment_id.in_(sits),
                Seat.email.is_not(None)
                & (Seat.block_id.in_(blocks) | (Seat.email_folded == email)),
            )
        )
        .values(
            email=None,
            email_folded=None,
            language=None,
            invited_at=None,
            shares_result=False,
            round=Seat.round + 1,
            version=Seat.version + 1,
        )
        .execution_options(synchronize_session="fetch")
    )
    db.session.execute(
        update(SeatBlock)
        .where(SeatBlock.user_id == user_id, SeatBlock.organisation_id.is_(None))
        .values(code_hash=None, code_sealed=None, version=SeatBlock.version + 1)
        .execution_options(synchronize_session="fetch")
    )


def _for_invoice(terms: OrderTerms | None) -> dict[str, Any] | None:
    if terms is None:
        return None
    names = ("buyer", "organisation", "province", "purchase_order")
    return {name: getattr(terms, name) for name in names} | terms.details


def _part(due: Due) -> dict[str, Any]:
    return {
        "due_on": due.due_on.isoformat(),
        "currency": due.currency,
        "amount_minor": due.amount_minor,
        "paid_minor": due.paid_minor,
        "reminded_at": due.told_at.isoformat() if due.told_at else None,
    }


def _refund(refund: Refund) -> dict[str, Any]:
    return {
        "currency": refund.currency,
        "amount_minor": refund.amount_minor,
        "state": refund.state,
        "created_at": refund.created_at.isoformat(),
        "done_at": refund.done_at.isoformat() if refund.done_at else None,
    }


def _erase(user_id: int) -> None:
    db.session.execute(update(Order).where(Order.user_id == user_id).values(buyer_name=None))
    own = select(Order.id).where(Order.user_id == user_id)
    db.session.execute(update(Payment).where(Payment.order_id.in_(own)).values(card_country=None))
    db.session.execute(
        update(OrderTerms).where(OrderTerms.order_id.in_(own)).values(sealed="", organisation="")
    )
    db.session.execute(delete(BasketLine).where(BasketLine.user_id == user_id))


def _export_credit(user_id: int) -> Any:
    found = db.session.scalars(
        select(CreditMovement).where(CreditMovement.user_id == user_id).order_by(CreditMovement.id)
    )
    return [
        {
            "currency": one.currency,
            "amount_minor": one.amount_minor,
            "kind": one.kind,
            "made_at": one.made_at.isoformat(),
        }
        for one in found
    ]


def _erase_credit(user_id: int) -> None:
    """Nothing: what is left is still owed, and administrators pay it out for an order's number."""


BANK_DATA = PersonalData("bank_lines", _bank_lines, bank_names.forget_person)
CREDIT_DATA = PersonalData("credit", _export_credit, _erase_credit)
PERSONAL_DATA = PersonalData("payments", _export, _erase)
PLACES_DATA = PersonalData("places_for_others", _places, _erase_places)
