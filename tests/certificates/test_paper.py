"""What the papers claim of their structure, and the report of a verification on paper."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from lms.certificates.credential_formats.pdf import Pdf
from lms.certificates.models import RevocationReason
from lms.certificates.services import holder, revoke
from lms.certificates.services.batch import verify_table
from lms.certificates.services.batch_input import Asked
from tests.certificates.test_seal import judge
from tests.factories.accounts import make_administrator, make_user
from tests.factories.certificates import make_credential
from tests.factories.directory import make_officer

MARK = re.compile(rb'pdfuaid:part(="1"|>1<)')


def elements(node: Any) -> Iterator[Any]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            yield from elements(one)
    elif isinstance(node, dict):
        yield node
        if "/K" in node:
            yield from elements(node["/K"])


def shown_without_mark(page: Any) -> list[str]:
    """What is painted outside of the structure and is no artifact either."""
    depth, found = 0, []
    for line in page.get_contents().get_data().decode("latin-1").split("\n"):
        depth += line.endswith(("BDC", "BMC")) - line.endswith("EMC")
        if depth == 0 and line.rsplit(" ", 1)[-1] in ("Tj", "TJ", "f", "f*", "S", "B", "Do", "sh"):
            found.append(line)
    return found


def require_universal(content: bytes, language: str) -> PdfReader:
    """What the mark of PDF/UA-1 stands for, as far as it is checked here."""
    reader = PdfReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    metadata = root["/Metadata"].get_object().get_data()
    assert MARK.search(metadata)
    assert b"PDF/UA identification" in metadata  # described, as PDF/A asks
    assert metadata.count(b"</rdf:RDF>") == 1
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/Lang"] == language
    assert reader.metadata.title
    tree = root["/StructTreeRoot"]
    kinds = [one["/S"] for one in elements(tree["/K"]) if "/S" in one]
    assert kinds[0] == "/Document"
    heads = [kind for kind in kinds if re.fullmatch(r"/H[1-6]", kind)]
    assert heads[0] == "/H1"
    assert set(heads) <= {"/H1", "/H2"}
    for one in elements(tree["/K"]):
        if one.get("/S") == "/Figure":
            assert one["/Alt"]
        if one.get("/S") == "/TH":
            assert one["/A"]["/Scope"] == "/Column"
            assert one["/ID"] in tree["/IDTree"]["/Names"]
    for page in reader.pages:
        assert page["/Tabs"] == "/S"
        assert shown_without_mark(page) == []
        for annotation in page.get("/Annots", []):
            annotation = annotation.get_object()
            if annotation["/Subtype"] == "/Widget":  # the seal, off the page
                assert all(place < 0 for place in annotation["/Rect"])
                assert annotation["/TU"]
            else:
                assert annotation["/Contents"]
                assert "/StructParent" in annotation
    return reader


def texts_by_language(root: Any, content: bytes, folder: Path) -> dict[str, str]:
    """What the structure of a PDF says, by the language that holds where it stands."""
    if not shutil.which("pdfinfo"):
        pytest.skip("pdfinfo is not installed")
    (folder / "shown.pdf").write_bytes(content)
    printed = subprocess.run(
        ["pdfinfo", "-struct-text", folder / "shown.pdf"], capture_output=True, check=True
    ).stdout.decode()
    texts = re.findall(r'^ *"(.*?)"$', printed, re.MULTILINE | re.DOTALL)
    languages = list(_languages(root["/StructTreeRoot"]["/K"], root["/Lang"]))
    assert len(texts) == len(languages)
    found: dict[str, str] = {}
    for language, text in zip(languages, texts, strict=True):
        found[language] = found.get(language, "") + text
    return found


def _languages(kids: Any, language: str) -> Iterator[str]:
    """The language of each text in the structure, in order."""
    for kid in kids:
        if isinstance(kid, int):
            yield language
        elif "/K" in (element := kid.get_object()):
            yield from _languages(element["/K"], element.get("/Lang", language))


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_certificate_in_one_language_is_marked_as_accessible_and_has_the_structure(app):
    credential = make_credential(user=make_user(name="Ana Flores", language="es"))

    reader = require_universal(Pdf().make(credential), "es")

    figures = [
        one["/Alt"]
        for one in elements(reader.trailer["/Root"]["/StructTreeRoot"]["/K"])
        if one.get("/S") == "/Figure"
    ]
    assert figures == [f"http://puente.test/verify/{credential.code}"]


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_certificate_in_two_languages_says_of_each_part_in_which_it_is(app, tmp_path):
    credential = make_credential()
    holder.choose_languages(credential, "fr", "es")
    content = Pdf().make(credential)

    root = require_universal(content, "fr").trailer["/Root"]

    assert b"pdfaid:part" in root["/Metadata"].get_object().get_data()
    said = texts_by_language(root, content, tmp_path)
    for language, texts in {
        "fr": ("ATTESTATION D’ACHÈVEMENT", "Outils de planification", "Rosa Quispe Mamani"),
        "es": ("CERTIFICADO DE FINALIZACIÓN", "Herramientas para la planificación", "Mapear los"),
        "en": ("Map the actors of a territory",),  # it has no French, so that English stands there
    }.items():
        for text in texts:
            assert text in said[language]
            assert [one for one in said if text in said[one]] == [language]


@pytest.mark.slow
@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Revoked"),
        ("es", "Revocado"),
        ("fr", "Révoquée"),
        ("pt", "Revogado"),
    ],
)
def test_a_report_on_paper_is_sealed_and_can_be_verified(client, run_jobs, language, said):
    credential = make_credential()
    run_jobs()  # the first PDF makes the key of the seal
    revoke.revoke(credential, RevocationReason.OTHER, None, make_administrator().id)

    answer = client.get(f"/verify/{credential.code}/report.pdf?lang={language}")

    assert answer.content_type == "application/pdf"
    reader = require_universal(answer.data, language)
    text = " ".join(reader.pages[0].extract_text().split())
    for part in (credential.code, said, "Rosa Quispe Mamani", "did:web:puente.test"):
        assert part in text
    assert judge(answer.data, client.get("/.well-known/seal.pem").text).bottom_line
    upload = {"by-file-file": (io.BytesIO(answer.data), "report.pdf")}
    page = client.post("/verify/file", data=upload, content_type="multipart/form-data")
    assert "This report is genuine" in page.text


def test_a_report_on_paper_of_a_hidden_name_does_not_tell_it(client, run_jobs):
    credential = make_credential(user=make_user(name="Ana Flores"))
    run_jobs()
    holder.choose_shown(credential, shows_name=False, shows_grade=True)

    answer = client.get(f"/verify/{credential.code}/report.pdf")

    text = PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
    assert "A. F." in text
    assert "Flores" not in text


def test_looking_for_a_report_makes_no_key_and_tells_nothing_of_unknown_codes(client):
    credential = make_credential()

    assert client.get(f"/verify/{credential.code}/report.pdf").status_code == 404
    assert client.get("/verify/PU-7K3M-Q9TD-24XB-W0HR/report.pdf").status_code == 404


def test_many_verdicts_on_paper_are_for_the_officer_who_asked(client, signed_in, run_jobs):
    credential = make_credential()
    run_jobs()
    officer = make_officer()
    batch = verify_table(officer, [Asked(credential.code, "Rosa Quispe Mamani"), Asked("PU-1")])
    address = f"/verify/many/{batch.token}/report.pdf"

    assert client.get(address).status_code == 302
    assert signed_in(make_user()).get(address).status_code == 403
    assert signed_in(make_officer()).get(address).status_code == 404
    answer = signed_in(officer).get(address)
    text = " ".join(PdfReader(io.BytesIO(answer.data)).pages[0].extract_text().split())
    assert answer.status_code == 200
    assert "Same name" in text
    assert "Rosa Quispe" not in text
