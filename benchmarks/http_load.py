"""Many clients that ask one HTTP server, each over a connection of its own that it keeps.

May not know what it asks.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

__all__ = ["Load", "ask_for", "load"]


@dataclass(slots=True)
class Load:
    """What the clients saw. ``failures`` are answers other than 200, and requests without an answer."""

    took_s: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    headers: Counter[str] = field(default_factory=Counter)
    answers: Counter[bytes] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def requests(self) -> int:
        return len(self.took_s) + self.failures.total()

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        """A percentile of the answers' times."""
        ordered = sorted(self.took_s)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000 if ordered else 0.0


def load(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    clients: int,
    going: Callable[[], bool],
    counted_header: str = "",
) -> Load:
    """Let clients ask, one request after the other each, for as long as it is ``going``; count a header's values."""
    found = Load()
    began = time.perf_counter()
    asyncio.run(_all(url, body, headers, clients, going, counted_header.lower(), found))
    found.seconds = time.perf_counter() - began
    return found


def ask_for(seconds: float) -> Callable[[], bool]:
    """Go on for so long."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


async def _all(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    clients: int,
    going: Callable[[], bool],
    counted: str,
    found: Load,
) -> None:
    parts = urlsplit(url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    message = head.encode() + body
    place = (parts.hostname or "", parts.port or 80)
    await asyncio.gather(*(_client(place, message, going, counted, found) for _ in range(clients)))


async def _client(
    place: tuple[str, int], message: bytes, going: Callable[[], bool], counted: str, found: Load
) -> None:
    reader, writer = await asyncio.open_connection(*place)
    while going():
        began = time.perf_counter()
        try:
            writer.write(message)
            status, headers, answer = await _answer(reader)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            found.failures[type(error).__name__] += 1
            writer.close()
            reader, writer = await asyncio.open_connection(*place)
            continue
        if status != 200:
            found.failures[f"{status} {answer[:200].decode(errors='replace')}"] += 1
        else:
            found.took_s.append(time.perf_counter() - began)
            found.answers[answer] += 1
            if counted:
                found.headers[headers.get(counted, "")] += 1
        if headers.get("connection") == "close":
            writer.close()
            reader, writer = await asyncio.open_connection(*place)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, Mapping[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    if headers.get("transfer-encoding") == "chunked":
        parts = []
        while size := int((await reader.readline()), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return int(head[0].split()[1]), headers, b"".join(parts)
    return int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"]))
