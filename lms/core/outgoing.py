"""HTTP to addresses that people type in: the one place that keeps it out of the own network.

An address must be https. Its host is looked up once, every address found is checked, and the
connection goes to one that was checked: a name that answers differently the second time gains
nothing. Redirects are not followed. `LMS_PRIVATE_ADDRESSES` opens the own network; plain http goes
to this machine alone, and only in the demo and while debugging.

What strangers make Puente fetch (`fetch`) never reaches the own network, whatever is set for
administrators; only `LMS_VERIFY_LOCAL`, meant for trials, opens this machine to it.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from flask_babel import lazy_gettext

from lms.core.errors import DomainError
from lms.core.settings import settings

_ANSWER_AT_MOST = 64 * 1024  # bytes that are read of an answer
_TRIED_AT_MOST = 4  # addresses of one name

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(DomainError):
    """An address to which Puente does not connect."""

    status = 422


class TooMuch(OSError):
    """An answer is longer, or takes longer, than what was allowed."""


@dataclass(frozen=True)
class _Reach:
    """How far a request may go: private networks, and this machine without TLS."""

    private: bool
    this_machine: bool


def _of_administrators() -> _Reach:
    return _Reach(settings().private_addresses, settings().debug or settings().demo)


def _of_strangers() -> _Reach:
    return _Reach(False, settings().verify_local)


@dataclass(frozen=True)
class Answer:
    """What the other side answered; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_address(url: str, *, for_strangers: bool = False) -> None:
    """Raise AddressRefused unless Puente would connect there; looks up no name.

    for_strangers: whether somebody gave the address who does not administer the site.
    """
    _read(url, _of_strangers() if for_strangers else _of_administrators())


def _read(url: str, reach: _Reach) -> SplitResult:
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
    if parts.scheme == "http" and not (is_here and reach.this_machine):
        raise AddressRefused(lazy_gettext("The address must begin with https://."))
    if parts.scheme not in ("http", "https"):
        raise AddressRefused(lazy_gettext("The address must begin with https://."))
    if literal is not None:
        _check(literal, reach)
    elif host == "localhost":
        _check(ipaddress.IPv4Address("127.0.0.1"), reach)
    return parts


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in ipaddress.ip_network("64:ff9b::/96"):  # NAT64 (RFC 6052)
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _check(address: Address, reach: _Reach) -> None:
    """Raise AddressRefused for what is not an address of the public network."""
    plain = _plain(address)
    if reach.private or (plain.is_loopback and reach.this_machine):
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
        self,
        host: str,
        port: int,
        timeout: float,
        context: ssl.SSLContext | None,
        reach: _Reach,
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self._context, self._seconds, self._reach = context, timeout, reach
        self.is_cut = False

    def cut(self) -> None:
        """End it from another thread, whatever it waits for."""
        self.is_cut = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def connect(self) -> None:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        for *_kind, place in found:
            _check(ipaddress.ip_address(str(place[0]).partition("%")[0]), self._reach)
        problem: OSError = ConnectionError(f"no address for {self.host}")
        for *_kind, place in found[:_TRIED_AT_MOST]:
            try:
                link = socket.create_connection(
                    (str(place[0]), int(place[1])), timeout=self._seconds
                )
            except OSError as error:
                problem = error
                continue
            self.sock = link
            if self._context is not None:
                wrapped = self._context.wrap_socket(
                    link, server_hostname=self.host, do_handshake_on_connect=False
                )
                self.sock = wrapped
                wrapped.do_handshake()
            return
        raise problem


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def send(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float = 30,
    for_strangers: bool = False,
) -> Answer:
    """Send one request; `timeout` in seconds, for each wait. for_strangers: see `check_address`.

    Raises AddressRefused when the host is one that Puente does not connect to, OSError when the
    other side is away or does not speak HTTP.
    """
    reach = _of_strangers() if for_strangers else _of_administrators()
    connection, target = _connect(url, timeout, reach)
    try:
        connection.request(method, target, body, dict(headers))
        return _answer(connection.getresponse(), _ANSWER_AT_MOST)
    except HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
    finally:
        connection.close()


def _connect(url: str, timeout: float, reach: _Reach) -> tuple[_Connection, str]:
    """The connection, not yet opened, and what to ask for on it."""
    parts = _read(url, reach)
    is_https = parts.scheme == "https"
    connection = _Connection(
        parts.hostname or "",
        parts.port or (443 if is_https else 80),
        timeout,
        _tls() if is_https else None,
        reach,
    )
    return connection, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _answer(answer: HTTPResponse, at_most: int) -> Answer:
    text = answer.read(at_most)
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)


def fetch(url: str, *, at_most: int, seconds: float, accept: str = "*/*") -> bytes:
    """What a public address holds, for strangers: at most `at_most` bytes within `seconds`.

    Nothing but an answer of status 200 counts; redirects are not followed. Raises AddressRefused
    when the host is one that strangers cannot make Puente connect to, TooMuch when the answer is
    too long or too slow, OSError when the other side is away or answers otherwise.
    """
    connection, target = _connect(url, seconds, _of_strangers())
    watch = Timer(seconds, connection.cut)  # a head that drips would renew each wait
    watch.start()
    try:
        connection.request("GET", target, headers={"Accept": accept, "User-Agent": "Puente"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ConnectionError(f"answered {answer.status}")
        body = answer.read(at_most + 1)
        if connection.is_cut:
            raise TooMuch("too slow")
        if len(body) > at_most:
            raise TooMuch("too long")
        return body
    except HTTPException as error:
        raise ConnectionError(f"no answer in HTTP: {type(error).__name__}") from error
    finally:
        watch.cancel()
        connection.close()
