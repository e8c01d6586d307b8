"""Write an output folder as a whole: after ``kill -9`` at any moment it is the old output or the new one.

The new folder is built beside the old one and takes its place in one step. Files that we did not write (Terraform's
``.terraform/``, plans, state, whatever a person put there) come along as hard links: the same files, untouched. What
we wrote is listed with its hash in a marker file; a folder without one is not ours, and a listed file whose hash
differs was edited by a person: both are refused. May not know what the files mean.

Not covered: a power cut (nothing is synced to the disk), and file systems without an atomic exchange of folders,
where a kill between two renames leaves the folder missing until the next run puts it back. Because the folder itself
is replaced, a shell that stands in it has to ``cd`` there again, and a Terraform that runs in it is waited for by a
person: writing is refused while one does.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from stacks.emit.exchange import Exchange, exchange
from stacks.emit.workshop import MARKER, Busy, Contents, files_in, replace_folder, workshop_of
from stacks.record import record

__all__ = ["MARKER", "OutputFolderError", "Written", "write_output"]

_NAMED = 3  # how many files an error names
_HINTS = {
    errno.ENOSPC: "Free some space and run it again",
    errno.EDQUOT: "Free some space and run it again",
    errno.EACCES: "The new output is built beside the old one, so the parent folder must be writable too",
    errno.EPERM: "The new output is built beside the old one, so the parent folder must be writable too",
    errno.EROFS: "Choose a folder that can be written",
    errno.EBUSY: "A mount point cannot be replaced: choose a folder inside it",
    errno.EXDEV: "A mount point cannot be replaced: choose a folder inside it",
}


class OutputFolderError(Exception):
    """An output folder holds files that are not ours, or cannot be written."""


@record
class Written:
    """What a write did, by path in the folder, sorted. All three hold generated files only."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


@record
class _Plan:
    """What the new folder is made of, and whether it differs from the old one."""

    contents: Contents
    remove: tuple[str, ...]
    differs: bool

    def report(self) -> Written:
        return Written(written=tuple(self.contents.write), removed=self.remove, unchanged=self.contents.keep)


def write_output(
    folder: Path, files: Mapping[str, bytes], *, force: bool = False, swap: Exchange = exchange
) -> Written:
    """Make ``folder`` hold exactly ``files`` (relative path with ``/`` → bytes), beside what others put there.

    Nothing is written when nothing differs. ``force`` overwrites generated files that a person edited, and files of
    others that stand where one of ours goes; it does not claim a folder that is not ours.

    Raises:
        OutputFolderError: the folder is not ours, holds edits, or cannot be written.
    """
    _check_paths(files)
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow a link that we refuse
    try:
        _check_place(place, folder)
        if place.is_dir() and not os.path.lexists(workshop_of(place)):
            plan = _plan(place, folder, files, force=force)
            if not plan.differs:
                return plan.report()
        place.parent.mkdir(parents=True, exist_ok=True)
        with replace_folder(place, swap) as replace:
            plan = _plan(place, folder, files, force=force)
            if plan.differs:
                _check_unused(place, folder)
                replace(plan.contents)
            return plan.report()
    except Busy:
        raise OutputFolderError(
            f"another run of scaffolder is writing {folder}. Wait for it, then run this again"
        ) from None
    except OSError as error:
        raise OutputFolderError(_explained(folder, error)) from error


def _check_paths(files: Mapping[str, bytes]) -> None:
    for path in files:
        parts = path.split("/")
        if path == MARKER or "\\" in path or any(part in {"", ".", ".."} for part in parts):
            raise ValueError(f"not a path inside an output folder: {path!r}")


def _check_place(place: Path, shown: Path) -> None:
    if place.is_symlink():
        raise OutputFolderError(
            f"{shown} is a symbolic link. Name the folder that it points to: {place.resolve()}"
        )
    if place.exists() and not place.is_dir():
        raise OutputFolderError(f"{shown} is a file. Choose another output folder, or move the file away")
    for parent in place.parents:
        if parent.exists() and not parent.is_dir():
            raise OutputFolderError(
                f"{shown} cannot be made: {parent} is a file. Choose another output folder"
            )
    here, real = Path.cwd(), place.resolve()
    if here == real or real in here.parents:
        raise OutputFolderError(
            f"{shown} is the current folder or holds it, and would be replaced. Run this from outside of it"
        )


