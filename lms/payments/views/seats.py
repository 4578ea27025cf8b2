"""Who buys places for others: choose how many, give them away, take them back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from lms.accounts.permissions import require, signed_in
from lms.core.choices import choices
from lms.core.limits import limiter
from lms.core.money import Money
from lms.core.pagination import paginate
from lms.core.templating import format_days, format_money
from lms.core.text import in_language
from lms.core.web import absolute_url, page_number
from lms.courses.models import CourseRun
from lms.courses.queries.catalogue import list_runs_for_page
from lms.courses.services.enrolment import is_enrolment_open
from lms.directory.queries import organisations_of
from lms.payments import queries
from lms.payments.errors import (
    NoPlaceLeft,
    NothingToRefund,
    OfferChanged,
    PlaceNotFree,
    TooLateToReassign,
)
from lms.payments.models import SETTLED
from lms.payments.queries import seats as reads
from lms.payments.seat_forms import ChooseSeatsForm, InviteForm, ReturnForm
from lms.payments.seat_models import SEATS, Seat, SeatBlock
from lms.payments.services import seat_blocks, seat_refunds, seat_transfers
from lms.payments.services import seats as services
from lms.payments.views import bp

PAGE_SIZE = 50


def _runs_of(run: CourseRun) -> list[CourseRun]:
    """The runs of the course of which places are sold now."""
    found = [one for one, _seats, _mine in list_runs_for_page(run.course, None)]
    return [one for one in found if one.price and is_enrolment_open(one)]


def _choose_form(runs: Sequence[CourseRun]) -> ChooseSeatsForm:
    form = ChooseSeatsForm()
    form.run.choices = choices(
        [(str(one.uuid), format_days(one.starts_on, one.ends_on)) for one in runs]
    )
    organisations = [(one.slug, in_language(one.name)) for one in organisations_of(signed_in())]
    form.organisation.choices = choices([("", _("None")), *organisations])
    return form


@bp.route("/places/buy/<uuid:run_uuid>", methods=["GET", "POST"])
def choose_seats(run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Ask in which run, how many, and for which organisation; then on to the checkout."""
    run = queries.get_run(run_uuid)
    require("payments.buy_seats", run)
    runs = _runs_of(run)
    form = _choose_form(runs)
    if request.method == "GET":
        own = organisations_of(signed_in())
        form.run.data = str(run.uuid)
        form.organisation.data = own[0].slug if len(own) == 1 else ""
    if form.validate_on_submit() and form.seats.data:
        chosen = next(one for one in runs if str(one.uuid) == form.run.data)
        organisation = next(
            (one for one in organisations_of(signed_in()) if one.slug == form.organisation.data),
            None,
        )
        block = seat_blocks.choose_seats(chosen, signed_in(), form.seats.data, organisation)
        return redirect(url_for(".buy", product=SEATS, item=block.uuid), 303)
    page = render_template("payments/choose_seats.html", run=run, runs=runs, form=form)
    return page, 422 if form.errors else 200


@bp.get("/places")
def my_blocks() -> ResponseReturnValue:
    """All places that the person bought for others, the latest first."""
    require("payments.list_seats")
    page = paginate(reads.list_blocks_of(signed_in()), page_number(), 20)
    taken = reads.taken_by_block(page.items)
    return render_template("payments/my_blocks.html", page=page, taken=taken)


def _own_block(key: uuid.UUID) -> SeatBlock:
    block = reads.get_block(key)
    require("payments.manage_seats", block)
    return block


def _own_seat(key: uuid.UUID, number: int) -> Seat:
    return reads.get_seat(_own_block(key), number)


def _page(block: SeatBlock, form: InviteForm, status: int = 200) -> tuple[str, int]:
    code = services.code_of(block)
    shown = render_template(
        "payments/seat_block.html",
        block=block,
        run=block.run,
        order=block.order,
        standing=reads.standing(block),
        page=paginate(reads.list_places(block), page_number(), PAGE_SIZE),
        form=form,
        code=code,
        code_address=absolute_url("payments.seat_by_code", code=services.fold_code(code))
        if code
        else None,
        other=seat_transfers.next_run(block),
        is_own=block.user_id == signed_in().id,
        may_return=block.order is not None and block.order.state in SETTLED and block.order.total,
    )
    return shown, status


def _invite_form(block: SeatBlock) -> InviteForm:
    return InviteForm(language=block.run.language)


@bp.get("/places/<uuid:block_uuid>")
def show_block(block_uuid: uuid.UUID) -> ResponseReturnValue:
    """A block: each place, and the ways to give it away."""
    block = _own_block(block_uuid)
    return _page(block, _invite_form(block))


@bp.post("/places/<uuid:block_uuid>/invite")
@limiter.limit("20 per minute")
def invite(block_uuid: uuid.UUID) -> ResponseReturnValue:
    """Write to the people who shall have places."""
    block = _own_block(block_uuid)
    form = _invite_form(block)
    if not form.validate_on_submit():
        return _page(block, form, 422)
    try:
        count = services.invite(block, form.found, form.language.data, signed_in())
    except NoPlaceLeft:
        free = reads.standing(block).free
        form.addresses.errors = [
            _("Places that are still free: %(free)s. Write fewer addresses.", free=free)
        ]
        return _page(block, form, NoPlaceLeft.status)
    if count:
        flash(ngettext("One person is invited.", "%(num)d people are invited.", count), "success")
    else:
        flash(_("Everybody on your list is invited already."), "info")
    return redirect(url_for(".show_block", block_uuid=block_uuid), 303)


