"""What goes over the wire for a page: its own bytes, and what it needs besides, compressed."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass
from urllib.parse import urljoin

import brotli  # type: ignore[import-untyped]

from benchmarks.pages import Request

_NEEDED = re.compile(
    r'<(?:link[^>]+rel="(?:stylesheet|icon)"[^>]*|script[^>]+src=[^>]*|img[^>]+src=[^>]*)>'
)
_ADDRESS = re.compile(r'(?:href|src)="([^"]+)"')
_IN_STYLE = re.compile(r"url\(\"?([^)\"]+)\"?\)")
_IMPORTED = re.compile(r"""(?:from|import)\s*["']([^"']+)["']""")


@dataclass(frozen=True)
class Weight:
    """Bytes as sent: of the page alone, and with all that a first visit fetches."""

    page: int
    first_visit: int


def weigh(base_url: str, request: Request) -> Weight:
    """Fetch a page and what it names."""
    size, text = _fetch(base_url + request.path, request.headers)
    total, seen = size, set()
    waiting = [
        address
        for tag in _NEEDED.findall(text)
        for address in _ADDRESS.findall(tag)
        if not address.startswith("data:")
    ]
    waiting = [urljoin(base_url, address) for address in waiting]
    while waiting:
        address = waiting.pop()
        if address in seen or not address.startswith(base_url):
            continue
        seen.add(address)
        more, content = _fetch(address, {})
        total += more
        found = _IN_STYLE.findall(content) if address.endswith(".css") else []
        found += _IMPORTED.findall(content) if address.endswith(".js") else []
        waiting += [urljoin(address, one) for one in found if not one.startswith("data:")]
    return Weight(size, total)


def _fetch(address: str, headers: dict[str, str]) -> tuple[int, str]:
    """The bytes of a body as sent, and its text."""
    asked = {"Accept-Encoding": "br", "Accept": "text/html,*/*", **headers}
    with urllib.request.urlopen(urllib.request.Request(address, headers=asked)) as answer:
        body: bytes = answer.read()
        is_compressed = answer.headers.get("Content-Encoding") == "br"
    plain = brotli.decompress(body) if is_compressed else body
    return len(body), plain.decode("utf-8", "replace")
