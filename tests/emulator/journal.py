"""Remembers every call and how it ended. May not influence an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from threading import Lock

__all__ = ["Entry", "Journal"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request; `error` is empty where the status is a success."""

    service: str
    operation: str
    status: int
    error: str


class Journal:
    """The entries in the order in which they were answered."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = Lock()

    def write(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def as_json(self) -> dict[str, object]:
        with self._lock:
            return {"operations": [asdict(entry) for entry in self._entries]}
