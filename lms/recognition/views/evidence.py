"""The evidence behind a certificate: links by consent, and what they open."""

from __future__ import annotations

from datetime import date

import orjson
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lms.accounts.permissions import require, signed_in
from lms.certificates import queries as certificates
from lms.certificates.models import Credential
from lms.core import clock
from lms.core.errors import NotFound
from lms.core.limits import limiter
from lms.core.once import leads_on
from lms.core.pdf import html_to_pdf
from lms.core.text import current_language
from lms.core.web import absolute_url, public
from lms.recognition import queries
from lms.recognition.forms.desk import EvidenceForm
from lms.recognition.services import evidence as services
from lms.recognition.views import bp


def _own(code: str) -> Credential:
    credential = certificates.get_by_code(code)
    require("recognition.share_evidence", credential)
    return credential


@bp.route("/my/evidence/<code>", methods=["GET", "POST"])
def evidence(code: str) -> ResponseReturnValue:
    """Who may see the evidence, every look, and a new link."""
    credential = _own(code)
    form = EvidenceForm()
    address = None
    if form.validate_on_submit():
        token = services.open_link(
            credential, signed_in(), form.recipient.data or "", int(form.days.data)
        )
        address = absolute_url("recognition.open_evidence", token=token)
        leads_on(
            url_for(".evidence", code=code),
            _(
                "The form was sent twice, the link was made once. If you did not see its address,"
                " withdraw it and make another one."
            ),
        )
        form = EvidenceForm(formdata=None)
    return render_template(
        "recognition/evidence/links.html",
        credential=credential,
        form=form,
        address=address,
        links=queries.list_evidence_links(credential),
        now=clock.now(),
    ), 422 if form.errors else 200


@bp.post("/my/evidence/<code>/<int:link_id>/withdraw")
def withdraw_evidence(code: str, link_id: int) -> ResponseReturnValue:
    """Close a link at once."""
    credential = _own(code)
    links = {link.id: link for link in queries.list_evidence_links(credential)}
    if link_id not in links:
        raise NotFound
    services.withdraw_link(links[link_id])
    flash(_("The link is withdrawn. Nobody can open it any more."), "success")
    return redirect(url_for(".evidence", code=code), 303)


def _private(answer: Response) -> Response:
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _day_of(instant: str) -> date:
    """The day of an instant of the pack."""
    return date.fromisoformat(instant[:10])


@bp.get("/evidence/<token>")
@public
@limiter.limit("60 per 10 minutes")
def open_evidence(token: str) -> ResponseReturnValue:
    """Ask before showing: each look is noted, and a program that follows links is none."""
    link = services.find_open(token)
    page = render_template("recognition/evidence/ask.html", link=link, token=token)
    return _private(make_response(page))


@bp.post("/evidence/<token>")
@public
@limiter.limit("60 per 10 minutes")
def show_evidence(token: str) -> ResponseReturnValue:
    """Show the evidence as a page, PDF or JSON, and note the look."""
    link = services.find_open(token)
    kind = request.form.get("format", "page")
    kind = kind if kind in ("page", "pdf", "json") else "page"
    pack = services.look(link, kind)
    if kind == "json":
        answer = Response(
            orjson.dumps(pack, option=orjson.OPT_INDENT_2), content_type="application/json"
        )
        answer.headers["Content-Disposition"] = 'attachment; filename="evidence.json"'
        return _private(answer)
    if kind == "pdf":
        html = render_template(
            "recognition/evidence/pdf.html",
            pack=pack,
            day_of=_day_of,
            language=current_language(),
        )
        answer = Response(html_to_pdf(html), content_type="application/pdf")
        answer.headers["Content-Disposition"] = 'attachment; filename="evidence.pdf"'
        return _private(answer)
    page = render_template(
        "recognition/evidence/page.html", pack=pack, day_of=_day_of, link=link, token=token
    )
    return _private(make_response(page))
