"""Vouchers: making them, using them on orders, giving a use back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select, update

from lms.accounts.models import User
from lms.core import clock
from lms.core.audit import record
from lms.core.db import db
from lms.core.money import Money
from lms.courses.models import Course, CourseRun
from lms.payments.errors import VoucherRefused
from lms.payments.models import Order, Voucher, VoucherUse
from lms.pricing.engine import Offer, OfferKind

_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that look alike
MAX_BATCH = 500


@dataclass(frozen=True)
class VoucherTerms:
    """What a voucher gives and where: `percent` or `off`, never both."""

    percent: int | None = None
    off: Money | None = None
    label: str = ""
    course: Course | None = None
    run: CourseRun | None = None
    max_uses: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def make_voucher(terms: VoucherTerms, by: User, code: str | None = None) -> Voucher:
    """Make one voucher, with a code of its own making when none is given.

    Raises VoucherRefused when the code is taken.
    """
    code = code or _new_code()
    taken = select(Voucher.id).where(Voucher.code_folded == Voucher.fold_code(code))
    if db.session.scalar(taken) is not None:
        raise VoucherRefused(lazy_gettext("There is a voucher with this code already."))
    voucher = Voucher(
        code=code.strip(),
        code_folded=Voucher.fold_code(code),
        label=terms.label,
        percent=terms.percent,
        off_minor=terms.off.minor if terms.off else None,
        off_currency=terms.off.currency if terms.off else None,
        course=terms.course,
        run=terms.run,
        max_uses=terms.max_uses,
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        made_by_id=by.id,
    )
    db.session.add(voucher)
    db.session.flush()
    record("payments.make_voucher", voucher, by.id, percent=terms.percent, code=voucher.code)
    return voucher


def make_batch(terms: VoucherTerms, by: User, count: int) -> list[Voucher]:
    """Make `count` vouchers with the same terms and a code each, at most MAX_BATCH."""
    return [make_voucher(terms, by) for _number in range(min(count, MAX_BATCH))]


def deactivate_voucher(voucher: Voucher, by: User) -> None:
    """Let nobody use the voucher any more; orders that have used it keep their price."""
    if voucher.is_active:
        voucher.is_active = False
        record("payments.deactivate_voucher", voucher, by.id)


def _new_code() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _number in range(12))
    return f"{signs[:4]}-{signs[4:8]}-{signs[8:]}"


def usable_voucher(
    code: str, run: CourseRun, kept_by: Order | None = None, currency: str | None = None
) -> Voucher:
    """The voucher of this code, when it can be used on the run now.

    kept_by: an order that holds a use of it already. currency: of the sale, that of the list price
    when None. Raises VoucherRefused with the reason.
    """
    folded = Voucher.fold_code(code)
    voucher = db.session.scalar(select(Voucher).where(Voucher.code_folded == folded))
    if voucher is None or not folded:
        raise VoucherRefused
    now = clock.now()
    if voucher.valid_from and now < voucher.valid_from:
        raise VoucherRefused(lazy_gettext("This voucher is not valid yet."))
    if not voucher.is_active or (voucher.valid_until and voucher.valid_until <= now):
        raise VoucherRefused(lazy_gettext("This voucher is no longer valid."))
    is_elsewhere = voucher.run_id not in (None, run.id)
    if is_elsewhere or voucher.course_id not in (None, run.course_id):
        raise VoucherRefused(lazy_gettext("This voucher is for another course."))
    holds_use = kept_by is not None and kept_by.voucher_id == voucher.id
    if not holds_use and voucher.max_uses is not None and voucher.uses >= voucher.max_uses:
        raise VoucherRefused(lazy_gettext("This voucher has been used up."))
    if voucher.off_currency not in (None, currency or run.price.currency):
        raise VoucherRefused(
            lazy_gettext(
                "This voucher is in %(currency)s and cannot be used on a price in another"
                " currency.",
                currency=voucher.off_currency,
            )
        )
    return voucher


def offer_of(voucher: Voucher) -> Offer:
    """The voucher as one reduction among others."""
    words = {"code": voucher.code}
    return Offer(OfferKind.VOUCHER, voucher.percent, voucher.off, words=words, key=voucher.id)


def _count_use(voucher_id: int) -> bool:
    """Count one use, unless the last one was taken meanwhile."""
    result: Any = db.session.execute(
        update(Voucher)
        .where(
            Voucher.id == voucher_id,
            (Voucher.max_uses.is_(None)) | (Voucher.uses < Voucher.max_uses),
        )
        .values(uses=Voucher.uses + 1)
        .execution_options(synchronize_session="fetch")
    )
    return bool(result.rowcount)


def use_voucher(voucher: Voucher, order: Order) -> None:
    """Count one use for the order. Raises VoucherRefused when others took the last one."""
    if not _count_use(voucher.id):
        raise VoucherRefused(lazy_gettext("This voucher has been used up."))
    db.session.add(VoucherUse(voucher_id=voucher.id, order_id=order.id))
    db.session.flush()


def release_voucher(order: Order) -> None:
    """Give the use back of an order that came to nothing. Safe to repeat."""
    released: Any = db.session.execute(
        update(VoucherUse)
        .where(VoucherUse.order_id == order.id, VoucherUse.released_at.is_(None))
        .values(released_at=clock.now())
        .execution_options(synchronize_session="fetch")
    )
    if released.rowcount:
        db.session.execute(
            update(Voucher)
            .where(Voucher.id == order.voucher_id)
            .values(uses=Voucher.uses - 1)
            .execution_options(synchronize_session="fetch")
        )


def retake_voucher(order: Order) -> None:
    """Count the use again of an order that was given up and then paid all the same."""
    use = db.session.scalar(
        select(VoucherUse).where(
            VoucherUse.order_id == order.id, VoucherUse.released_at.is_not(None)
        )
    )
    if use is not None and _count_use(use.voucher_id):
        use.released_at = None
        db.session.flush()
