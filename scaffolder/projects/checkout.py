"""What git knows of a project's folder: its repository, its tracked files, and whether it may be updated now.

The folder may be a part of its repository, a linked work tree or a submodule. May not change anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from scaffolder.errors import ProjectError
from scaffolder.projects.git import Around, GitFailed, git
from scaffolder.projects.tree import shown_path
from stacks.record import record

__all__ = [
    "FILE",
    "LINK",
    "SUBMODULE",
    "Checkout",
    "Signature",
    "Tracked",
    "find_checkout",
    "is_below_top",
    "listed",
    "refuse_unready",
    "refuse_unresolved",
    "signature",
    "top_of",
    "tracked_files",
]

FILE, LINK, SUBMODULE = "100", "120", "160"
"""How the modes of git's entries begin."""

IN_PROGRESS = {
    "MERGE_HEAD": ("a merge", "git merge --abort"),
    "rebase-merge": ("a rebase", "git rebase --abort"),
    "rebase-apply": ("a rebase", "git rebase --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "git cherry-pick --abort"),
    "REVERT_HEAD": ("a revert", "git revert --abort"),
}

Signature: TypeAlias = tuple[int, ...]
"""What changes with a file: its mode, size, inode and times in nanoseconds; empty where there is no file."""


@record
class Checkout:
    """Where a project is. ``prefix`` is its path below ``top``, empty or with a slash at the end.

    ``git_folder`` is this work tree's own, ``objects`` all work trees' store.
    """

    project: Path
    top: Path
    prefix: str
    git_folder: Path
    objects: Path
    index: Path
    object_format: str

    @property
    def nothing(self) -> str:
        """The id that stands for no object."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    def around(self, **variables: str | Path) -> Around:
        """What makes git work on this repository from anywhere, with some more variables."""
        places = {"GIT_DIR": self.git_folder, "GIT_WORK_TREE": self.top, **variables}
        return Around(variables={name: str(value) for name, value in places.items()}, settings=PLAIN)


PLAIN = {
    "core.fileMode": "true",
    "core.safecrlf": "false",
    "core.sparseCheckout": "false",
    "core.splitIndex": "false",
    "index.sparse": "false",
}


@record
class Tracked:
    """One entry of the index, by its path below ``Checkout.top``. ``hidden``: git was told not to look at the file.

    ``stage`` is 0, or in a conflict 1 for the common file, 2 for the user's and 3 for the template's.
    """

    path: str
    mode: str
    oid: str
    hidden: bool = False
    stage: int = 0


def find_checkout(project: Path) -> Checkout:
    """The checkout that a folder is in.

    Raises:
        ProjectError: it is in none, or git does not read it.
    """
    asked = (
        "--path-format=absolute", "--show-toplevel", "--absolute-git-dir", "--git-path", "objects", "--git-path", "index",
        "--show-object-format", "--show-prefix",
    )  # fmt: skip
    try:
        told = os.fsdecode(git(project, ("rev-parse", *asked)))
    except FileNotFoundError as error:
        raise ProjectError(f"there is no folder {project}") from error
    except GitFailed as failed:
        if "not a git repository" in failed.told:
            raise ProjectError(
                f"{project} is in no git repository, and updates are merged by git. "
                "Make one of it as it was made: git init, git add --all, git commit."
            ) from failed
        raise ProjectError(f"git does not read {project}: {failed.told}") from failed
    lines = told.split("\n")
    if len(lines) != 7:
        raise ProjectError(
            f"{project} has a line break in its path, or is no work tree. Check it out elsewhere."
        )
    top, git_folder, objects, index, object_format, prefix, _ = lines
    return Checkout(
        project=project,
        top=Path(top),
        prefix=prefix,
        git_folder=Path(git_folder),
        objects=Path(objects),
        index=Path(index),
        object_format=object_format,
    )


def top_of(folder: Path) -> Path | None:
    """The top of the repository that a folder, which need not be there, is in; git is not started for it."""
    place = Path(os.path.realpath(folder))
    return next((each for each in (place, *place.parents) if (each / ".git").exists()), None)


def is_below_top(folder: Path) -> bool:
    """Whether a folder is in a repository and not its top, so that no CI system looks for its pipelines there."""
    return top_of(folder) not in {None, Path(os.path.realpath(folder))}


def tracked_files(checkout: Checkout, around: Around | None = None) -> tuple[Tracked, ...]:
    """The index's entries below the project; unmerged ones have one for each stage."""
    told = git(
        checkout.top / checkout.prefix,
        ("ls-files", "-s", "-v", "-z", "--full-name", "--", "."),
        around=around,
    )
    return tuple(_tracked(line) for line in os.fsdecode(told).split("\0")[:-1])


def _tracked(line: str) -> Tracked:
    head, _, path = line.partition("\t")
    tag, mode, oid, stage = head.split(" ")
    return Tracked(path=path, mode=mode, oid=oid, stage=int(stage), hidden=tag == "S" or tag.islower())


def refuse_unready(checkout: Checkout, tracked: Iterable[Tracked]) -> None:
    """Let a project through whose files are all committed, and where git is in the middle of nothing.

    Raises:
        ProjectError: another one; it says what to do.
    """
    where = shown_path(checkout.project.as_posix())
    for name, (what, way_out) in IN_PROGRESS.items():
        if (checkout.git_folder / name).exists():
            raise ProjectError(f"{where} is in the middle of {what}. Finish it, or leave it: {way_out}.")
    untracked = "--untracked-files=normal"
    asked = (
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        untracked,
        "--ignore-submodules=dirty",
        "--no-renames",
    )
    told = git(checkout.top / checkout.prefix, (*asked, "--", "."))
    lines = os.fsdecode(told).split("\0")[:-1]
    if "# branch.oid (initial)" in lines:
        raise ProjectError(f"{where} has no commit yet. Commit it as it was made: git add --all, git commit.")
    unmerged = [line.split(" ", 10)[10] for line in lines if line[0] == "u"]
    if unmerged:
        raise ProjectError(
            f"{where} has conflicts that are not resolved: {listed(unmerged)}. Resolve them, git add them, and commit."
        )
    changed = [line.split(" ", 8)[8] for line in lines if line[0] == "1"]
    new = [line[2:] for line in lines if line[0] == "?"]
    if changed or new:
        found = [f"{listed(changed)} changed"] * bool(changed) + [f"{listed(new)} not in git"] * bool(new)
        raise ProjectError(
            f"{where} has work that is not committed: {'; '.join(found)}. Commit or stash it first."
        )
    if not any(tracked):
        raise ProjectError(
            f"no file of {where} is in git. Add and commit it first: git add --force, git commit."
        )


def refuse_unresolved(project: Path) -> None:
    """Let a project through in which no conflict waits for its owners; one that git does not keep has none.

    Raises:
        ProjectError: conflicts wait, which an update left, or something else.
    """
    try:
        told = git(project, ("ls-files", "--unmerged", "-z"))
    except GitFailed:
        return
    unmerged = [*dict.fromkeys(line.partition("\t")[2] for line in os.fsdecode(told).split("\0")[:-1])]
    if unmerged:
        raise ProjectError(
            f"{shown_path(project.as_posix())} has conflicts that are not resolved: {listed(unmerged)}. Resolve them, "
            "git add them, and commit."
        )


def signature(path: Path) -> Signature:
    """What would differ if somebody changed the file."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return (found.st_mode, found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)


def listed(paths: Iterable[str]) -> str:
    """Some paths for a message: the first three, and how many more."""
    names = [shown_path(path) for path in paths]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