@bp.post("/places/<uuid:block_uuid>/code")
@limiter.limit("20 per minute")
def change_code(block_uuid: uuid.UUID) -> ResponseReturnValue:
    """Make a new code for the free places, or stop the one that there is."""
    block = _own_block(block_uuid)
    if "stop" in request.form:
        services.stop_code(block, signed_in())
        flash(_("The code opens no places any more."), "success")
    else:
        services.make_code(block, signed_in())
        flash(_("The code is made. Give it to your people."), "success")
    return redirect(url_for(".show_block", block_uuid=block_uuid, _anchor="code"), 303)


def _back_to(block_uuid: uuid.UUID) -> ResponseReturnValue:
    page = page_number()
    return redirect(
        url_for(".show_block", block_uuid=block_uuid, page=page if page > 1 else None), 303
    )


@bp.post("/places/<uuid:block_uuid>/<int:number>/write-again")
@limiter.limit("20 per minute")
def write_again(block_uuid: uuid.UUID, number: int) -> ResponseReturnValue:
    """Send an invitation once more."""
    services.write_again(_own_seat(block_uuid, number))
    flash(_("The mail is on its way again."), "success")
    return _back_to(block_uuid)


@bp.post("/places/<uuid:block_uuid>/<int:number>/withdraw")
def withdraw(block_uuid: uuid.UUID, number: int) -> ResponseReturnValue:
    """Take an invitation back."""
    seat = _own_seat(block_uuid, number)
    try:
        services.withdraw(seat, signed_in())
    except PlaceNotFree as refusal:
        flash(str(refusal.text), "error")
    else:
        flash(_("The invitation is taken back, and the place is free."), "success")
    return _back_to(block_uuid)


@bp.post("/places/<uuid:block_uuid>/<int:number>/reassign")
def reassign(block_uuid: uuid.UUID, number: int) -> ResponseReturnValue:
    """Take a place from who sits on it, for somebody else."""
    seat = _own_seat(block_uuid, number)
    try:
        services.reassign(seat, signed_in())
    except (PlaceNotFree, TooLateToReassign) as refusal:
        flash(str(refusal.text), "error")
    else:
        flash(_("The place is free: give it to somebody else."), "success")
    return _back_to(block_uuid)


@bp.post("/places/<uuid:block_uuid>/move/<uuid:run_uuid>")
def move_seats(block_uuid: uuid.UUID, run_uuid: uuid.UUID) -> ResponseReturnValue:
    """Move all places to the next run of the course."""
    block, run = _own_block(block_uuid), queries.get_run(run_uuid)
    seat_transfers.move(block, run, signed_in())
    days = format_days(run.starts_on, run.ends_on)
    flash(_("Your places are in the run of %(days)s now.", days=days), "success")
    return redirect(url_for(".show_block", block_uuid=block_uuid), 303)


@bp.get("/places/<uuid:block_uuid>/return")
def ask_return(block_uuid: uuid.UUID) -> ResponseReturnValue:
    """Say what comes back for all free places, before anything is done."""
    block = _own_block(block_uuid)
    free = reads.standing(block).free
    return _return_page(block, ReturnForm(count=free or None), free)


@bp.post("/places/<uuid:block_uuid>/return")
def return_seats(block_uuid: uuid.UUID) -> ResponseReturnValue:
    """Give free places back, with the sum that was shown; or show it for the number typed."""
    block = _own_block(block_uuid)
    free = reads.standing(block).free
    form = ReturnForm()
    is_valid = form.validate_on_submit()
    count = form.count.data or 0
    if count > free:
        form.count.errors = [_("Places that are still free: %(free)s.", free=free)]
    if not is_valid or form.count.errors or "confirm" not in request.form:
        return _return_page(block, form, free, 422 if form.errors else 200)
    shown = Money(form.shown.data or 0, seat_refunds.currency_of(block))
    try:
        back = seat_refunds.give_back(block, count, shown, signed_in())
    except (OfferChanged, NoPlaceLeft, NothingToRefund) as refusal:
        return _return_page(block, form, free, refusal.status, str(refusal.text))
    amount = format_money(back.amount)
    flash(_("The places are given back. %(amount)s is on its way.", amount=amount), "info")
    return redirect(url_for(".show_block", block_uuid=block_uuid), 303)


def _return_page(
    block: SeatBlock, form: ReturnForm, free: int, status: int = 200, error: str = ""
) -> tuple[str, int]:
    back = None
    if free and not form.count.errors:
        back = seat_refunds.back_for(block, form.count.data or free)
        form.shown.data, form.shown.raw_data = back.amount.minor, None  # not what was sent
    page = render_template(
        "payments/return_seats.html",
        block=block,
        run=block.run,
        form=form,
        free=free,
        back=back,
        error=error,
    )
    return page, status
