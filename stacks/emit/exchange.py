"""Swap two folders of one file system in one step, where the system can. Knows nothing of what is in them.

Linux has ``renameat2`` with ``RENAME_EXCHANGE`` (3.15; ext4, xfs, btrfs, tmpfs, overlayfs), macOS has
``renamex_np`` with ``RENAME_SWAP`` (10.12; APFS). Everywhere else :func:`exchange` uses two renames: between them
the folder is missing, and :mod:`stacks.emit.files` puts it back when a run was killed just there.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeAlias

__all__ = ["Exchange", "exchange", "exchange_by_two_renames"]

# Puts the folder `new` in the place of the folder `current`; the old one is then at `new` or at `aside`.
Exchange: TypeAlias = Callable[[Path, Path, Path], None]

_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
_AT_FDCWD = -100  # linux/fcntl.h
_SWAP_FLAG = 2  # RENAME_EXCHANGE in linux/fs.h, and RENAME_SWAP in macOS's stdio.h


def exchange(new: Path, current: Path, aside: Path) -> None:
    """Exchange two folders in one step, or by two renames where the system or the file system cannot."""
    try:
        in_one_step = _system_call()
        in_one_step(os.fsencode(new), os.fsencode(current))
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        exchange_by_two_renames(new, current, aside)


def exchange_by_two_renames(new: Path, current: Path, aside: Path) -> None:
    """Move the current folder aside, then the new one to its place."""
    current.rename(aside)
    try:
        new.rename(current)
    except OSError:
        aside.rename(current)
        raise


@cache
def _system_call() -> Callable[[bytes, bytes], None]:
    import ctypes  # noqa: PLC0415 - costs 10 ms, and an unchanged output needs none of it

    libc = ctypes.CDLL(None, use_errno=True)

    def checked(result: int, path: bytes) -> None:
        if result != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), os.fsdecode(path))

    def linux(new: bytes, current: bytes) -> None:
        checked(libc.renameat2(_AT_FDCWD, new, _AT_FDCWD, current, _SWAP_FLAG), current)

    def darwin(new: bytes, current: bytes) -> None:
        checked(libc.renamex_np(new, current, _SWAP_FLAG), current)

    calls = {"linux": ("renameat2", linux), "darwin": ("renamex_np", darwin)}
    name, call = calls.get(sys.platform, ("", linux))
    if not name or not hasattr(libc, name):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return call
