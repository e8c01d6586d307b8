"""Merges what a template has become with what a project's owners have made of it, three ways, by git.

Nothing is written to the project or its repository. May not know what a template is: it is given trees.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, Self, TypeAlias

from scaffolder.errors import ProjectError, TemplateError
from scaffolder.projects.checkout import (
    Checkout,
    Signature,
    Tracked,
    find_checkout,
    listed,
    refuse_unready,
    signature,
    tracked_files,
)
from scaffolder.projects.git import check_git
from scaffolder.projects.merging import SIMILAR, Merging, Outcome
from scaffolder.projects.quarantine import Quarantine
from scaffolder.projects.tree import Tree, path_problem, shown_path
from stacks.record import record

__all__ = ["Change", "Conflict", "Kind", "Merge", "three_way"]

Kind: TypeAlias = Literal["added", "changed", "deleted", "moved"]

YOURS = "yours"


@record
class Change:
    """One file that an update changes. ``origin`` is where a moved one was; paths are the project's."""

    path: str
    kind: Kind
    origin: str = ""


@record
class Conflict:
    """One file that both sides changed so that git does not know what is right; ``kind`` and ``message`` are git's."""

    path: str
    kind: str
    message: str


@record
class Merge:
    """What an update makes of a project, and all that applying it needs. Close it, or use it in a ``with``.

    ``notes`` are what git did that the user may not expect; ``left_out`` are files of the new rendering that the
    user's git ignores. ``tree`` is the merged tree's id, with the markers of conflicts.
    """

    checkout: Checkout
    label: str
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]
    left_out: tuple[str, ...]
    tree: str
    before: str
    """The id of the tree as the user has it, with only the project in it."""
    tracked: tuple[Tracked, ...]
    """What the index held below the project."""
    index: tuple[Tracked, ...]
    """The index's new entries by paths below the top: mode 0 where one goes, stages 1 to 3 where there is a conflict."""
    writes: tuple[Tracked, ...]
    removes: tuple[str, ...]
    seen: Mapping[str, Signature]
    """What the files that are written or removed were like when git looked."""
    quarantine: Quarantine

    @property
    def clean(self) -> bool:
        """Whether there is no conflict."""
        return not self.conflicts

    def diff(self) -> str:
        """The update as `git diff` shows it, with paths from the project's folder."""
        prefix = self.checkout.prefix
        shown = ("--patch", "--no-ext-diff", "--no-textconv", "--no-color", f"--find-renames={SIMILAR}")
        relative = (f"--relative={prefix}",) if prefix else ()
        told = self.quarantine.run("new", "diff-tree", "-r", *shown, *relative, self.before, self.tree)
        return told.decode("utf-8", "replace")

    def close(self) -> None:
        """Forget the objects that the merge made: it can be neither shown nor applied afterwards."""
        self.quarantine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def three_way(
    project: Path,
    base: Tree,
    new: Tree,
    renames: Mapping[str, str] | None = None,
    *,
    label_new: str,
    label_base: str = "the template before",
) -> Merge:
    """Merge: ``base`` is the old rendering, ``new`` the new one, the other side is the commit that is checked out.

    ``renames`` are the template's own, old path of a file or folder to new one; the user's files move with them
    whatever they hold by now. The labels name the sides in the markers of conflicts.

    Raises:
        ProjectError: the project is in no state for it, or a file that git does not track is in the way.
        TemplateError: a tree has a path that no tree may have.
    """
    check_git()
    for path in sorted(base.keys() | new.keys()):
        if problem := path_problem(path):
            raise TemplateError(f"{shown_path(path)} {problem}")
    checkout = find_checkout(project)
    tracked = tracked_files(checkout)
    seen = {entry.path: signature(checkout.top / entry.path) for entry in tracked}
    refuse_unready(checkout, tracked)
    quarantine = Quarantine(checkout)
    try:
        merging = Merging(quarantine, tracked, (YOURS, label_new, label_base))
        merge = _judged(merging.merge(base, new, renames or {}), quarantine, tracked, seen, label_new)
        _refuse_in_the_way(merge)
    except BaseException:
        quarantine.close()
        raise
    return merge


