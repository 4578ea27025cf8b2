"""Verification for everybody: by code, by file, by link."""

from __future__ import annotations

import base64
from typing import Any

import orjson
from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.accounts.permissions import can
from lms.certificates import queries
from lms.certificates.codes import read_code
from lms.certificates.errors import (
    CheckNotOfHere,
    IssuerKeyUnavailable,
    LinkUnreadable,
    UploadUnreadable,
)
from lms.certificates.forms import CodeForm, PaperForm, UploadForm
from lms.certificates.models import KeyUse
from lms.certificates.open_badge import issuer_did
from lms.certificates.report_paper import draw_report
from lms.certificates.services import report
from lms.certificates.services import verify as services
from lms.certificates.services.verify import Check, State, Verdict
from lms.certificates.uploads import MAX_FILE, Upload, read_text, read_upload
from lms.certificates.verifier.claims import instant_of, issuer_of
from lms.certificates.views import bp
from lms.certificates.views.limits import (
    is_code,
    limit_guesses,
    limit_looks,
    limit_papers,
    limit_texts,
    limit_uploads,
)
from lms.certificates.views.many import attached
from lms.certificates.views.shared import NAME_MATCHES, check_texts, problem_text, shown_facts
from lms.core.db import transaction
from lms.core.errors import NotFound
from lms.core.fragments import keep_fragment, reader_key
from lms.core.web import own_transaction, public


def _start(code_form: CodeForm, upload_form: UploadForm, status: int = 200) -> ResponseReturnValue:
    page = render_template("certificates/verify.html", code_form=code_form, upload_form=upload_form)
    return page, status


@bp.get("/verify")
@public
def verify() -> ResponseReturnValue:
    """Ask for a code or a file."""
    return _start(CodeForm(prefix="by-code"), UploadForm(prefix="by-file"))


@bp.post("/verify")
@public
@own_transaction
@limit_texts
def verify_code() -> ResponseReturnValue:
    """Go to the page of the typed code, whether there is one or not; judge a link or a text."""
    form = CodeForm(prefix="by-code")
    if not form.validate_on_submit():
        return _start(form, UploadForm(prefix="by-file", formdata=None), 422)
    typed = form.code.data or ""
    if is_code(typed):
        return redirect(url_for(".verify_page", code=read_code(typed)), 303)
    try:
        upload = read_text(typed)
    except (UploadUnreadable, LinkUnreadable) as error:
        form.code.errors = [str(error.text)]
        return _start(form, UploadForm(prefix="by-file", formdata=None), 422)
    if upload.code is not None:
        return redirect(url_for(".verify_page", code=upload.code), 303)
    return _shown(upload, "text")


@bp.get("/verify/<code>")
@public
@limit_guesses
def verify_page(code: str) -> ResponseReturnValue:
    """What is true of a code."""
    kept = read_code(code)
    if kept != code:
        return redirect(url_for(".verify_page", code=kept))
    return _answer(services.verify_code(code))


@bp.get("/verify/<code>/report.json")
@public
@limit_guesses
def verdict_report(code: str) -> ResponseReturnValue:
    """The verdict on a code as a signed report, with the name that the page shows."""
    verdict, text = _signed_verdict(code)
    assert verdict.credential is not None
    return attached(text, "application/json", f"{verdict.credential.code}-report.json")


@bp.get("/verify/<code>/report.pdf")
@public
@limit_guesses
@limit_papers
def verdict_paper(code: str) -> ResponseReturnValue:
    """The same on paper, sealed, with the signed report attached."""
    verdict, text = _signed_verdict(code)
    content = draw_report(text, verdict.checked_at, checks=check_texts(verdict.checks))
    assert verdict.credential is not None
    return attached(content, "application/pdf", f"{verdict.credential.code}-report.pdf")


def _signed_verdict(code: str) -> tuple[Verdict, str]:
    """The verdict on a code, and the signed report of it. Raises NotFound."""
    verdict = services.verify_code(code)
    if verdict.credential is None:
        raise NotFound
    row = _row(verdict, verdict.credential.code)
    return verdict, report.sign_report([row], verdict.checked_at)


def _row(verdict: Verdict, shown: str) -> dict[str, Any]:
    """The row of a single check, with the holder as the page shows him or her."""
    row = report.row_of(verdict, 1, shown)
    holder = verdict.claims.holder if verdict.claims else ""
    if verdict.credential is not None and verdict.state != State.ALTERED:
        holder = verdict.credential.public_name
    return row | {"holder": holder} if holder else row


@bp.post("/verify/<code>/seen")
@public
@limit_looks
def note_look(code: str) -> ResponseReturnValue:
    """Count that the page of a certificate was looked at; nothing is kept about the visitor."""
    credential = queries.find_by_code(read_code(code))
    services.note([credential], "page")
    return "", 204


