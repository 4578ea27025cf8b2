"""An association's own keys: made, used, exported and taken back by its officers alone.

The private half is encrypted with a passphrase that is kept nowhere, and then sealed with the
site's secret like the issuer's keys: the database, the secret, or both sign nothing by themselves.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime
from typing import Any

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lms.accounts.models import User
from lms.certificates.data_integrity import multikey
from lms.certificates.models import KeyUse
from lms.certificates.open_badge import issuer_did
from lms.certificates.seal import seal, unseal
from lms.certificates.services import keys
from lms.certificates.services.key_backup import COST, passphrase_box
from lms.certificates.verifier.issuers import Issuer, issuer_of_document
from lms.core import audit, clock
from lms.core.db import db
from lms.core.errors import NotFound
from lms.directory.models import Organisation
from lms.recognition import queries
from lms.recognition.errors import BodyKeysUnreadable, NoBodyKey, WrongPassphrase
from lms.recognition.models import BodyKey

FORMAT = "puente-association-keys"
SHAPE = 1
SHORTEST = 12  # signs of a passphrase


def body_did(association: Organisation) -> str:
    """The association's identity: did:web under the site's address."""
    return f"{issuer_did()}:bodies:{association.slug}"


def key_address(key: BodyKey) -> str:
    """The DID URL of a key."""
    return f"{body_did(key.association)}#{key.kid}"


def make_key(association: Organisation, actor: User, passphrase: str) -> BodyKey:
    """A new key that signs from now on; the one before is retired and goes on verifying."""
    for former in queries.list_body_keys(association):
        if former.retired_at is None:
            retire_key(former, actor)
    public, private = keys.make_pair(KeyUse.PROOF)
    made = BodyKey(
        association=association,
        kid=_next_kid(association),
        public_key=public,
        private_key_sealed=_close(private, passphrase),
        made_by_id=actor.id,
    )
    db.session.add(made)
    audit.record("recognition.make_key", association, actor.id, key=made.kid)
    return made


def _next_kid(association: Organisation) -> str:
    taken = {key.kid for key in queries.list_body_keys(association)}
    year = clock.now().year
    number = 1
    while f"ed-{year}-{number}" in taken:
        number += 1
    return f"ed-{year}-{number}"


def _close(private: bytes, passphrase: str) -> str:
    salt = secrets.token_bytes(16)
    content = passphrase_box(passphrase, salt).encrypt(private).decode()
    box = {"salt": base64.b64encode(salt).decode(), "scrypt": COST, "content": content}
    return seal(json.dumps(box).encode())


def _open(box: dict[str, Any], passphrase: str) -> bytes:
    opener = passphrase_box(passphrase, base64.b64decode(box["salt"]), box["scrypt"])
    try:
        return opener.decrypt(box["content"].encode())
    except InvalidToken:
        raise WrongPassphrase from None


def open_key(key: BodyKey, passphrase: str) -> Ed25519PrivateKey:
    """The private half. Raises WrongPassphrase, and IssuerKeyUnavailable with another secret."""
    box = json.loads(unseal(key.private_key_sealed))
    return Ed25519PrivateKey.from_private_bytes(_open(box, passphrase))


def signing_key(association: Organisation) -> BodyKey:
    """The key that signs now. Raises NoBodyKey."""
    for key in queries.list_body_keys(association):
        if key.retired_at is None:
            return key
    raise NoBodyKey


def retire_key(key: BodyKey, actor: User, *, withdrawn: bool = False) -> None:
    """Sign no more with this key; it stays published and goes on verifying.

    withdrawn: strangers know it. It is taken out of what is published, so that nothing that it
    signed verifies any more.
    """
    now = clock.now()
    key.retired_at = key.retired_at or now
    if withdrawn:
        key.withdrawn_at = key.withdrawn_at or now
    audit.record(
        "recognition.retire_key", key.association, actor.id, key=key.kid, withdrawn=withdrawn
    )


def did_document(association: Organisation) -> dict[str, object]:
    """The association's DID document. Raises NotFound while it has no key."""
    found = queries.list_body_keys(association)
    if not found:
        raise NotFound
    did = body_did(association)
    return keys.describe_identity(
        did,
        [
            keys.multikey_method(did, key.kid, key.public_key)
            for key in found
            if key.withdrawn_at is None
        ],
    )


