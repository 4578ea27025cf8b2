"""A check of a file, a text or a link on paper: nothing of what was shown is kept for it."""

from __future__ import annotations

import hashlib
import html
import io
import json
import re
from datetime import timedelta

import pytest
from pypdf import PdfReader

from lms.certificates.credential_formats.pdf import Pdf
from lms.certificates.data_integrity import sign_plainly
from lms.certificates.open_badge import issuer_did
from lms.certificates.services import report
from lms.core import clock
from tests.certificates.test_seal import judge
from tests.factories.certificates import make_credential

pytestmark = pytest.mark.sqlite


@pytest.fixture
def credential(app):
    """A certificate, on a site that has sealed one before."""
    made = make_credential()
    Pdf().make(made)
    return made


def show(client, content: bytes, name: str = "certificate.json"):
    data = {"by-file-file": (io.BytesIO(content), name)}
    return client.post("/verify/file", data=data, content_type="multipart/form-data")


def report_in(page) -> str:
    """The signed report that the page hands back."""
    [found] = re.findall(r'name="report"[^>]* value="([^"]*)"', page.text)
    return html.unescape(found)


def words_of(answer) -> str:
    assert answer.content_type == "application/pdf", answer.text
    return " ".join(
        " ".join(p.extract_text() for p in PdfReader(io.BytesIO(answer.data)).pages).split()
    )


@pytest.mark.slow
def test_a_check_of_a_file_is_sealed_on_paper_and_can_be_verified(client, credential):
    content = credential.document.encode()
    sent = report_in(show(client, content)).replace("\n", "\r\n")  # as browsers send it

    paper = client.post("/verify/report.pdf?lang=es", data={"report": sent})

    text = words_of(paper)
    for part in (
        "certificate.json", "Válido", "Rosa Quispe Mamani", issuer_did(),
        hashlib.sha256(content).hexdigest(), "Firma digital del emisor",
    ):  # fmt: skip
        assert part in text
    assert judge(paper.data, client.get("/.well-known/seal.pem").text).bottom_line
    assert "This report is genuine" in show(client, paper.data, "report.pdf").text


@pytest.mark.slow
def test_the_paper_of_an_altered_file_says_so_and_repeats_nothing_of_it(client, credential):
    forged = credential.document.replace("Rosa", "Rita").encode()
    page = show(client, forged, "/mine/rita\u202e.json")

    text = words_of(client.post("/verify/report.pdf", data={"report": report_in(page)}))

    assert "verdict-revoked" in page.text
    for part in (
        "Altered", "rita.json", hashlib.sha256(forged).hexdigest(),
        "The digital signature of the issuer does not fit",
    ):  # fmt: skip
        assert part in text
    for part in ("Valid ", "Rita Quispe", "Rosa", "Tools for community planning", "mine"):
        assert part not in text


@pytest.mark.slow
def test_a_link_to_a_certificate_of_another_issuer_is_put_on_paper(client, credential, other):
    other.published["/mine.json?visitor=ana"] = json.dumps(other.credential()).encode()
    link = f"http://localhost:{other.port}/mine.json"
    page = client.post("/verify", data={"by-code-code": f"{link}?visitor=ana"})

    text = words_of(client.post("/verify/report.pdf", data={"report": report_in(page)}))

    squeezed = text.replace(" ", "")
    assert link in squeezed
    assert "visitor" not in squeezed
    assert "Soil science, level 2" in text
    assert f"did:web:localhost%3A{other.port}" in squeezed


@pytest.mark.slow
def test_what_could_not_be_checked_says_why_on_paper(client, credential, other):
    away = {"id": "did:web:localhost%3A1:gone", "type": ["Profile"]}
    text = json.dumps(other.credential(issuer=away))
    page = client.post("/verify", data={"by-code-code": text})

    said = words_of(client.post("/verify/report.pdf", data={"report": report_in(page)}))

    assert "Could not be checked" in said
    assert "public identity could not be fetched" in said


def test_a_site_that_has_sealed_nothing_offers_no_paper(client):
    page = show(client, make_credential().document.encode())

    assert "report.json" in page.text
    assert "/verify/report.pdf" not in page.text


def test_only_a_fresh_report_of_this_site_is_put_on_paper(client, credential, other):
    good = report_in(show(client, credential.document.encode()))
    document = json.loads(good)
    changed = good.replace('"state": "valid"', '"state": "revoked"')
    theirs = {name: value for name, value in document.items() if name != "proof"}
    theirs["issuer"] = {"id": other.did, "name": "Puente"}
    foreign = json.dumps(sign_plainly(theirs, other.key, other.method, clock.now()))
    with clock.set_to(clock.now() - timedelta(minutes=61)):
        old = report.sign_report(document["rows"], clock.now())

    for text in ("", "{", "[]", changed, foreign, old, credential.document):
        refused = client.post("/verify/report.pdf", data={"report": text})
        assert refused.status_code == 422, text
    assert other.asked == []
