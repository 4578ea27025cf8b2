"""Reports by mail, and what funders read."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from lms.accounts.permissions import require, signed_in
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.limits import limiter
from lms.core.once import leads_on
from lms.core.pagination import paginate
from lms.core.text import in_language
from lms.core.web import page_number, public
from lms.courses.models import Course
from lms.recovery import forms, mails
from lms.recovery.models import ReportMail, Rhythm
from lms.recovery.permissions import READ
from lms.recovery.queries import funders
from lms.recovery.queries.break_even import today
from lms.recovery.services import sharing
from lms.recovery.views import bp
from lms.reports.filters import read_filters
from lms.scholarships.models import Fund
from lms.scholarships.queries import get_fund


@bp.route("/admin/recovery/mails", methods=["GET", "POST"])
def report_mails() -> ResponseReturnValue:
    """Reports that come by mail to who asked for them."""
    require(READ)
    form = forms.MailForm()
    if form.validate_on_submit():
        report = form.report()
        if report is None or report.is_list:
            form.address.errors = [
                _("This is no report that can be mailed. Open a report and copy its address.")
            ]
        else:
            require(report.permission)
            asked = read_filters(form.values(), report.selections, signed_in())
            if asked.errors:
                form.address.errors = list(asked.errors.values())
            else:
                values = mails.kept_values(report, form.values(), asked.filters)
                sharing.ask_for_mail(signed_in(), report.name, values, Rhythm(form.rhythm.data))
                flash(_("The report comes by mail. Each mail has a link that stops it."), "success")
                return redirect(url_for(".report_mails"), 303)
    rows = db.session.scalars(
        select(ReportMail)
        .where(ReportMail.user_id == signed_in().id, ReportMail.next_on.is_not(None))
        .order_by(ReportMail.next_on, ReportMail.id)
    ).all()
    page = render_template(
        "recovery/mails.html",
        form=form,
        rows=[(row, mails.label_of(row), mails.url_of(row)) for row in rows],
        rhythms=forms.RHYTHMS,
    )
    return page, 422 if form.errors else 200


@bp.post("/admin/recovery/mails/<int:mail_id>/stop")
def stop_own_mail(mail_id: int) -> ResponseReturnValue:
    """Stop a report that one asked for."""
    row = db.session.get(ReportMail, mail_id)
    if row is None:
        raise NotFound
    require("recovery.stop_mail", row)
    sharing.stop_mail(row)
    flash(_("The report comes by mail no more."), "success")
    return redirect(url_for(".report_mails"), 303)


@bp.route("/reports/stop/<token>", methods=["GET", "POST"])
@public
def stop_mail(token: str) -> ResponseReturnValue:
    """Stop a report by the link in its mail, without signing in."""
    row = mails.read_stop(token)
    if row is None:
        raise NotFound
    form = forms.ActionForm()
    is_stopped = row.next_on is None
    if form.validate_on_submit():
        sharing.stop_mail(row)
        is_stopped = True
    return render_template(
        "recovery/stop.html", form=form, label=mails.label_of(row), is_stopped=is_stopped
    )


@bp.route("/admin/recovery/funders", methods=["GET", "POST"])
def funder_links() -> ResponseReturnValue:
    """Links for funders: made, looked at, taken back."""
    require(READ)
    courses = [
        (str(course.id), in_language(course.title))
        for course in db.session.scalars(select(Course).order_by(Course.slug))
    ]
    funds = [
        (fund.key, in_language(fund.name))
        for fund in db.session.scalars(select(Fund).order_by(Fund.key))
    ]
    form = forms.FunderForm(courses, funds)
    made: str | None = None
    days = form.first.data, form.last.data
    if form.validate_on_submit() and days[0] and days[1] and form.expires_on.data:
        require("recovery.administer")
        course = db.session.get(Course, int(form.course.data)) if form.course.data else None
        _link, token = sharing.share(
            (form.title.data or "").strip(),
            form.tables.data or [],
            course,
            (days[0], days[1]),
            form.expires_on.data,
            signed_in().id,
            get_fund(form.fund.data) if form.fund.data else None,
        )
        leads_on(
            url_for(".funder_links"),
            _("The form was sent twice, the link was made once. Take it back if you saw none."),
        )
        made = url_for(".ask_funder", token=token, _external=True)
    page = paginate(funders.list_links(), page_number(), 25)
    answer = make_response(
        render_template(
            "recovery/funders.html",
            form=form,
            page=page,
            looks=funders.looks_of(page.items),
            tables=forms.TABLES,
            made=made,
            today=today(),
        ),
        422 if form.errors else 200,
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/admin/recovery/funders/<int:link_id>/revoke")
def revoke_funder(link_id: int) -> ResponseReturnValue:
    """Take a link back."""
    link = funders.get_link(link_id)
    require("recovery.administer")
    sharing.revoke(link, signed_in().id)
    flash(_("The link is taken back: nobody can open it any more."), "success")
    return redirect(url_for(".funder_links"), 303)


def _private(page: str) -> ResponseReturnValue:
    answer = make_response(page)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@bp.get("/funders/<token>")
@public
@limiter.limit("60 per 10 minutes")
def ask_funder(token: str) -> ResponseReturnValue:
    """Ask before showing: each look is noted, and a program that follows links is none."""
    link = sharing.find_open(token)
    return _private(render_template("recovery/funder_ask.html", link=link, token=token))


@bp.post("/funders/<token>")
@public
@limiter.limit("60 per 10 minutes")
def show_funder(token: str) -> ResponseReturnValue:
    """The figures, with nothing under five people in them."""
    link = sharing.find_open(token)
    sharing.note_look(link)
    return _private(
        render_template(
            "recovery/funder.html",
            link=link,
            tables=funders.tables_of(link),
            names=forms.TABLES,
        )
    )
