"""What an endpoint of this machine has captured, read line by line: what monitors read of it is the drift code's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from scaffolder.operations.local.capture import Captured

__all__ = ["captured"]


def captured(
    folder: Path, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Captured]:
    """Yield what was captured from ``since`` and before ``until``, in the order of writing.

    A line that was cut off when the server was killed is passed over.
    """
    files = sorted(folder.glob("capture-*.jsonl")) if folder.is_dir() else []
    for file in files:
        if since is not None and file.stat().st_mtime < since.timestamp():
            continue
        with file.open("rb") as lines:
            for line in lines:
                one = _read(line)
                if one and (since is None or one.time >= since) and (until is None or one.time < until):
                    yield one


def _read(line: bytes) -> Captured | None:
    try:
        found = json.loads(line)
        return Captured(
            time=datetime.fromisoformat(found["time"]).astimezone(UTC),
            id=found["id"],
            deployment=found["deployment"],
            model=found["model"],
            version=found["version"],
            content_type=found["content_type"],
            request=_bytes(found, "request"),
            answer_content_type=found["answer_content_type"],
            answer=_bytes(found, "answer"),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _bytes(found: Mapping[str, str], name: str) -> bytes:
    return found[name].encode() if name in found else base64.b64decode(found[f"{name}_base64"])
