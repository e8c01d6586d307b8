"""Folders of files as values: their digest, a copy that costs nothing, and what may not be in one.

A digest is of names and contents: neither times, nor owners, nor modes, nor empty folders change it. May not know what a
folder is for.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path
from uuid import uuid4

from stacks.record import record

__all__ = ["BadTreeError", "digest_of", "linked_copy", "remove_tree", "seal", "stamp_of"]

READ_ONLY = 0o444


class BadTreeError(Exception):
    """A folder holds what cannot be kept: a link that leaves it, or what is no file."""


@record
class _Entry:
    """One file, or one link to elsewhere in the same folder; ``name`` is relative, with slashes."""

    name: str
    path: str
    status: os.stat_result

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


def digest_of(top: Path, *, follow: bool = False) -> str:
    """Compute ``sha256:…`` of a folder, or of a single file. ``follow`` reads what links point to.

    Raises:
        BadTreeError: a link leaves the folder (without ``follow``), goes nowhere or in circles, or something is no file.
    """
    whole = sha256()
    for entry in sorted(_entries(top, follow=follow), key=lambda entry: os.fsencode(entry.name)):
        if entry.is_link:
            kind, content = b"L", os.fsencode(Path(entry.path).readlink())
        else:
            with open(entry.path, "rb") as file:  # noqa: PTH123 - no Path is made for each of many files
                kind, content = b"F", file_digest(file, "sha256").digest()
        name = os.fsencode(entry.name)
        whole.update(kind + len(name).to_bytes(8, "big") + name + len(content).to_bytes(8, "big") + content)
    return f"sha256:{whole.hexdigest()}"


def stamp_of(top: Path, *, follow: bool = False) -> str:
    """Tell cheaply whether a folder was touched: its names, sizes, times and inodes."""
    seen = sorted(
        (entry.name, entry.status.st_size, entry.status.st_mtime_ns, entry.status.st_ino)
        for entry in _entries(top, follow=follow)
    )
    return sha256(repr(seen).encode(errors="surrogateescape")).hexdigest()


def seal(top: Path) -> None:
    """Make the files of a folder read-only; one that is another file's second name becomes a copy first.

    Raises:
        BadTreeError: as for ``digest_of``.
    """
    for entry in list(_entries(top, follow=False)):
        if entry.is_link:
            continue
        if entry.status.st_nlink > 1:
            apart = f"{entry.path}.{uuid4().hex[:12]}"
            shutil.copyfile(entry.path, apart)
            Path(apart).replace(entry.path)
        Path(entry.path).chmod(READ_ONLY)


def linked_copy(source: Path, target: Path) -> None:
    """Make a folder with the same files under a second name, or with copies where the file system has no such."""
    target.mkdir(parents=True)
    for entry in _entries(source, follow=False):
        place = target / entry.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if entry.is_link:
            place.symlink_to(Path(entry.path).readlink())
            continue
        try:
            os.link(entry.path, place)
        except OSError:  # too many names of one file, or no hard links
            shutil.copyfile(entry.path, place)
            place.chmod(READ_ONLY)


def remove_tree(top: Path) -> None:
    """Remove a folder with all that is in it; folders that a program made unwritable too."""
    shutil.rmtree(top, ignore_errors=True)
    if not top.exists():
        return
    for folder, _, _ in os.walk(top):
        with suppress(OSError):
            Path(folder).chmod(0o700)
    with suppress(FileNotFoundError):
        shutil.rmtree(top)


def _entries(top: Path, *, follow: bool) -> Iterator[_Entry]:
    status = top.stat()
    if stat.S_ISREG(status.st_mode):
        yield _Entry(name=top.name, path=str(top), status=status)
        return
    yield from _below(str(top), "", follow, (os.path.realpath(top),))


def _below(folder: str, prefix: str, follow: bool, above: tuple[str, ...]) -> Iterator[_Entry]:  # noqa: FBT001
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.is_symlink():
                if not follow:
                    _check_link(above[0], entry.path, name)
                    yield _Entry(name=name, path=entry.path, status=entry.stat(follow_symlinks=False))
                    continue
                if os.path.realpath(entry.path) in above or not os.path.exists(entry.path):  # noqa: PTH110
                    raise BadTreeError(f"the link {name} goes nowhere, or in circles")
            if entry.is_dir():
                yield from _below(entry.path, f"{name}/", follow, (*above, os.path.realpath(entry.path)))
            elif entry.is_file():
                yield _Entry(name=name, path=entry.path, status=os.stat(entry.path))  # noqa: PTH116
            else:
                raise BadTreeError(f"{name} is no file")


def _check_link(top: str, path: str, name: str) -> None:
    aim = os.readlink(path)  # noqa: PTH115
    real = os.path.realpath(path)
    inside = os.path.commonpath([top, real]) == top
    if os.path.isabs(aim) or not inside or not os.path.exists(real):  # noqa: PTH110, PTH117
        raise BadTreeError(
            f"the link {name} points to {aim}, which is not in the same folder: write the file itself"
        )