def identity_of(association: Organisation) -> Issuer:
    """The association as an issuer, from its own register of keys. Raises NotFound."""
    return issuer_of_document(body_did(association), did_document(association))


def export_keys(association: Organisation, actor: User) -> str:
    """All keys in a file for the safe, each still encrypted with its passphrase.

    Raises NoBodyKey.
    """
    found = queries.list_body_keys(association)
    if not found:
        raise NoBodyKey
    content = [
        {
            "kid": key.kid,
            "public_key": key.public_key,
            "private_key": json.loads(unseal(key.private_key_sealed)),
            "created_at": key.created_at.isoformat(),
            "retired_at": key.retired_at and key.retired_at.isoformat(),
            "withdrawn_at": key.withdrawn_at and key.withdrawn_at.isoformat(),
        }
        for key in found
    ]
    audit.record("recognition.export_keys", association, actor.id, keys=len(content))
    named = {"format": FORMAT, "shape": SHAPE, "issuer": body_did(association)}
    return json.dumps({**named, "keys": content}, indent=2)


def import_keys(
    association: Organisation, actor: User, text: bytes, passphrase: str
) -> list[BodyKey]:
    """Take keys that the passphrase opens from such a file; a known one is sealed anew.

    Whatever signs here now is retired when the file brings another key that signs. Raises
    BodyKeysUnreadable.
    """
    known = {key.kid: key for key in queries.list_body_keys(association)}
    taken: list[BodyKey] = []
    for entry in _read(association, text):
        private = _prove(entry, passphrase)
        if private is None:
            continue
        key = known.get(entry["kid"])
        if key is None:
            key = BodyKey(association=association, kid=entry["kid"], public_key=entry["public_key"])
            for name in ("created_at", "retired_at", "withdrawn_at"):
                value = entry[name]
                setattr(key, name, datetime.fromisoformat(value) if value else None)
            if key.retired_at is None:
                for other in known.values():
                    if other.retired_at is None:
                        retire_key(other, actor)
            db.session.add(key)
        elif key.public_key != entry["public_key"]:
            raise BodyKeysUnreadable
        key.private_key_sealed = _close(private, passphrase)
        taken.append(key)
    if not taken:
        raise BodyKeysUnreadable
    db.session.flush()
    kids = [key.kid for key in taken]
    audit.record("recognition.import_keys", association, actor.id, keys=kids)
    return taken


def _read(association: Organisation, text: bytes) -> list[dict[str, Any]]:
    try:
        file = json.loads(text)
        if file["format"] != FORMAT or file["shape"] != SHAPE:
            raise BodyKeysUnreadable
        if file["issuer"] != body_did(association):
            raise BodyKeysUnreadable
        found: list[dict[str, Any]] = [
            {
                "kid": str(entry["kid"])[:40],
                "public_key": str(entry["public_key"]),
                "private_key": entry["private_key"],
                **{
                    name: entry[name] and datetime.fromisoformat(entry[name]).isoformat()
                    for name in ("created_at", "retired_at", "withdrawn_at")
                },
            }
            for entry in file["keys"][:50]
        ]
    except (ValueError, KeyError, TypeError):
        raise BodyKeysUnreadable from None
    return found


def _prove(entry: dict[str, Any], passphrase: str) -> bytes | None:
    """The private half, when the passphrase opens it and it fits the public one."""
    box = entry["private_key"]
    try:
        if box["scrypt"] != COST:  # a stranger's costs could take all memory
            raise BodyKeysUnreadable
        private = _open(box, passphrase)
        public = Ed25519PrivateKey.from_private_bytes(private).public_key()
    except WrongPassphrase:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BodyKeysUnreadable from None
    if multikey(public) != entry["public_key"]:
        raise BodyKeysUnreadable
    return private
