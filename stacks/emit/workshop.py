"""Build a folder beside the one it replaces, and replace that in one step; recover from runs that were killed.

The workshop of ``out`` is ``.out.scaffolder`` in the same parent folder, locked while a run uses it:

``new``    the folder under construction; after the exchange, the folder that was replaced
``ready``  the inode of the finished new folder: a ``new`` with another one is the replaced folder
``old``    the folder that was replaced, where the file system cannot exchange two folders in one step
``done``   a replaced folder that holds nothing of value any more

May not decide what is written: :mod:`stacks.emit.files` does.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from stacks.emit.exchange import Exchange
from stacks.record import record

__all__ = ["MARKER", "Busy", "Contents", "files_in", "replace_folder", "workshop_of"]

MARKER = ".scaffolder.json"
_LOCK_TIMEOUT_S = 10.0


class Busy(Exception):
    """Another run has held the workshop for too long."""


@record
class Contents:
    """What the new folder is made of, by path in it.

    ``write`` are bytes, ``keep`` are files to take over as they are. ``ours`` are all paths that the old or the new
    output has generated; every other file belongs to somebody else and comes along.
    """

    write: Mapping[str, bytes]
    keep: tuple[str, ...]
    ours: frozenset[str]
    marker: bytes


def workshop_of(place: Path) -> Path:
    """Name the folder in which the new output is built."""
    return place.with_name(f".{place.name}.scaffolder")


@contextmanager
def replace_folder(place: Path, swap: Exchange) -> Iterator[Callable[[Contents], None]]:
    """Own the workshop, recover what a killed run left in it, and yield the function that replaces ``place``.

    Raises:
        Busy: another run does not let go of the workshop.
        OSError: the old folder is as it was, or the new one is in place and the next run clears up.
    """
    workshop = workshop_of(place)
    lock = _lock(workshop)
    try:
        _recover(workshop, place)
        yield lambda contents: _replace(workshop, place, contents, swap)
    finally:
        # Whether clearing up works does not change what was written; the next run does what is left of it.
        with suppress(OSError):
            if _replaced(workshop) is None:
                _remove_tree(workshop)
        os.close(lock)


def files_in(folder: Path) -> list[str]:
    """List the files and links below a folder, sorted."""
    found: list[str] = []
    for top, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(top) / name).is_symlink()]
        found += [os.path.relpath(Path(top) / name, folder) for name in (*names, *links)]
    return sorted(found)


def _lock(workshop: Path) -> int:
    """Lock the workshop; the lock ends with this process, however that ends."""
    import fcntl  # noqa: PLC0415 - an unchanged output needs none of it

    deadline = time.monotonic() + _LOCK_TIMEOUT_S
    while True:
        workshop.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = os.open(workshop, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last owner may have removed the folder between our opening and our locking it.
            if os.path.samestat(os.fstat(lock), workshop.stat()):
                return lock
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(lock)
        if time.monotonic() > deadline:
            raise Busy
        time.sleep(0.01)


def _recover(workshop: Path, place: Path) -> None:
    """Finish or undo what a killed run left, and empty the workshop."""
    old = workshop / "old"
    if old.exists() and not os.path.lexists(place):
        old.rename(place)
    if (replaced := _replaced(workshop)) is not None:
        _rescue(replaced, place, replace_older=False)
        _forget(workshop, replaced)
    for entry in workshop.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _remove_tree(entry)
        else:
            entry.unlink()


def _replaced(workshop: Path) -> Path | None:
    """Find the replaced folder that may still hold something of value."""
    old, new, ready = workshop / "old", workshop / "new", workshop / "ready"
    if old.exists():
        return old
    if new.exists() and ready.exists() and str(new.stat().st_ino) != ready.read_text():
        return new
    return None


def _replace(workshop: Path, place: Path, contents: Contents, swap: Exchange) -> None:
    new = workshop / "new"
    _build(new, place, contents)
    written = workshop / "ready.part"
    written.write_text(str(new.stat().st_ino))
    written.rename(workshop / "ready")
    if not place.exists():
        new.rename(place)
        return
    swap(new, place, workshop / "old")
    if (replaced := _replaced(workshop)) is not None:
        _rescue(replaced, place, replace_older=True, ours=contents.ours)
        _forget(workshop, replaced)


def _build(new: Path, place: Path, contents: Contents) -> None:
    new.mkdir()
    if place.exists():
        _link_others(place, new, contents.ours | {MARKER})
        new.chmod(stat.S_IMODE(place.stat().st_mode))
    for path in contents.keep:
        _link(place / path, _with_parents(new / path))
    for path, content in contents.write.items():
        _with_parents(new / path).write_bytes(content)
    (new / MARKER).write_bytes(contents.marker)


def _with_parents(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _link_others(old: Path, new: Path, ours: frozenset[str], prefix: str = "") -> bool:
    """Link every file that is not ours into the new folder; say whether there is a reason to have the folder."""
    entries = sorted(os.scandir(old), key=lambda entry: entry.name)
    needed = not entries
    device = old.stat().st_dev
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if entry.stat(follow_symlinks=False).st_dev != device:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), entry.path)
            needed |= _link_others(Path(entry.path), new / entry.name, ours, f"{path}/")
        elif path not in ours:
            _link(Path(entry.path), _with_parents(new / entry.name))
            needed = True
    if needed and prefix:
        new.mkdir(parents=True, exist_ok=True)
        then = old.stat()
        new.chmod(stat.S_IMODE(then.st_mode))
        os.utime(new, ns=(then.st_atime_ns, then.st_mtime_ns))
    return needed


def _link(source: Path, target: Path) -> None:
    """Hard-link a file, or a symbolic link itself; copy it where that is not allowed."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        import shutil  # noqa: PLC0415 - rarely needed, and slow to import

        shutil.copy2(source, target, follow_symlinks=False)


def _rescue(replaced: Path, place: Path, *, replace_older: bool, ours: frozenset[str] | None = None) -> None:
    """Bring over what others wrote into the replaced folder after it was linked and before it was replaced."""
    known = _listed_in(replaced) if ours is None else ours
    for path in files_in(replaced):
        source, target = replaced / path, place / path
        if path in known or path == MARKER:
            continue
        if not os.path.lexists(target):
            source.rename(_with_parents(target))
        elif replace_older and source.lstat().st_mtime_ns > target.lstat().st_mtime_ns:
            source.replace(target)


def _listed_in(folder: Path) -> frozenset[str]:
    import json  # noqa: PLC0415 - only after a run was killed

    marker = folder / MARKER
    return frozenset(json.loads(marker.read_bytes())["files"] if marker.exists() else ())


def _forget(workshop: Path, replaced: Path) -> None:
    """Note that a replaced folder may go, before the first of its files does."""
    replaced.rename(workshop / "done")
    (workshop / "ready").unlink(missing_ok=True)


def _remove_tree(folder: Path) -> None:
    """Remove a folder, write-protected ones inside it too: their files live on in the new output."""
    with suppress(OSError):
        folder.chmod(0o700)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            _remove_tree(Path(entry.path))
        else:
            Path(entry.path).unlink()
    folder.rmdir()
