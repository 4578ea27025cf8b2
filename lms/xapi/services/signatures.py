"""Signed statements: a JWS among the attachments says the same as the statement (1.0.3, 2.6)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from lms.xapi.errors import StatementRefused
from lms.xapi.json_text import NotJson, decode, read_one
from lms.xapi.services.sameness import is_same
from lms.xapi.validation import check_statement

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
_ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}


def check_signature(
    statement: Mapping[str, Any],
    attachment: Mapping[str, Any],
    content: bytes,
    path: str,
    index: int | None,
) -> None:
    """Raise StatementRefused unless a signature is a JWS of the statement that it comes with.

    A certificate in it must have made it; nobody asks who vouches for the certificate.
    """
    try:
        if attachment["contentType"] != "application/octet-stream":
            raise NotJson("must have the content type application/octet-stream")
        header, payload, signed, signature = _split(content)
        algorithm = _ALGORITHMS.get(str(header.get("alg")))
        if algorithm is None:
            raise NotJson(f"must use one of {', '.join(_ALGORITHMS)}")
        if "x5c" in header:
            _verify(header["x5c"], algorithm, signed, signature)
    except NotJson as error:
        raise StatementRefused(path, f"as a signature: {error}", index) from None
    try:
        check_statement(payload, version="2.0.0")
    except StatementRefused as refused:
        raise StatementRefused(path, f"signs no statement: {refused}", index) from None
    if not is_same(payload, statement):
        raise StatementRefused(path, "signs another statement", index)


def _split(content: bytes) -> tuple[dict[str, Any], Any, bytes, bytes]:
    """Header, payload, what was signed, and the signature, of a JWS in its compact form."""
    parts = content.strip().split(b".")
    if len(parts) != 3:
        raise NotJson("is not a JWS in its compact form")
    header = _json(parts[0], "header")
    if not isinstance(header, dict):
        raise NotJson("has a header that is not an object")
    return header, _json(parts[1], "payload"), parts[0] + b"." + parts[1], _decoded(parts[2])


def _decoded(part: bytes) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotJson("is not written in base64url") from None


def _json(part: bytes, name: str) -> Any:
    try:
        return read_one(decode(_decoded(part))).value
    except NotJson as error:
        raise NotJson(f"its {name} {error}") from None


def _verify(chain: Any, algorithm: hashes.HashAlgorithm, signed: bytes, signature: bytes) -> None:
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        raise NotJson("has no certificate in x5c")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(chain[0]))
        public_key = certificate.public_key()
    except ValueError:
        raise NotJson("has a certificate in x5c that cannot be read") from None
    if not isinstance(public_key, RSAPublicKey):
        raise NotJson("has a certificate in x5c that is not of an RSA key")
    try:
        public_key.verify(signature, signed, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise NotJson("was not made by the certificate in its x5c") from None
