"""The readers: a process of its own that keeps N connections busy and notes how long answers take.

`python -m benchmarks.load REQUESTS.json` reads one order a line from its input and answers each
with one line: see `Order` and `Outcome`. Each reader sends its next request as soon as the answer
to the last one has come (a closed loop), over a connection that stays open.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from time import perf_counter
from typing import Any


@dataclass(frozen=True)
class Order:
    """Ask for the requests of `page` with `readers` connections, for `seconds`."""

    port: int
    page: str
    readers: int
    seconds: float


@dataclass
class Outcome:
    """What came of an order. times: seconds of each answer; sizes: bytes of bodies as sent."""

    page: str = ""
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    errors: int = 0
    first_error: str | None = None
    queries: int = 0  # the most that one request took
    bytes: int = 0  # of all bodies


def as_bytes(request: dict[str, Any]) -> bytes:
    """A request as it goes over the wire; see `benchmarks.pages.Request`."""
    body = (request.get("body") or "").encode()
    lines = [
        f"{request['method']} {request['path']} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept: text/html",
        "Accept-Encoding: br",
        "Accept-Language: en",
        *(f"{name}: {value}" for name, value in request.get("headers", {}).items()),
    ]
    if request["method"] == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Supply:
    """The requests of a page, one after the other: again from the start, or each only once."""

    def __init__(self, requests: list[tuple[bytes, int]], is_endless: bool) -> None:
        self._source: Iterator[tuple[bytes, int]] = (
            cycle(requests) if is_endless else iter(requests)
        )

    def next(self) -> tuple[bytes, int] | None:
        """The next request with the status it must have; None when there are no more."""
        return next(self._source, None)


class Reader(asyncio.Protocol):
    """One connection."""

    def __init__(self, supply: Supply, outcome: Outcome, until: float) -> None:
        self.supply = supply
        self.outcome = outcome
        self.until = until
        self.done = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.body_at = -1  # where the body begins in the buffer; -1: the head is not whole yet
        self.length = 0
        self.status = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self.transport: Any = transport
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Count it as an error when the reader was not done."""
        if not self.done.done():
            self._fail(f"connection lost: {error}")
            self.done.set_result(None)

    def _send(self) -> None:
        request = None if perf_counter() >= self.until else self.supply.next()
        if request is None:
            self.done.set_result(None)
            self.transport.close()
            return
        content, self.status = request
        self.started = perf_counter()
        self.transport.write(content)

    def data_received(self, data: bytes) -> None:
        """Go on with the next request once the answer is whole."""
        self.buffer += data
        if self.body_at < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.body_at = end + 4
            self._read_head(self.buffer[:end].lower())
        if len(self.buffer) - self.body_at >= self.length:
            self.outcome.times.append(perf_counter() - self.started)
            self.outcome.bytes += self.length
            self.buffer, self.body_at = b"", -1
            self._send()

    def _read_head(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        status = int(first.split()[1])
        fields = dict(line.split(b": ", 1) for line in lines if b": " in line)
        if b"content-length" not in fields:
            self._fail("an answer without its length")
        self.length = int(fields.get(b"content-length", b"0"))
        self.outcome.queries = max(self.outcome.queries, int(fields.get(b"x-queries", b"0")))
        if status != self.status:
            place = fields.get(b"location", b"").decode()
            self._fail(f"status {status} in place of {self.status} {place}".strip())

    def _fail(self, why: str) -> None:
        self.outcome.errors += 1
        self.outcome.first_error = self.outcome.first_error or why


async def run(order: Order, supply: Supply) -> Outcome:
    """Do one order."""
    outcome = Outcome(order.page)
    loop = asyncio.get_running_loop()
    started = perf_counter()
    readers = []
    for _ in range(order.readers):
        _transport, reader = await loop.create_connection(
            lambda: Reader(supply, outcome, started + order.seconds), "127.0.0.1", order.port
        )
        readers.append(reader)
    await asyncio.gather(*(reader.done for reader in readers))
    outcome.seconds = perf_counter() - started
    return outcome


def main() -> None:
    """Do the orders that come in."""
    with open(sys.argv[1], encoding="utf-8") as file:
        pages = json.load(file)
    supplies = {
        name: Supply([(as_bytes(r), r["status"]) for r in page["requests"]], page["is_endless"])
        for name, page in pages.items()
    }
    for line in sys.stdin:
        order = Order(**json.loads(line))
        outcome = asyncio.run(run(order, supplies[order.page]))
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main()
