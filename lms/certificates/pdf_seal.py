"""The seal on the PDF of a certificate: an advanced electronic seal of the PAdES family.

Baseline B-B (ETSI EN 319 142-1) with a key and certificate of our own, which needs nothing from
outside. With a time-stamping authority (LMS_TSA_URL) it becomes B-T, and with that authority's
root certificates too (LMS_TSA_ROOTS) B-LTA: what is needed to check it in many years lies inside.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from asn1crypto import pem, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509 import (
    BasicConstraints,
    CertificateBuilder,
    KeyUsage,
    Name,
    NameAttribute,
    SubjectAlternativeName,
    SubjectKeyIdentifier,
    UniformResourceIdentifier,
    random_serial_number,
)
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.timestamps import HTTPTimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

FIELD = "Seal"
VALID_FOR = timedelta(days=3650)
LONGEST_NAME = 64  # of a certificate's subject (X.520)
SECONDS_FOR_TIME_STAMP = 20


def make_certified_key(name: str, address: str, now: datetime) -> tuple[str, bytes]:
    """A new ECDSA key on P-256: its self-made certificate as PEM, and the private half in DER.

    name: of the site. address: the issuer's identity, for who compares.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = Name(
        [
            NameAttribute(NameOID.ORGANIZATION_NAME, name[:LONGEST_NAME]),
            NameAttribute(NameOID.COMMON_NAME, f"{name[: LONGEST_NAME - 15]} – certificates"),
        ]
    )
    certificate = (
        CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALID_FOR)
        .add_extension(BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_for_documents(), critical=True)
        .add_extension(SubjectAlternativeName([UniformResourceIdentifier(address)]), critical=False)
        .add_extension(SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), private


def _for_documents() -> KeyUsage:
    return KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


class _Sealer(Signer):
    """Signs with a key that is already in memory: loading one takes longer than to sign."""

    def __init__(self, certificate: str, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        super().__init__(
            signing_cert=_read_certificate(certificate),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        """One signature over the CMS attributes."""
        if digest_algorithm != "sha256":
            raise NotImplementedError(digest_algorithm)
        return self._key.sign(data, ec.ECDSA(SHA256(), deterministic_signing=True))


def _read_certificate(text: str) -> x509.Certificate:
    _kind, _headers, content = pem.unarmor(text.encode())
    return x509.Certificate.load(content)


def open_key(private: bytes) -> ec.EllipticCurvePrivateKey:
    """The private half from DER."""
    key = load_der_private_key(private, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def seal_pdf(
    content: bytes,
    certificate: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    name: str,
    tsa_url: str | None = None,
    tsa_roots: Path | None = None,
) -> bytes:
    """The PDF with a seal that certifies it: no change to it is allowed afterwards.

    name: who seals, for readers of PDF. The seal cannot be seen on the page.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(content), strict=False)
    long_term: dict[str, Any] = {}
    if tsa_url and tsa_roots:
        long_term = {
            "embed_validation_info": True,
            "use_pades_lta": True,
            "validation_context": _trusting(certificate, tsa_roots),
        }
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        name=name,
        **long_term,
    )
    signer = PdfSigner(
        metadata,
        _Sealer(certificate, key),
        timestamper=HTTPTimeStamper(tsa_url, timeout=SECONDS_FOR_TIME_STAMP) if tsa_url else None,
        # off the page, as PDF/UA leaves no field out of the structure that could be seen on it
        new_field_spec=SigFieldSpec(
            FIELD,
            readable_field_name=name,
            invis_sig_settings=InvisSigSettings(box_out_of_bounds=True),
        ),
    )
    sealed = signer.sign_pdf(writer, in_place=False)
    made: bytes = sealed.getvalue()
    return made


def _trusting(certificate: str, roots: Path) -> ValidationContext:
    return ValidationContext(
        trust_roots=[_read_certificate(certificate), *_read_roots(roots)],
        allow_fetching=True,
        revocation_mode="soft-fail",
    )


@lru_cache(maxsize=4)
def _read_roots(path: Path) -> tuple[x509.Certificate, ...]:
    found = pem.unarmor(path.read_bytes(), multiple=True)
    return tuple(x509.Certificate.load(content) for _kind, _headers, content in found)
