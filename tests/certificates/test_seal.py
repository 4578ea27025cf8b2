"""The seal on the PDF, judged by pyHanko's validator and by Poppler."""

from __future__ import annotations

import io
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import tsp, x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import (
    BasicConstraints,
    CertificateBuilder,
    ExtendedKeyUsage,
    KeyUsage,
    Name,
    NameAttribute,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from lms.certificates import pdf_seal
from lms.certificates.credential_formats.pdf import Pdf
from lms.certificates.models import KeyUse
from lms.certificates.services import keys
from tests.factories.certificates import make_credential

pytestmark = pytest.mark.slow


def judge(content: bytes, pem: str):
    """pyHanko's verdict, trusting only the published certificates."""
    roots = list(load_certs_from_pemder_data(pem.encode()))
    [signature] = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures
    return validate_pdf_signature(
        signature,
        ValidationContext(trust_roots=roots),
        key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
    )


@pytest.fixture
def sealed(app) -> tuple[bytes, str]:
    credential = make_credential()
    return Pdf().make(credential), credential.document


def test_an_independent_validator_accepts_the_seal(client, sealed):
    content, _document = sealed
    pem = client.get("/.well-known/seal.pem").text

    verdict = judge(content, pem)

    assert verdict.bottom_line
    assert verdict.trusted
    assert verdict.docmdp_ok
    assert verdict.modification_level == ModificationLevel.NONE
    assert verdict.pkcs7_signature_mechanism == "sha256_ecdsa"
    signature = PdfFileReader(io.BytesIO(content)).embedded_regular_signatures[0]
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    san = signature.signer_cert.subject_alt_name_value.native
    assert san == ["did:web:puente.test"]


def test_the_sealed_page_is_still_pdf_a_with_the_credential_as_its_source(sealed):
    content, document = sealed
    reader = PdfFileReader(io.BytesIO(content))
    catalog = reader.root

    metadata = catalog["/Metadata"].data
    assert b'pdfaid:part="3"' in metadata or b"<pdfaid:part>3<" in metadata
    assert b'pdfaid:conformance="A"' in metadata or b"<pdfaid:conformance>A<" in metadata
    assert catalog["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalog
    attached = catalog["/AF"][0].get_object()
    assert attached["/AFRelationship"] == "/Source"
    assert attached["/EF"]["/F"].get_object().data.decode() == document
    widget = catalog["/AcroForm"]["/Fields"][0].get_object()
    assert widget["/F"] & 0b100  # printed, and not hidden, as PDF/A asks
    assert not widget["/F"] & 0b100010
    left, bottom, right, top = widget["/Rect"]
    assert (right - left, top - bottom) == (0, 0)  # no appearance, as PDF/A allows for such a one
    assert left < 0  # off the page, as PDF/UA asks of what stands outside of the structure


@pytest.mark.parametrize("place", [0.05, 0.3, 0.6])
def test_an_altered_page_is_refused(client, sealed, place):
    content, _document = sealed
    at = int(len(content) * place)
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    try:
        verdict = judge(changed, client.get("/.well-known/seal.pem").text)
    except Exception:  # so broken that it cannot even be read
        return
    assert not verdict.bottom_line


def test_a_later_addition_is_refused(client, sealed):
    content, _document = sealed
    writer = IncrementalPdfFileWriter(io.BytesIO(content))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    page["/Rotate"] = writer.add_object(writer.trailer["/Root"]["/Pages"]["/Count"])
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)

    verdict = judge(out.getvalue(), client.get("/.well-known/seal.pem").text)

    assert not verdict.bottom_line


def test_the_seal_of_a_stranger_is_not_trusted(client, app):
    credential = make_credential()
    Pdf().make(credential)  # makes our own key
    theirs, private = pdf_seal.make_certified_key("Puente", "did:web:x", datetime.now(UTC))
    forged = pdf_seal.seal_pdf(
        Pdf().draw(credential), theirs, pdf_seal.open_key(private), name="Puente"
    )

    verdict = judge(forged, client.get("/.well-known/seal.pem").text)

    assert verdict.intact
    assert not verdict.trusted


def pdfsig(content: bytes, folder: Path) -> str:
    if not shutil.which("pdfsig"):
        pytest.skip("pdfsig is not installed")
    path = folder / "sealed.pdf"
    path.write_bytes(content)
    done = subprocess.run(["pdfsig", path], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def test_poppler_accepts_the_seal_and_refuses_a_changed_page(sealed, tmp_path):
    content, _document = sealed
    said = pdfsig(content, tmp_path)
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said

    at = content.index(b"/Title") + 8
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]

    assert "Signature is Valid" not in pdfsig(changed, tmp_path)


def test_pages_of_before_a_rotation_stay_sealed(client, app):
    credential = make_credential()
    before = Pdf().make(credential)
    keys.rotate()
    after = Pdf().make(credential)

    pem = client.get("/.well-known/seal.pem").text

    assert pem.count("BEGIN CERTIFICATE") == 2
    assert judge(before, pem).bottom_line
    assert judge(after, pem).bottom_line


class Authority:
    """A time-stamping authority that answers over HTTP, with its own root certificate."""

    def __init__(self, folder: Path) -> None:
        key = rsa.generate_private_key(65537, 2048)
        name = Name([NameAttribute(NameOID.COMMON_NAME, "Time authority of the tests")])
        now = datetime.now(UTC)
        usage = KeyUsage(True, True, *[False] * 7)
        certificate = (
            CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
            .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=900))
            .add_extension(BasicConstraints(False, None), True)
            .add_extension(usage, True)
            .add_extension(ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
            .sign(key, SHA256())
        )  # fmt: skip
        self.roots = folder / "roots.pem"
        self.roots.write_bytes(certificate.public_bytes(Encoding.PEM))
        stamper = DummyTimeStamper(
            x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
            asn1_keys.PrivateKeyInfo.load(
                key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            ),
            SimpleCertificateStore(),
        )

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                answer = stamper.request_tsa_response(tsp.TimeStampReq.load(asked)).dump()
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("has_roots", [False, True])
def test_a_time_stamping_authority_makes_the_seal_last(app, authority, has_roots):
    credential = make_credential()
    key = keys.signing_key(KeyUse.SEAL)
    content = pdf_seal.seal_pdf(
        Pdf().draw(credential),
        key.public_key,
        keys._opened_seal(key.private_key_sealed),
        name="Puente",
        tsa_url=authority.url,
        tsa_roots=authority.roots if has_roots else None,
    )

    reader = PdfFileReader(io.BytesIO(content))
    assert judge(content, key.public_key + authority.roots.read_text()).timestamp_validity.valid
    assert ("/DSS" in reader.root) is has_roots
    assert len(reader.embedded_timestamp_signatures) == has_roots
