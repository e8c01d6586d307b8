"""Puts a rendered project in its place, whole or not at all.

It is written beside its place and put there by one rename, so that ``kill -9`` leaves nothing or all of it; the next run
takes away what a killed one left. May not know what a project's files are.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scaffolder.errors import OutputFolderError
from scaffolder.projects.tree import Tree, shown_path

__all__ = ["place", "refuse_occupied", "write_tree"]

WORKSHOP = ".scaffolder-new"
"""Beside the project, so that it is put in its place by one rename."""


def refuse_occupied(folder: Path) -> None:
    """Refuse a place that holds something.

    Raises:
        OutputFolderError: it does, or it is the current folder.
    """
    shown = shown_path(str(folder))
    try:
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise OutputFolderError(f"{shown} is there already, and is not a folder. Choose another name.")
        if not folder.exists():
            return
        found = sorted(shown_path(path.name) for path in folder.iterdir())
    except OSError as error:
        raise _cannot(folder, error) from error
    if found:
        some = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise OutputFolderError(
            f"{shown} is not empty: it holds {some}. Choose another folder, or empty it; in a git repository, "
            "`scaffolder add` gives it a template's files."
        )
    if Path.cwd() == folder.resolve():
        raise OutputFolderError(
            f"{shown} is the current folder, and would be replaced. Run this from outside of it."
        )


def _cannot(folder: Path, error: OSError) -> OutputFolderError:
    """What keeps a folder from being made, and what to do about it."""
    above = next((each for each in folder.parents if not each.is_dir() and os.path.lexists(each)), None)
    if error.errno == errno.ENAMETOOLONG:
        why = "its name is too long. Choose a shorter one."
    elif above is not None:
        why = f"{shown_path(str(above))} is not a folder. Choose another place."
    elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        why = "the folder above it cannot be written. Make it writable, or choose another place."
    else:
        why = error.strerror or str(error)
    return OutputFolderError(f"{shown_path(str(folder))} cannot be made: {why}")


def place(tree: Tree, folder: Path) -> None:
    """Make a folder with the files of a tree; it must not be there, or be empty.

    Raises:
        OutputFolderError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _workshop(folder.parent / WORKSHOP) as workshop:
            made = workshop / "project"
            write_tree(tree, made)
            made.rename(folder)
    except OSError as error:
        raise _cannot(folder, error) from error


def write_tree(tree: Tree, folder: Path) -> None:
    """Write the files of a tree into a folder that is not there."""
    folder.mkdir()
    made = {""}
    for path, file in tree.items():
        above = path.rpartition("/")[0]
        if above not in made:
            (folder / above).mkdir(parents=True, exist_ok=True)
            made.add(above)
        to = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777 if file.executable else 0o666)
        with os.fdopen(to, "wb") as writer:
            writer.write(file.content)


@contextmanager
def _workshop(workshop: Path) -> Iterator[Path]:
    """A folder that one run at a time uses; it is empty, whatever a killed run left, and gone afterwards."""
    lock = _locked(workshop)
    try:
        for left in workshop.iterdir():
            shutil.rmtree(left)
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        os.close(lock)


def _locked(workshop: Path) -> int:
    """Make a folder, or take over the one that is there, and wait for its lock.

    A lock ends with its process. A process's number would not tell: it may be another one's by now.
    """
    while True:
        workshop.mkdir(exist_ok=True)
        try:
            lock = os.open(workshop, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Its last owner may have removed the folder while we waited.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), workshop.stat()):
                return lock
        os.close(lock)