@bp.post("/verify/file")
@public
@own_transaction
@limit_uploads
def verify_file() -> ResponseReturnValue:
    """What is true of an uploaded file."""
    form = UploadForm(prefix="by-file")
    if not form.validate_on_submit():
        return _start(CodeForm(prefix="by-code", formdata=None), form, 422)
    try:
        upload = read_upload(form.file.data.read(MAX_FILE + 1), form.file.data.filename or "")
    except UploadUnreadable as error:
        form.file.errors = [str(error.text)]
        return _start(CodeForm(prefix="by-code", formdata=None), form, 422)
    return _shown(upload, "file")


def _shown(upload: Upload, how: str) -> ResponseReturnValue:
    """The answer on what was handed in."""
    verdict = services.verify_upload(upload)
    with transaction():  # reading it may take long, and nobody shall wait for it to write
        services.note(services.credentials_of(verdict), how)
    if verdict.report is not None:
        return _report_answer(verdict)
    return _answer(verdict, upload)


def _report_inside(verdict: Verdict, upload: Upload | None) -> dict[str, Any]:
    """The signed report of what was handed in, as an address that holds it, and the form that hands
    it back to have it put on paper; nothing for a code, or without keys.

    What was handed in is not kept, so the report cannot be fetched later.
    """
    if upload is None:
        return {"report": "", "paper_form": None}
    row = _row(verdict, upload.name)
    if upload.digest:
        row["sha256"] = upload.digest
    try:
        text = report.sign_report([row], verdict.checked_at)
    except (NotFound, IssuerKeyUnavailable):
        return {"report": "", "paper_form": None}
    has_seal = queries.find_signing_key(KeyUse.SEAL) is not None
    return {
        "report": "data:application/json;base64," + base64.b64encode(text.encode()).decode(),
        "paper_form": PaperForm(formdata=None, report=text) if has_seal else None,
    }


@bp.post("/verify/report.pdf")
@public
@limit_papers
def paper_of_check() -> ResponseReturnValue:
    """The signed report of a check that was made a moment ago on paper, sealed."""
    form = PaperForm()
    if not form.validate_on_submit():
        raise CheckNotOfHere
    document = services.read_fresh_report(form.report.data or "")
    [row] = document["rows"] if len(document["rows"]) == 1 else [{}]
    at = instant_of(document["checkedAt"])
    assert at is not None
    content = draw_report(
        orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(),
        at,
        checks=check_texts({Check(name): holds for name, holds in row.get("checks", {}).items()}),
        name_matches=NAME_MATCHES,
    )
    return attached(content, "application/pdf", "report.pdf")


def _report_answer(verdict: Verdict) -> ResponseReturnValue:
    """What a report of earlier verifications says, which is as it was signed."""
    page = render_template(
        "certificates/report.html",
        verdict=verdict,
        report=verdict.report,
        checked_at=instant_of((verdict.report or {}).get("checkedAt")),
        issuer=issuer_of(verdict.report or {}),
    )
    return page, {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow"}


def _template(verdict: Verdict) -> str:
    if verdict.parts:
        return "certificates/verdict_of_record.html"
    if verdict.credential is None and verdict.state != State.UNKNOWN:
        return "certificates/verdict_of_other.html"
    return "certificates/verdict.html"


def _draw(verdict: Verdict, upload: Upload | None, may_verify_many: bool) -> str:
    credential = verdict.credential
    return render_template(
        "certificates/_verdict.html",
        verdict=verdict,
        credential=credential,
        facts=shown_facts(credential) if credential else None,
        checks=check_texts(verdict.checks),
        is_file=upload is not None,
        **_report_inside(verdict, upload),
        may_verify_many=may_verify_many,
        code_form=None if credential else CodeForm(prefix="by-code", formdata=None),
    )


def _content(verdict: Verdict, upload: Upload | None) -> Markup:
    """What is true, drawn once for all who ask by the same code in the same minute and language.

    A change of the credential shows at once, as its version is part of the key; what other rooms
    add, within a minute.
    """
    credential, may_verify_many = verdict.credential, can("certificates.verify_many")
    if credential is None or upload is not None:
        return Markup(_draw(verdict, upload, may_verify_many))  # noqa: S704 - our own template
    minute = int(verdict.checked_at.timestamp() // 60)
    key = (
        "verdict", credential.code, credential.version, verdict.state,
        tuple(verdict.checks.items()), minute, may_verify_many, reader_key(),
    )  # fmt: skip
    return keep_fragment(key, _draw, verdict, None, may_verify_many)


def _answer(verdict: Verdict, upload: Upload | None = None) -> ResponseReturnValue:
    template = _template(verdict)
    values: dict[str, Any] = {"verdict": verdict, "is_file": upload is not None}
    if template == "certificates/verdict.html":
        values["content"] = _content(verdict, upload)
    else:
        values |= {
            "own_did": issuer_did(),
            "credential": verdict.credential,
            "checks": check_texts(verdict.checks),
            "problem": problem_text(verdict.problem),
            **_report_inside(verdict, upload),
        }
    response = make_response(
        render_template(template, **values), 404 if verdict.state == State.UNKNOWN else 200
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
