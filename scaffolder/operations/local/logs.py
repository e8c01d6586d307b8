"""A run's log: one file, a line for each line that a step writes, with its time; a cursor is a place in the file.

Bytes that are no UTF-8 are shown as escapes, what a progress bar overwrote is left out, and a line of any length comes in
pieces. May not know what a step does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.values import LogLine

__all__ = ["Lines", "Log", "log_lines"]

MOST_IN_LINE = 16_384
MOST_OF_STEP = 100_000_000
"""Bytes of one attempt that are kept."""


class Log:
    """The log of a run that is going on."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if _ends_in_a_line(path):
            return
        os.write(self._file, b"\n")  # a runner was killed while it wrote

    def write(self, step: str, texts: list[bytes], time: datetime) -> None:
        """Add lines, all at one time."""
        if not texts:
            return
        head = f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {step} ".encode()
        whole = b"".join(head + text + b"\n" for text in texts)
        while whole:
            whole = whole[os.write(self._file, whole) :]

    def close(self) -> None:
        os.close(self._file)


def _ends_in_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return True
        file.seek(size - 1)
        return file.read(1) == b"\n"


class Lines:
    """Cuts what a step writes into lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = MOST_OF_STEP

    def add(self, content: bytes) -> list[bytes]:
        """Take what was read, and return the lines that are whole now."""
        if self._left <= 0:
            return []
        self._left -= len(content)
        *whole, rest = (self._rest + content).split(b"\n")
        lines = [piece for line in whole for piece in _pieces(line)]
        if len(rest) > MOST_IN_LINE:
            *pieces, rest = _cut(rest)
            lines += [_clean(piece) for piece in pieces]
        self._rest = rest
        if self._left <= 0:
            self._rest = b""
            lines.append(b"(the rest of what this step writes is left out)")
        return lines

    def end(self) -> list[bytes]:
        """Return the last line, which had no end."""
        rest, self._rest = self._rest, b""
        return _pieces(rest) if rest else []


def _pieces(line: bytes) -> list[bytes]:
    return [_clean(piece) for piece in _cut(line)]


def _cut(line: bytes) -> list[bytes]:
    """Cut a long line; not inside a character of UTF-8."""
    pieces = []
    while len(line) > MOST_IN_LINE:
        cut = MOST_IN_LINE
        while cut > MOST_IN_LINE - 4 and line[cut] & 0xC0 == 0x80:
            cut -= 1
        pieces.append(line[:cut])
        line = line[cut:]
    return [*pieces, line]


def _clean(line: bytes) -> bytes:
    """What a terminal would show of a line at its end: what stands after the last return, as UTF-8."""
    shown = line.rstrip(b"\r").rpartition(b"\r")[2]
    return shown.decode(errors="backslashreplace").encode(errors="backslashreplace")


def log_lines(path: Path, *, step: str | None, after: str) -> Iterator[LogLine]:
    """Yield the lines that are whole, beginning after a cursor.

    Raises:
        InvalidRequest: the cursor is none of this log's.
    """
    if after and not after.isdecimal():
        raise InvalidRequest(
            f"{after!r} is no place in a log", remedy="Give back a line's cursor, or nothing."
        )
    if not path.exists():
        return
    with path.open("rb") as file:
        place = file.seek(int(after or 0))
        for line in file:
            if not line.endswith(b"\n"):
                return
            place += len(line)
            time, _, rest = line.decode(errors="backslashreplace").rstrip("\n").partition(" ")
            name, _, text = rest.partition(" ")
            if step in {None, name} and (when := _time(time)) is not None:
                yield LogLine(time=when, step=name, text=text, cursor=str(place))


def _time(text: str) -> datetime | None:
    """Read a line's time; a line that was cut by a crash has none."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None
