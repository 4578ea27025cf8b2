"""What partners collect for the seller in their own country: from whom, confirmed, sent back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import joinedload

from lms.accounts.models import User
from lms.core.audit import record
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.files import FileKinds, keep_file
from lms.core.models import StoredFile
from lms.core.money import Money
from lms.core.text import in_language
from lms.courses.models import CourseRun
from lms.directory.models import Organisation
from lms.notifications.services import tell
from lms.partners import queries
from lms.partners.collecting_models import CollectedOrder, Collector
from lms.partners.errors import CollectorExists
from lms.partners.services.agreements import today
from lms.payments.events import PaymentOpened, RefundAsked
from lms.payments.models import OPEN, Order, OrderState, Payment, Refund, RefundState
from lms.payments.queries import facts_for_messages
from lms.payments.services.bank_imports import add_account
from lms.payments.services.payments import confirm_transfer
from lms.payments.services.refunds import settle_by_hand

GATEWAY = "partner_transfer"
QR_PICTURES = FileKinds(frozenset({"image/png", "image/jpeg"}), 2 * 1024 * 1024)
_TAKES_MONEY = (*OPEN, OrderState.EXPIRED)


def add_collector(
    organisation: Organisation,
    currency: str,
    country: str,
    by: User,
    picture: tuple[bytes, str] | None = None,
    **values: str,
) -> Collector:
    """Let a partner collect. picture: bytes and name. values: holder, bank, account, qr_text.

    Raises CollectorExists and UploadRefused.
    """
    known = exists().where(
        Collector.organisation_id == organisation.id,
        Collector.currency == currency,
        Collector.country == country,
    )
    if db.session.scalar(select(known)):
        raise CollectorExists
    name = f"{in_language(organisation.name, 'en')} {currency} {country}"
    collector = Collector(
        qr_file=_kept(picture, by),
        organisation=organisation,
        currency=currency,
        country=country,
        bank_account=add_account(name, currency, GATEWAY, by, organisation),
        **values,
    )
    db.session.add(collector)
    db.session.flush()
    record("partners.add_collector", collector, by.id, account=collector.account)
    return collector


def change_collector(
    collector: Collector,
    by: User,
    picture: tuple[bytes, str] | None = None,
    *,
    is_active: bool = True,
    **values: str,
) -> None:
    """Change where one pays, or end it for new orders. Raises UploadRefused."""
    collector.qr_file = _kept(picture, by) or collector.qr_file
    for name, value in values.items():
        setattr(collector, name, value)
    collector.is_active = is_active
    db.session.flush()
    record("partners.change_collector", collector, by.id, account=collector.account)


def _kept(picture: tuple[bytes, str] | None, by: User) -> StoredFile | None:
    return keep_file(*picture, QR_PICTURES, by.id) if picture is not None else None


def get_collector(key: uuid.UUID) -> Collector:
    """One collector. Raises NotFound."""
    found = db.session.scalar(select(Collector).where(Collector.uuid == key))
    if found is None:
        raise NotFound
    return found


def list_collectors(user: User | None = None) -> Select[Collector]:
    """Who collects, by institution: all, or those whose institution a person manages."""
    statement = select(Collector).options(
        joinedload(Collector.organisation), joinedload(Collector.bank_account)
    )
    if user is not None:
        statement = statement.where(Collector.organisation_id.in_(queries.managed_by(user)))
    return statement.order_by(Collector.organisation_id, Collector.country, Collector.currency)


def find_collector(run: CourseRun, currency: str, country: str | None) -> Collector | None:
    """The partner that shares a run and collects in a currency from people of a country."""
    if not country:
        return None
    version = queries.version_for(queries.signed_versions([run.course_id]), run, today())
    if version is None:
        return None
    return db.session.scalar(
        select(Collector)
        .where(
            Collector.is_active,
            Collector.currency == currency,
            Collector.country == country,
            Collector.organisation_id.in_([one.organisation_id for one in version.parties]),
        )
        .order_by(Collector.id)
        .limit(1)
    )


def collector_of(order: Order) -> Collector | None:
    """The partner that collects an order; found and kept where nobody has said it yet."""
    kept = db.session.get(CollectedOrder, order.id)
    if kept is not None:
        return kept.collector
    if order.gateway != GATEWAY or order.run is None:
        return None
    found = find_collector(order.run, order.currency, order.country)
    if found is not None:
        db.session.add(CollectedOrder(order_id=order.id, collector_id=found.id))
        db.session.flush()
    return found


def keep_collector(event: PaymentOpened) -> None:
    """The instructions are shown: whose they are stays with the order."""
    if event.order.gateway == GATEWAY:
        collector_of(event.order)


def list_orders(user: User | None, *, is_open: bool) -> Select[CollectedOrder]:
    """Orders that wait for their payment, or that were paid: all, or a person's institution's."""
    paid = exists().where(Payment.order_id == Order.id, Payment.gateway == GATEWAY)
    statement = (
        select(CollectedOrder)
        .join(CollectedOrder.order)
        .join(CollectedOrder.collector)
        .where(
            Order.gateway == GATEWAY,
            Order.state.in_(_TAKES_MONEY) if is_open else paid,
        )
        .options(
            joinedload(CollectedOrder.order).joinedload(Order.user),
            joinedload(CollectedOrder.order).joinedload(Order.run).joinedload(CourseRun.course),
            joinedload(CollectedOrder.collector).joinedload(Collector.organisation),
        )
    )
    if user is not None:
        statement = statement.where(Collector.organisation_id.in_(queries.managed_by(user)))
    newest = (Order.created_at.desc(), Order.id.desc())
    return statement.order_by(*newest)


def get_collected(order_uuid: uuid.UUID) -> CollectedOrder:
    """An order that a partner collects. Raises NotFound."""
    found = db.session.scalar(
        select(CollectedOrder).join(CollectedOrder.order).where(Order.uuid == order_uuid)
    )
    if found is None:
        raise NotFound
    return found


def collects_from(user: User, collector: Collector) -> bool:
    """Whether a person has, or had, an order that a partner collects."""
    found = exists().where(
        CollectedOrder.collector_id == collector.id,
        CollectedOrder.order_id == Order.id,
        Order.user_id == user.id,
    )
    return bool(db.session.scalar(select(found)))


def confirm(collected: CollectedOrder, amount: Money, reference: str, by: User) -> Payment:
    """The money of an order came to the partner.

    reference: the bank's; each is used once with a partner. Raises WrongTransferAmount,
    ReferenceUsed, OrderClosed.
    """
    slug = collected.collector.organisation.slug
    return confirm_transfer(collected.order, amount, f"{slug}:{reference}", by, partner=slug)


def refunds_to_send(user: User | None) -> Sequence[Refund]:
    """Refunds that partners have to send, the oldest first: all, or of a person's institution."""
    statement = (
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(CollectedOrder, CollectedOrder.order_id == Refund.order_id)
        .join(Collector, Collector.id == CollectedOrder.collector_id)
        .where(Refund.state == RefundState.REQUESTED, Payment.gateway == GATEWAY)
        .options(joinedload(Refund.order).joinedload(Order.user))
        .order_by(Refund.id)
        .limit(200)
    )
    if user is not None:
        statement = statement.where(Collector.organisation_id.in_(queries.managed_by(user)))
    return db.session.scalars(statement).all()


def send_back(refund: Refund, reference: str, by: User) -> None:
    """The partner sent a refund to the buyer."""
    settle_by_hand(refund, reference, by)


def tell_of_refund(event: RefundAsked) -> None:
    """The partner that collected an order has to send the money back."""
    if event.refund.payment.gateway != GATEWAY:
        return
    kept = db.session.get(CollectedOrder, event.order.id)
    if kept is None:
        return
    values: dict[str, Any] = facts_for_messages(event.order)
    values["refund"] = [event.refund.amount_minor, event.refund.currency]
    for manager in queries.managers_of(kept.collector.organisation_id):
        tell(manager, "partners.refund_to_send", **values)
