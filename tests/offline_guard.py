"""A guard that fails a test which opens a socket or writes to the home directory.

It listens to the interpreter's audit events (PEP 578), so nothing is patched and nothing can be forgotten. It sees
this process only: what a child process does is the business of the tests that start one.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["GUARDED", "offline"]

# Folders below tests/ in which every test is guarded.
GUARDED = ("unit", "golden", "contract", "architecture")

ROOT = Path(__file__).resolve().parent.parent
SOCKETS = frozenset(
    {"socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"}
)
# The positions of the paths that an event creates, changes or removes.
CHANGES = {
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
    "os.chmod": (0,),
    "sqlite3.connect": (0,),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Guard:
    """The state that the audit hook reads; a hook can't be removed, only switched off."""

    active = False
    home = Path.home().resolve()
    # A home that holds the work tree, the interpreter or the temporary files doesn't forbid writing there.
    allowed = tuple(
        Path(place).resolve()
        for place in (ROOT, sys.prefix, sys.base_prefix, tempfile.gettempdir(), "/dev", "/proc")
    )


def _changed_paths(event: str, arguments: tuple[object, ...]) -> list[object]:
    if event == "open":
        path, _, flags = arguments
        return [path] if isinstance(flags, int) and flags & WRITING else []
    return [arguments[position] for position in CHANGES.get(event, ())]


def _is_forbidden(path: object) -> bool:
    if not isinstance(path, str | bytes | os.PathLike):
        return False  # an open file's number: what opened it has been judged already
    place = Path(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 (resolve() would follow the link that is written)
    if _Guard.home == Path("/") or any(place.is_relative_to(folder) for folder in _Guard.allowed):
        return False
    return place.is_relative_to(_Guard.home)


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if not _Guard.active:
        return
    if event in SOCKETS:
        pytest.fail(f"this test must not use the network: {event}{arguments[1:]!r}")
    for path in _changed_paths(event, arguments):
        if _is_forbidden(path):
            pytest.fail(f"this test must not write to the home directory: {event} {path!r}")


sys.addaudithook(_listen)


@contextmanager
def offline() -> Iterator[None]:
    """Forbid sockets and writes to the home directory in this process; ends the test, past any ``except``."""
    before = _Guard.active
    _Guard.active = True
    try:
        yield
    finally:
        _Guard.active = before
