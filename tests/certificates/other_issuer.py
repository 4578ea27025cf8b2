"""An issuer elsewhere: its identity, status list and credentials, served on this machine."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lms.certificates.data_integrity import (
    CREDENTIALS_V2,
    OPEN_BADGES_3,
    multikey,
    sign,
)
from lms.core import clock


class OtherIssuer:
    """What it publishes is a plain dictionary of texts that a test may change."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.did = f"did:web:localhost%3A{port}:school"
        self.key = Ed25519PrivateKey.generate()
        self.method = f"{self.did}#k1"
        self.bits = bytearray(16_384)
        self.published: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.list_address = f"http://localhost:{port}/status/1"
        self.publish()

    def publish(self, **changed: Any) -> None:
        """Publish identity and status list as they are now."""
        identity = {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": self.did,
            "verificationMethod": [
                {
                    "id": self.method,
                    "type": "Multikey",
                    "controller": self.did,
                    "publicKeyMultibase": multikey(self.key.public_key()),
                }
            ],
            "assertionMethod": [self.method],
        }
        self.published["/school/did.json"] = json.dumps({**identity, **changed}).encode()
        self.publish_list()

    def publish_list(self, *, issuer: str = "", key: Any = None, method: str = "", **changed: Any):
        """Publish the status list; values as somebody else might have them."""
        document = {
            "@context": [CREDENTIALS_V2],
            "id": self.list_address,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": issuer or self.did,
            "validUntil": "2999-01-01T00:00:00Z",
            "credentialSubject": {
                "id": f"{self.list_address}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": "u"
                + base64.urlsafe_b64encode(gzip.compress(self.bits)).decode().rstrip("="),
            },
            **changed,
        }
        signed = sign(document, key or self.key, method or self.method, clock.now())
        self.published["/status/1"] = json.dumps(signed).encode()

    def revoke(self, index: int) -> None:
        self.bits[index // 8] |= 1 << (7 - index % 8)
        self.publish_list()

    def document(self, **changed: Any) -> dict[str, Any]:
        """A credential without proof."""
        made = {
            "@context": [CREDENTIALS_V2, OPEN_BADGES_3],
            "id": "urn:uuid:7c4bb9cf-1dd9-4a3c-8b49-6b7f2c7f2f11",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": "Soil science",
            "issuer": {"id": self.did, "type": ["Profile"], "name": "School of the Plain"},
            "validFrom": "2026-01-01T00:00:00Z",
            "credentialSubject": {
                "id": "urn:uuid:a1cc054d-53d2-5e7c-895a-b09645ee6229",
                "type": ["AchievementSubject"],
                "creditsEarned": 12.5,
                "identifier": [
                    {
                        "type": "IdentityObject",
                        "identityType": "name",
                        "hashed": False,
                        "identityHash": "Zoé Ñaupari",
                    }
                ],
                "achievement": {
                    "id": "https://school.example/achievements/1",
                    "type": ["Achievement"],
                    "name": "Soil science, level 2",
                    "description": "About soils.",
                    "criteria": {"narrative": "An examination was passed."},
                },
            },
            "credentialStatus": {
                "id": f"{self.list_address}#7",
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "7",
                "statusListCredential": self.list_address,
            },
            **changed,
        }
        return {name: value for name, value in made.items() if value is not None}

    def credential(self, **changed: Any) -> dict[str, Any]:
        """A credential with a Data Integrity proof."""
        return sign(self.document(**changed), self.key, self.method, clock.now())


@contextmanager
def served() -> Iterator[OtherIssuer]:
    """An issuer whose documents are served until the end."""
    holder: list[OtherIssuer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer = holder[0]
            issuer.asked.append(self.path)
            found = issuer.published.get(self.path)
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    holder.append(OtherIssuer(server.server_port))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield holder[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