def _explained(shown: Path, error: OSError) -> str:
    hint = _HINTS.get(error.errno or 0, "")
    where = f" ({error.filename})" if error.filename else ""
    return f"cannot write {shown}: {error.strerror or error}{where}. {hint}".rstrip(" .")


# What is there, and what shall be.


def _plan(place: Path, shown: Path, files: Mapping[str, bytes], *, force: bool) -> _Plan:
    listed = _listed(place, shown)
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}
    found = {path: _hash_of(place / path) for path in {*listed, *files}}
    edited = sorted(
        path for path, known in listed.items() if found[path] not in {None, known, hashes.get(path, known)}
    )
    taken = sorted(path for path in files if path not in listed and found[path] not in {None, hashes[path]})
    _refuse_blocked(place, shown, files)
    if not force:
        _refuse_changes(shown, edited, taken)
    keep = tuple(path for path, wanted in hashes.items() if path in listed and found[path] == wanted)
    return _Plan(
        contents=Contents(
            write={path: files[path] for path in hashes if path not in keep},
            keep=keep,
            ours=frozenset({*listed, *files}),
            marker=_marker(hashes),
        ),
        remove=tuple(sorted(path for path in listed if path not in files)),
        differs=listed != hashes or len(keep) != len(hashes),
    )


def _refuse_blocked(place: Path, shown: Path, files: Mapping[str, bytes]) -> None:
    """Refuse a folder where a file of ours goes, and a file where a folder of ours goes."""
    if not place.exists():
        return
    ours = {parent for path in files for parent in _parents(path)}
    for path in sorted(ours):
        target = place / path
        try:  # looked at once: another run may exchange the whole output between two looks
            mode = target.lstat().st_mode
        except OSError:
            continue
        if not stat.S_ISDIR(mode):
            raise OutputFolderError(f"{shown / path} is in the way of a folder. Move it away")
    for path in sorted(files):
        target = place / path
        if target.is_dir() and not target.is_symlink():
            raise OutputFolderError(f"{shown / path} is a folder where a file goes. Move it away")


def _parents(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: end + 1]) for end in range(len(parts)))


def _refuse_changes(shown: Path, edited: list[str], taken: list[str]) -> None:
    if edited:
        raise OutputFolderError(
            f"{shown} holds generated files that were edited since: {_some(edited)}. "
            "Move the edits into the platform spec (overrides), or overwrite them with --force"
        )
    if taken:
        raise OutputFolderError(
            f"{shown} holds files of others where generated ones go: {_some(taken)}. "
            "Move them away, or overwrite them with --force"
        )


def _listed(place: Path, shown: Path) -> dict[str, str]:
    """Read the marker: what we wrote, with hashes; nothing for a folder that is absent or holds no file."""
    try:
        text = (place / MARKER).read_bytes()
    except FileNotFoundError:
        if others := files_in(place):
            raise OutputFolderError(
                f"{shown} is not a folder of scaffolder (it has no {MARKER}) and holds files: {_some(others)}. "
                "Choose another output folder, or empty this one"
            ) from None
        return {}
    try:
        files = json.loads(text)["files"]
        return {str(path): str(known) for path, known in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OutputFolderError(
            f"{shown / MARKER} is damaged, so what is generated here cannot be told from what is not. "
            "Choose another output folder, or empty this one"
        ) from None


def _marker(hashes: Mapping[str, str]) -> bytes:
    note = (
        "Written by scaffolder. It replaces and removes only the files listed here, and only while unedited."
    )
    return f"{json.dumps({'//': note, 'files': hashes}, indent=2, sort_keys=True)}\n".encode()


def _some(paths: list[str]) -> str:
    more = len(paths) - _NAMED
    return ", ".join(paths[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _hash_of(path: Path) -> str | None:
    """Hash a file; None where there is none. A link or folder in its place has a hash that no file has."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return "not a file"
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _check_unused(place: Path, shown: Path) -> None:
    """Refuse while Terraform runs in the folder: it would write its state into the one that is replaced."""
    root = f"{place.resolve()}/"
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (process / "comm").read_text().strip()
            if command in {"terraform", "tofu"} and f"{(process / 'cwd').readlink()}/".startswith(root):
                raise OutputFolderError(
                    f"{command} (process {process.name}) is running in {shown}. Wait for it, then run this again"
                )
