"""The cache of repositories that were read: its place, one process at a time for each, and what is kept how long.

A repository is a folder, with a lock beside it whose time says when it was used last. May not know what is in one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from scaffolder.errors import TemplateError

__all__ = ["KEEP_DAYS", "KEEP_REPOSITORIES", "alone", "cache_folder", "prune", "used"]

KEEP_DAYS: Final = 90
"""How long a repository is kept that nobody uses."""
KEEP_REPOSITORIES: Final = 100
"""How many are kept; those of the last day are kept anyway, since a process may be reading them."""
DAY_S: Final = 24 * 60 * 60
LOCK: Final = ".lock"


def cache_folder() -> Path:
    """The folder of this program for what can be had again: below `XDG_CACHE_HOME`, which must be absolute, or ~/.cache.

    Raises:
        TemplateError: the user has no home folder.
    """
    asked = os.environ.get("XDG_CACHE_HOME", "")
    if asked.startswith("/"):
        return Path(asked, "scaffolder")
    try:
        return Path.home() / ".cache" / "scaffolder"
    except RuntimeError as error:
        raise TemplateError(
            "there is no home folder for the cache of repositories. Set XDG_CACHE_HOME to a folder."
        ) from error


@contextmanager
def alone(repository: Path) -> Iterator[int]:
    """Write a repository alone; the lock's descriptor, which a git that inherits it keeps locked as long as it lives.

    Raises:
        TemplateError: the cache cannot be written.
    """
    try:
        repository.parent.mkdir(parents=True, exist_ok=True)
        lock = _locked(repository, wait=True)
    except OSError as error:
        raise TemplateError(
            f"the cache {repository.parent} cannot be written: {error.strerror}. Make it writable, or set "
            "XDG_CACHE_HOME to another folder."
        ) from error
    assert lock is not None  # noqa: S101 - it was waited for
    try:
        os.utime(lock)
        yield lock
    finally:
        os.close(lock)


def used(repository: Path) -> None:
    """Note that a repository is used now; nothing where the cache is only readable."""
    with suppress(OSError):
        os.utime(_lock_of(repository))


def prune(folder: Path, now: float | None = None) -> None:
    """Remove the repositories that nobody has used for long, and the least used of too many.

    What another process works on is left. A repository that is removed is fetched again when it is needed.
    """
    now = time.time() if now is None else now
    times = {}
    for lock in folder.glob(f"*{LOCK}"):
        with suppress(FileNotFoundError):
            times[lock] = lock.stat().st_mtime
    newest_first = sorted(times, key=lambda lock: times[lock], reverse=True)
    for number, lock in enumerate(newest_first):
        days = (now - times[lock]) / DAY_S
        if days > KEEP_DAYS or (number >= KEEP_REPOSITORIES and days > 1):
            with suppress(OSError):
                _remove(lock.with_name(lock.name.removesuffix(LOCK)), times[lock])


def _remove(repository: Path, time_seen: float) -> None:
    lock = _locked(repository, wait=False)
    if lock is None:
        return
    try:
        if os.fstat(lock).st_mtime == time_seen:  # nobody has used it in between
            shutil.rmtree(repository, ignore_errors=True)
            if not repository.exists():
                _lock_of(repository).unlink()
    finally:
        os.close(lock)


def _lock_of(repository: Path) -> Path:
    return repository.with_name(f"{repository.name}{LOCK}")


def _locked(repository: Path, *, wait: bool) -> int | None:
    """Take the lock beside a repository; ``None`` where another process has it and is not waited for."""
    path = _lock_of(repository)
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            # Its last owner may have removed it while we waited.
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        except FileNotFoundError:
            pass
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)
