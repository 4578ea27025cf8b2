"""HTTP to addresses that people type in: the one place that keeps it out of the own network.

An address must be https. Its host is looked up once, every address found is checked, and the
connection goes to one that was checked: a name that answers differently the second time gains
nothing. Redirects are not followed. `LMS_PRIVATE_ADDRESSES` opens the own network; plain http goes
to this machine alone, and only in the demo and while debugging.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

from flask_babel import lazy_gettext

from lms.core.errors import DomainError
from lms.core.settings import settings

_ANSWER_AT_MOST = 64 * 1024  # bytes that are read of an answer

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(DomainError):
    """An address to which Puente does not connect."""

    status = 422


@dataclass(frozen=True)
class Answer:
    """What the other side answered; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_address(url: str) -> None:
    """Raise AddressRefused unless Puente would connect there; looks up no name."""
    _read(url)


def _read(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefused(lazy_gettext("This is not an address.")) from None
    if not host or port == 0 or any(sign <= " " or sign == "\x7f" for sign in url):
        raise AddressRefused(lazy_gettext("This is not an address."))
    if parts.username or parts.password:
        raise AddressRefused(lazy_gettext("Leave name and password out of the address."))
    literal = _literal(host)
    is_here = host == "localhost" or (literal is not None and _plain(literal).is_loopback)
    if parts.scheme == "http" and not (is_here and _opens_this_machine()):
        raise AddressRefused(lazy_gettext("The address must begin with https://."))
    if parts.scheme not in ("http", "https"):
        raise AddressRefused(lazy_gettext("The address must begin with https://."))
    if literal is not None:
        _check(literal)
    elif host == "localhost":
        _check(ipaddress.IPv4Address("127.0.0.1"))
    return parts


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _opens_this_machine() -> bool:
    return settings().debug or settings().demo


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in ipaddress.ip_network("64:ff9b::/96"):  # NAT64 (RFC 6052)
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _check(address: Address) -> None:
    """Raise AddressRefused for what is not an address of the public network."""
    plain = _plain(address)
    if settings().private_addresses or (plain.is_loopback and _opens_this_machine()):
        return
    if not plain.is_global or plain.is_multicast:
        raise AddressRefused(
            lazy_gettext(
                "This address lies in a private network. The setting LMS_PRIVATE_ADDRESSES"
                " allows it."
            )
        )


class _Connection(HTTPConnection):
    """A connection to addresses that were checked, with TLS when there is a context."""

    def __init__(
        self, host: str, port: int, timeout: float, context: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self._context, self._seconds = context, timeout

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        for *_kind, place in found:
            _check(ipaddress.ip_address(str(place[0]).partition("%")[0]))
        problem: OSError = ConnectionError(f"no address for {self.host}")
        for *_kind, place in found:
            try:
                link = socket.create_connection(
                    (str(place[0]), int(place[1])), timeout=self._seconds
                )
            except OSError as error:
                problem = error
                continue
            if self._context is not None:
                link = self._context.wrap_socket(link, server_hostname=self.host)
            self.sock = link
            return
        raise problem


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def send(
    method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = 30
) -> Answer:
    """Send one request; `timeout` in seconds, for each wait.

    Raises AddressRefused when the host is one that Puente does not connect to, OSError when the
    other side is away or does not speak HTTP.
    """
    parts = _read(url)
    is_https = parts.scheme == "https"
    host = parts.hostname or ""
    connection = _Connection(
        host, parts.port or (443 if is_https else 80), timeout, _tls() if is_https else None
    )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        text = answer.read(_ANSWER_AT_MOST)
        return Answer(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
        )
    except HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
    finally:
        connection.close()
