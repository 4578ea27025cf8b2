"""How programs register (RFC 7591, in the profile of Open Badges 3.0, 8.2.1): without a token, but
with https addresses of one host alone, which the holder is shown before anything is shared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, exists

from lms.certificates.badge_api.models import BadgeClient, BadgeConnection
from lms.certificates.badge_api.scopes import OFFERED
from lms.certificates.badge_api.secrets import digest_of, make_secret
from lms.core import clock
from lms.core.db import db

UNUSED_FOR = timedelta(days=30)
LONGEST = 1_000  # signs of an address
MOST_ADDRESSES = 10
_TEXTS = {"client_name": 80, "software_id": 200, "software_version": 100}
_ADDRESSES = ("client_uri", "logo_uri", "tos_uri", "policy_uri")
_GRANTS = {"authorization_code", "refresh_token"}
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.[a-z][a-z0-9-]{1,62}")


class RegistrationRefused(Exception):
    """A registration that does not hold. error: one of RFC 7591, 3.2.2; text: in ASCII."""

    def __init__(self, error: str, text: str) -> None:
        self.error, self.text = error, text
        super().__init__(error)


def register(asked: Mapping[str, Any]) -> tuple[BadgeClient, str]:
    """Keep a client; gives its secret, which is not kept. Raises RegistrationRefused."""
    said = _texts(asked) | _choices(asked)
    said["redirect_uris"] = _redirects(asked)
    hosts = {_host(said[name], name) for name in _ADDRESSES}
    hosts |= {_host(address, "redirect_uris") for address in said["redirect_uris"]}
    if len(hosts) != 1:
        raise _refused("all addresses must have the same host name")
    secret = make_secret()
    client = BadgeClient(
        client_id=make_secret()[:22],
        secret_digest=digest_of(secret),
        name=said["client_name"],
        host=hosts.pop(),
        registration=said,
    )
    db.session.add(client)
    db.session.flush()
    return client, secret


def _refused(text: str, error: str = "invalid_client_metadata") -> RegistrationRefused:
    return RegistrationRefused(error, text)


def _texts(asked: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, longest in (_TEXTS | dict.fromkeys(_ADDRESSES, LONGEST)).items():
        value = asked.get(name)
        text = " ".join(value.split()) if isinstance(value, str) else ""
        if not text or len(text) > longest or not text.isprintable():
            raise _refused(f"{name} is missing, too long or not a text")
        found[name] = text
    return found


def _choices(asked: Mapping[str, Any]) -> dict[str, Any]:
    method = asked.get("token_endpoint_auth_method", "client_secret_basic")
    if method != "client_secret_basic":
        raise _refused("token_endpoint_auth_method must be client_secret_basic")
    grants = asked.get("grant_types", ["authorization_code"])
    if not _is_list(grants) or not set(grants) <= _GRANTS or "authorization_code" not in grants:
        raise _refused("grant_types may hold authorization_code and refresh_token")
    if asked.get("response_types", ["code"]) != ["code"]:
        raise _refused("response_types must be code")
    scope = asked.get("scope")
    known = [name for name in OFFERED if name in str(scope).split()]
    if not isinstance(scope, str) or not known:
        raise _refused("scope names nothing that is offered")
    return {
        "token_endpoint_auth_method": method,
        "grant_types": list(grants),
        "response_types": ["code"],
        "scope": " ".join(known),
    }


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _redirects(asked: Mapping[str, Any]) -> list[str]:
    found = asked.get("redirect_uris")
    if not isinstance(found, list) or not _is_list(found) or not 0 < len(found) <= MOST_ADDRESSES:
        raise _refused("redirect_uris must be a list", "invalid_redirect_uri")
    return list(found)


def _host(address: str, name: str) -> str:
    """The host of an https address without tricks. Raises RegistrationRefused."""
    error = "invalid_redirect_uri" if name == "redirect_uris" else "invalid_client_metadata"
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused(f"{name} is not an address", error) from None
    is_plain = address.isascii() and not any(sign in address for sign in " \\\t\r\n")
    is_bare = parts.username is None and parts.password is None and not parts.fragment
    if parts.scheme != "https" or not is_plain or not is_bare or len(address) > LONGEST:
        raise _refused(f"{name} must be an https address", error)
    if not _HOST.fullmatch(host):
        raise _refused(f"{name} must name a host of the public network", error)
    return host


def forget_unused() -> int:
    """Delete clients that registered a month ago and that nobody is connected to."""
    old = BadgeClient.created_at < clock.now() - UNUSED_FOR
    used = exists().where(BadgeConnection.client_id == BadgeClient.id)
    gone = db.session.execute(
        delete(BadgeClient).where(old, ~used).execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
