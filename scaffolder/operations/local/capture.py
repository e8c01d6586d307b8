"""What an endpoint was asked and what it answered, as JSON lines: written beside the answers, never before them.

Each line has ``time``, ``id``, ``deployment``, ``model``, ``version``, ``content_type``, ``request``,
``answer_content_type`` and ``answer``; later labels join by ``id``. May not know HTTP.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from stacks.record import record

__all__ = ["Capture", "Captured"]

ROTATED_AT = 32 << 20
MOST_PENDING_BYTES = 64 << 20
"""What may wait to be written; more is left out, and counted."""
PAUSE_S = 0.2


@record
class Captured:
    """A request and its answer."""

    time: datetime
    id: str
    deployment: str
    model: str
    version: int
    content_type: str
    request: bytes
    answer_content_type: str
    answer: bytes


class Capture:
    """Writes to ``capture-TIME-NUMBER.jsonl`` below a folder from a thread of its own."""

    def __init__(self, folder: Path, *, rotated_at: int = ROTATED_AT) -> None:
        self.dropped = 0
        self._folder = folder
        self._rotated_at = rotated_at
        self._pending: deque[Captured] = deque()
        self._taken = self._written = 0  # each is of one thread
        self._owed: dict[str, int] = {}
        self._files = 0
        self._file: Path | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="capture", daemon=True)
        self._thread.start()

    def is_wanted(self, deployment: str, percent: int) -> bool:
        """Whether the next request of a deployment is captured: of a hundred in a row, ``percent`` are."""
        owed = self._owed.get(deployment, 0) + percent
        self._owed[deployment] = owed - 100 if owed >= 100 else owed
        return owed >= 100

    def put(self, one: Captured) -> None:
        """Take a request and its answer; returns at once."""
        size = len(one.request) + len(one.answer)
        if self._taken - self._written + size > MOST_PENDING_BYTES:
            self.dropped += 1
            return
        self._taken += size
        self._pending.append(one)

    def close(self) -> None:
        """Write what waits."""
        self._closing.set()
        self._thread.join()

    def _write_all(self) -> None:
        while True:
            ending = self._closing.wait(PAUSE_S)
            batch = [self._pending.popleft() for _ in range(len(self._pending))]
            self._written += sum(len(one.request) + len(one.answer) for one in batch)
            if batch:
                try:
                    self._append(b"".join(map(_line, batch)))
                except OSError:  # a full disk must not end the endpoint
                    self.dropped += len(batch)
            if ending:
                return

    def _append(self, lines: bytes) -> None:
        if self._file is None or self._file.stat().st_size >= self._rotated_at:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._files += 1
            self._file = self._folder / f"capture-{time.time_ns()}-{self._files:06d}.jsonl"
        with self._file.open("ab") as file:
            file.write(lines)


def _line(one: Captured) -> bytes:
    value = {
        "time": one.time.isoformat(),
        "id": one.id,
        "deployment": one.deployment,
        "model": one.model,
        "version": one.version,
        "content_type": one.content_type,
        "answer_content_type": one.answer_content_type,
        **_body("request", one.request),
        **_body("answer", one.answer),
    }
    return json.dumps(value).encode() + b"\n"


def _body(name: str, body: bytes) -> Mapping[str, str]:
    try:
        return {name: body.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(body).decode()}
