"""Statements sent over HTTP: some connections that stay open, each sends when it was answered."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

CONNECTIONS = 4


@dataclass
class Sent:
    """What came of some requests. seconds: from the first one sent to the last one answered."""

    requests: int = 0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    bytes: int = 0
    failed: list[str] = field(default_factory=list)


def as_request(
    method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer that tells its length."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines if b": " in line)
    length = int(fields[b"content-length"])
    return int(first.split()[1]), await reader.readexactly(length)


async def _send_on(port: int, waiting: Iterator[bytes], sent: Sent) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        began = perf_counter()
        writer.write(request)
        await writer.drain()
        status, body = await _answer(reader)
        sent.times.append(perf_counter() - began)
        sent.bytes += len(body)
        sent.requests += 1
        if status != 200:
            sent.failed.append(f"{status}: {body[:300].decode(errors='replace')}")
    writer.close()


async def _send_all(port: int, requests: Sequence[bytes], connections: int) -> Sent:
    sent, waiting = Sent(), iter(requests)
    began = perf_counter()
    await asyncio.gather(*(_send_on(port, waiting, sent) for _ in range(connections)))
    sent.seconds = perf_counter() - began
    return sent


def _run(port: int, requests: Sequence[bytes], connections: int) -> Sent:
    return asyncio.run(_send_all(port, requests, connections))


def send(port: int, requests: Sequence[bytes], connections: int = CONNECTIONS) -> Sent:
    """Send requests from a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        pool.apply(len, ((),))  # it has started
        return pool.apply(_run, (port, requests, connections))


def batches(texts: Sequence[str], size: int) -> Iterator[bytes]:
    """Bodies of `size` statements each; of one statement each, without a list around it."""
    for first, last in pairwise([*range(0, len(texts), size), len(texts)]):
        part = ",".join(texts[first:last])
        yield (part if size == 1 else f"[{part}]").encode()
