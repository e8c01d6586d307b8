"""Whether the process that a folder belongs to lives: it holds the folder's lock, which ends with it, however it ends.

Who looks, and who starts one, do so one at a time: a look takes the lock for a moment. May not know what the process does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from scaffolder.operations.local.files import locked, open_lock, take_lock

__all__ = ["lives", "start_once"]

LOCK, LOOKING = "lock", "looking"


def lives(folder: Path) -> bool:
    """Whether the process lives; where one is being started, wait until it is."""
    return (folder / LOCK).exists() and not start_once(folder, lambda _: None)


def start_once(folder: Path, start: Callable[[int], None]) -> bool:
    """Start the process unless it lives, with the descriptor of the lock that it is to inherit; say whether it was."""
    with locked(folder / LOOKING):
        lock = open_lock(folder / LOCK)
        try:
            free = take_lock(lock)
            if free:
                start(lock)
            return free
        finally:
            os.close(lock)
