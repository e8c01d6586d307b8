"""Files that are whole or not there at all, whenever a program is killed; and locks that end with their owner.

May not know what a file says.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from scaffolder.operations.errors import Unavailable

__all__ = [
    "disk_errors",
    "explain",
    "is_locked",
    "locked",
    "open_lock",
    "read_json",
    "take_lock",
    "write_bytes",
    "write_json",
]

LOCK_TRIES = 40
LOCK_PAUSE_S = 0.025


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Replace a file at once; ``durable`` also survives a power failure, and takes some milliseconds."""
    half = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        with half.open("xb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        with suppress(OSError):
            half.unlink()
        raise


def write_json(path: Path, value: object, *, durable: bool = False) -> None:
    """Replace a JSON file at once; equal values are equal bytes."""
    text = json.dumps(value, sort_keys=True)  # with an indent it would be Python that writes it, and not C
    write_bytes(path, f"{text}\n".encode(), durable=durable)


def read_json(path: Path) -> dict[str, object] | None:
    """Read a JSON object; ``None`` where there is no file, or not the whole of one."""
    try:
        found: object = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def open_lock(path: Path) -> int:
    """Open a lock's file; the lock ends when the last process that holds this descriptor ends, however it ends."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def take_lock(descriptor: int, sleep: Callable[[float], None] | None = None) -> bool:
    """Take a lock if it is free. With ``sleep``, try for a second: somebody may only have looked whether it is."""
    for _ in range(LOCK_TRIES if sleep else 1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if sleep:
                sleep(LOCK_PAUSE_S)
        else:
            return True
    return False


def is_locked(path: Path) -> bool:
    """Look whether somebody has a lock; who only looks is in no one's way but for a moment in a taker's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock for a moment; waits for whoever has it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn what the file system refuses (full, read-only, not ours) into an error that says so.

    Raises:
        Unavailable: it is refused.
    """
    try:
        yield
    except OSError as refused:
        message, remedy = explain(refused)
        raise Unavailable(f"{what}: {message}", remedy=remedy) from refused


def explain(refused: OSError) -> tuple[str, str]:
    """Say what the file system refuses, and what to do about it (may be empty)."""
    message = refused.strerror or str(refused) or type(refused).__name__
    if refused.filename is not None:
        message = f"{message} ({os.fsdecode(refused.filename)})"
    match refused.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return message, "Make room: `scaffolder destroy --env local` removes old runs and the cache."
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return message, "The folder .scaffolder beside the spec has to be writable by you."
        case _:
            return message, ""
