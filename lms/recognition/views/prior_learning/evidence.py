"""The pieces of a portfolio: files, links, employers, credentials from elsewhere."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from lms.accounts.permissions import require, signed_in
from lms.certificates.errors import LinkUnreadable, UploadUnreadable
from lms.certificates.uploads import MAX_FILE, Upload, read_text, read_upload
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.files import ATTACHMENTS, UploadRefused, send_stored
from lms.core.limits import limiter
from lms.core.web import own_transaction
from lms.recognition import queries
from lms.recognition.errors import PortfolioClosed
from lms.recognition.forms.prior_learning import EvidenceFormBase, evidence_form
from lms.recognition.models import EvidenceItem, EvidenceKind, PriorLearningRequest
from lms.recognition.services.prior_learning import portfolio as services
from lms.recognition.services.prior_learning.portfolio import Evidence
from lms.recognition.views import bp
from lms.recognition.views.prior_learning.portfolio import own_request


def _kind(name: str) -> EvidenceKind:
    try:
        return EvidenceKind(name)
    except ValueError:
        raise NotFound from None


def _page(
    request: PriorLearningRequest,
    kind: EvidenceKind,
    form: EvidenceFormBase,
    item: EvidenceItem | None = None,
) -> ResponseReturnValue:
    page = render_template(
        "recognition/prior_learning/evidence.html",
        portfolio=request,
        kind=kind,
        form=form,
        item=item,
    )
    return page, 422 if form.errors else 200


@bp.get("/prior-learning/requests/<uuid:identifier>/evidence/<kind>")
def new_evidence(identifier: uuid.UUID, kind: str) -> ResponseReturnValue:
    """Ask for a piece of evidence."""
    request = own_request(identifier)
    if not request.can_change:
        raise PortfolioClosed
    return _page(request, _kind(kind), evidence_form(_kind(kind), request))


@bp.post("/prior-learning/requests/<uuid:identifier>/evidence/<kind>")
@own_transaction
@limiter.limit("60 per 10 minutes")
def add_evidence(identifier: uuid.UUID, kind: str) -> ResponseReturnValue:
    """Put a piece of evidence into the portfolio; a credential is verified before.

    Its issuer is asked over the network, which nobody's change shall wait for.
    """
    request = own_request(identifier)
    if not request.can_change:
        raise PortfolioClosed
    form = evidence_form(_kind(kind), request)
    if not form.validate_on_submit():
        return _page(request, _kind(kind), form)
    try:
        evidence = _evidence(_kind(kind), form)
        with transaction():
            request = own_request(identifier)
            services.add_evidence(request, signed_in(), evidence, form.claims())
    except (UploadRefused, UploadUnreadable, LinkUnreadable) as error:
        field = form["text"] if "text" in form and not _upload(form) else form["file"]
        field.errors = [str(error.text)]
        return _page(request, _kind(kind), form)
    flash(_("The evidence is in your portfolio."), "success")
    return redirect(url_for(".show_prior_learning", identifier=identifier), 303)


def _upload(form: EvidenceFormBase) -> FileStorage | None:
    found = form["file"].data if "file" in form else None
    return found if isinstance(found, FileStorage) and found.filename else None


def _evidence(kind: EvidenceKind, form: EvidenceFormBase) -> Evidence:
    """What was typed and uploaded. Raises UploadUnreadable and LinkUnreadable."""
    title, upload = form.title.data or "", _upload(form)
    if kind == EvidenceKind.FILE:
        assert upload is not None  # the form asks for it
        content = upload.read(ATTACHMENTS.max_bytes + 1)
        return Evidence(kind, title, form.values(), (content, upload.filename or "file"))
    if kind == EvidenceKind.CREDENTIAL:
        shown, text = _credential(form, upload)
        verdict = services.judge_credential(shown, signed_in())
        return Evidence(kind, title, {"credential_text": text}, verdict=verdict)
    return Evidence(kind, title, form.values())


def _credential(form: EvidenceFormBase, upload: FileStorage | None) -> tuple[Upload, str]:
    """The credential that is shown, and the text by which it can be verified again."""
    if upload is None:
        shown = read_text((form["text"].data or "").strip())
    else:
        shown = read_upload(upload.read(MAX_FILE + 1))
    return shown, services.text_of(shown)


def _own_item(identifier: uuid.UUID, item_id: int) -> EvidenceItem:
    return queries.get_item(own_request(identifier), item_id)


@bp.route("/prior-learning/requests/<uuid:identifier>/items/<int:item_id>", methods=["GET", "POST"])
def change_evidence(identifier: uuid.UUID, item_id: int) -> ResponseReturnValue:
    """Correct what is said of a piece, and what it shows."""
    item = _own_item(identifier, item_id)
    if not item.request.can_change:
        raise PortfolioClosed
    kind = EvidenceKind(item.kind)
    form = evidence_form(kind, item.request, item)
    if form.validate_on_submit():
        values: dict[str, Any] = form.values()
        services.change_evidence(
            item, signed_in(), title=form.title.data or "", values=values, claims=form.claims()
        )
        flash(_("The evidence is changed."), "success")
        return redirect(url_for(".show_prior_learning", identifier=identifier), 303)
    return _page(item.request, kind, form, item)


@bp.post("/prior-learning/requests/<uuid:identifier>/items/<int:item_id>/remove")
def remove_evidence(identifier: uuid.UUID, item_id: int) -> ResponseReturnValue:
    """Take a piece out of the portfolio."""
    services.remove_evidence(_own_item(identifier, item_id), signed_in())
    flash(_("The evidence is removed."), "success")
    return redirect(url_for(".show_prior_learning", identifier=identifier), 303)


@bp.get("/prior-learning/requests/<uuid:identifier>/items/<int:item_id>/file")
def evidence_file(identifier: uuid.UUID, item_id: int) -> ResponseReturnValue:
    """A file of the portfolio, for those who may see the request."""
    request = queries.get_request(identifier)
    require("recognition.see_prior_learning", request)
    item = queries.get_item(request, item_id)
    if item.file is None:
        raise NotFound
    answer = send_stored(item.file, download=True)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