def _judged(
    outcome: Outcome,
    quarantine: Quarantine,
    tracked: tuple[Tracked, ...],
    seen: Mapping[str, Signature],
    label: str,
) -> Merge:
    checkout = quarantine.checkout
    conflicts, notes = _said(outcome, checkout.prefix)
    writes = tuple(after for _, after in outcome.pairs if after)
    kept = {entry.path for entry in writes}
    removes = tuple(sorted({old.path for old, _ in outcome.pairs if old} - kept))
    return Merge(
        checkout=checkout,
        label=label,
        changes=tuple(_change(old, after, checkout.prefix) for old, after in outcome.pairs),
        conflicts=conflicts,
        notes=notes,
        left_out=outcome.left_out,
        tree=outcome.tree,
        before=outcome.before,
        tracked=tracked,
        index=tuple(_index(writes, removes, outcome.stages, checkout.nothing)),
        writes=writes,
        removes=removes,
        seen={path: seen.get(path, ()) for path in (*removes, *sorted(kept))},
        quarantine=quarantine,
    )


def _index(
    writes: Iterable[Tracked], removes: Iterable[str], stages: Iterable[Tracked], nothing: str
) -> Iterator[Tracked]:
    """What changes in the index: what goes comes first, so that a file may take a folder's place."""
    stages = tuple(stages)
    conflicted = {stage.path for stage in stages}
    for path in sorted({*removes, *conflicted}):
        yield Tracked(path=path, mode="0", oid=nothing)
    yield from (entry for entry in writes if entry.path not in conflicted)
    yield from stages


def _change(old: Tracked | None, after: Tracked | None, prefix: str) -> Change:
    if after is None:
        assert old is not None  # noqa: S101 - a difference has a side
        return Change(path=old.path[len(prefix) :], kind="deleted")
    path = after.path[len(prefix) :]
    if old is None:
        return Change(path=path, kind="added")
    if old.path != after.path:
        return Change(path=path, kind="moved", origin=old.path[len(prefix) :])
    return Change(path=path, kind="changed")


def _said(outcome: Outcome, prefix: str) -> tuple[tuple[Conflict, ...], tuple[str, ...]]:
    """What git says: conflicts, which have entries in the index, and notes."""
    staged = {stage.path for stage in outcome.stages}
    conflicts: dict[tuple[str, str], Conflict] = {}
    notes = []
    for paths, kind, text in outcome.messages:
        where = staged.intersection(paths)
        if kind.startswith("CONFLICT") and where:
            sort = kind.removeprefix("CONFLICT").strip(" ()")
            for path in where:
                conflicts[path, sort] = Conflict(path=path[len(prefix) :], kind=sort, message=text)
        elif kind != "Auto-merging":
            notes.append(text)
    for path in staged - {path for path, _ in conflicts}:
        text = f"CONFLICT: both sides changed {path}"
        conflicts[path, ""] = Conflict(path=path[len(prefix) :], kind="contents", message=text)
    return tuple(conflicts[key] for key in sorted(conflicts)), tuple(notes)


def _refuse_in_the_way(merge: Merge) -> None:
    """Refuse to write where there is something that git would not bring back.

    Raises:
        ProjectError: something is; it says what.
    """
    hidden = {entry.path for entry in merge.tracked if entry.hidden}.intersection(merge.seen)
    if hidden:
        raise ProjectError(
            f"the update changes {listed(sorted(hidden))}, and git was told not to look at that. Let it look again: "
            "git update-index --no-assume-unchanged or --no-skip-worktree, or git sparse-checkout disable."
        )
    top = merge.checkout.top
    tracked = {entry.path for entry in merge.tracked}
    gone = frozenset(merge.removes)
    found = {path for entry in merge.writes for path in _in_the_way(top, entry.path, tracked, gone)}
    if found:
        raise ProjectError(
            f"the update writes where there is something that is not in git: {listed(sorted(found))}. "
            "Move it away, or add and commit it, and update again."
        )


def _in_the_way(top: Path, path: str, tracked: set[str], gone: frozenset[str]) -> Iterator[str]:
    parts = path.split("/")
    for end in range(1, len(parts)):
        above = "/".join(parts[:end])
        place = top / above
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            if above not in gone:
                yield above
            return
    place = top / path
    if place.is_dir() and not place.is_symlink():
        below = [below for below in place.rglob("*") if below.is_symlink() or not below.is_dir()]
        yield from (name for each in below if (name := each.relative_to(top).as_posix()) not in gone)
    elif path not in tracked and os.path.lexists(place):
        yield path
