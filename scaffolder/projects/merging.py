"""Has git merge three trees in a quarantine: the old rendering, the new one, and the user's.

Nothing is written to the project or its repository. May not judge what comes out.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from scaffolder.errors import ProjectError
from scaffolder.projects.checkout import FILE, LINK, SUBMODULE, Tracked, listed
from scaffolder.projects.git import Running
from scaffolder.projects.quarantine import Quarantine, steering
from scaffolder.projects.tree import Tree
from stacks.record import record

__all__ = ["SIMILAR", "Merging", "Message", "Outcome", "Pair"]

SIMILAR = "50%"
"""How much of a file must be the same for git to take it for a renamed one: git's own default."""

MERGING = (
    "-c", "merge.renames=true",
    "-c", "merge.directoryRenames=true",
    "-c", "merge.renameLimit=100000",
    "-c", "diff.renameLimit=100000",
)  # fmt: skip


Pair: TypeAlias = "tuple[Tracked | None, Tracked | None]"
"""An entry before and after; one of them may be missing."""

Message: TypeAlias = "tuple[tuple[str, ...], str, str]"
"""The paths that git says something of, what sort of thing it says, and the text."""


@record
class Outcome:
    """What git has merged: trees by their ids, the entries that differ between them, and a conflict's by its stages.

    ``before`` is the user's tree as it is, ``tree`` the merged one; paths are below the top of the repository, but those
    that were ``left_out`` since the user's git ignores them are the project's.
    """

    before: str
    tree: str
    pairs: tuple[Pair, ...]
    stages: tuple[Tracked, ...]
    messages: tuple[Message, ...]
    left_out: tuple[str, ...]


@record
class _Told:
    """What `git merge-tree` says: the merged tree, the conflicts' entries, and messages."""

    tree: str
    stages: tuple[Tracked, ...]
    messages: tuple[Message, ...]


class Merging:
    """One merge, step by step, in a quarantine."""

    def __init__(
        self, quarantine: Quarantine, tracked: tuple[Tracked, ...], labels: tuple[str, str, str]
    ) -> None:
        self._quarantine = quarantine
        self._checkout = quarantine.checkout
        self._tracked = tracked
        self._labels = labels
        self._renormalize = False

    def merge(self, base: Tree, new: Tree, renames: Mapping[str, str]) -> Outcome:
        """Merge the three trees."""
        moves = self._moves(renames, base)
        base = {moves.get(path, path): file for path, file in base.items()}
        before, trees = self._trees(base, new, moves)
        left_out = self._left_out(base, new)
        commits = self._commits(*trees)
        told = self._told(commits)
        relabel = _Relabel(commits, self._labels)
        merged = self._relabelled(told, relabel)
        pairs, tree, alone = self._differences(before, merged)
        messages = [
            (tuple(map(relabel.path, paths)), kind, relabel.text(text.strip()))
            for paths, kind, text in told.messages
        ]
        return Outcome(
            before=before,
            tree=tree,
            pairs=tuple(pairs),
            stages=tuple(map(relabel.entry, told.stages)),
            messages=tuple(message for message in messages if alone.isdisjoint(message[0])),
            left_out=left_out,
        )

    def _moves(self, renames: Mapping[str, str], base: Tree) -> dict[str, str]:
        """Old paths to new ones, of the old rendering's files and the user's, below the project.

        Where something is at the new path already, both stay: git may still see by itself what became of the file.
        """
        prefix = len(self._checkout.prefix)
        fixed = {entry.path[prefix:] for entry in self._tracked if not entry.mode.startswith(FILE)}
        there = base.keys() | {entry.path[prefix:] for entry in self._tracked}
        moves = {
            path: target for path in sorted(there - fixed) if (target := _renamed(path, renames)) != path
        }
        while blocked := _blocked(moves, there):
            moves = {path: target for path, target in moves.items() if path not in blocked}
        return moves

    def _trees(self, base: Tree, new: Tree, moves: Mapping[str, str]) -> tuple[str, tuple[str, str, str]]:
        """Write the user's tree as it is, and the three to be merged: base, user's, new."""
        prefix = self._checkout.prefix
        moved = [
            replace(entry, path=prefix + moves.get(entry.path[len(prefix) :], entry.path[len(prefix) :]))
            for entry in self._tracked
        ]
        users = {
            after.path[len(prefix) :]: (self._checkout.top / entry.path).read_bytes()
            for entry, after in zip(self._tracked, moved, strict=True)
            if steering(entry.path) and entry.mode.startswith(FILE) and not entry.hidden
        }
        steered = _steered(base, new, users)
        self._renormalize = len({_attributes(each) for each in (_contents(base), _contents(new), users)}) > 1
        self._quarantine.fill("user", moved)
        there = {entry.path[len(prefix) :]: entry for entry in moved}
        adding = [
            self._add(name, tree, other, there, steers)
            for name, tree, other, steers in (("base", base, new, users), ("new", new, base, steered))
        ]
        mine = self._tree("user")
        before = mine
        if moved != list(self._tracked):
            self._quarantine.fill("before", self._tracked)
            before = self._tree("before")
        for each in adding:
            each.result()
        self._quarantine.settle("base", base, users)
        self._quarantine.settle("new", new, steered)
        return before, (self._tree("base"), mine, self._tree("new"))

    def _add(
        self, name: str, tree: Tree, other: Tree, there: Mapping[str, Tracked], steered: Mapping[str, bytes]
    ) -> Running:
        """Start to write one rendering.

        What is the same in both renderings stays what the owner has made of it: it is taken from there, unread.
        """
        known = [there[path] for path in tree if path in there and there[path].mode.startswith(FILE)]
        same = {
            path for path in tree if tree[path] == other.get(path) and path in there and not steering(path)
        }
        fresh = {
            path: file
            for path, file in tree.items()
            if path not in same or not there[path].mode.startswith(FILE)
        }
        return self._quarantine.write(name, known, fresh, steered)

    def _tree(self, name: str) -> str:
        return self._quarantine.run(name, "write-tree").decode().strip()

    def _left_out(self, base: Tree, new: Tree) -> tuple[str, ...]:
        """What the user's git ignores of the new rendering, and was not like that in the old one."""
        prefix = self._checkout.prefix
        told = os.fsdecode(self._quarantine.run("new", "ls-files", "-z")).split("\0")
        added = {path[len(prefix) :] for path in told}
        return tuple(
            sorted(path for path, file in new.items() if path not in added and base.get(path) != file)
        )

    def _commits(self, base: str, mine: str, new: str) -> tuple[str, str, str]:
        root, ours, theirs = self._quarantine.commit(base, mine, new)
        return root, ours, theirs

    def _told(self, commits: tuple[str, str, str]) -> _Told:
        renormalize = ("-c", "merge.renormalize=true") if self._renormalize else ()
        asked = ("merge-tree", "--write-tree", "-z", "--messages", commits[1], commits[2])
        told = os.fsdecode(self._quarantine.run("new", *MERGING, *renormalize, *asked, good=(0, 1)))
        tree, *lines = told.split("\0")
        end = lines.index("")
        stages = tuple(_stage(line) for line in lines[:end])
        return _Told(tree=tree, stages=stages, messages=tuple(_messages(lines[end + 1 :])))

    def _relabelled(self, told: _Told, relabel: _Relabel) -> str:
        """The merged tree, with the sides' names for the ids that git puts into files and paths."""
        if not told.stages:
            return told.tree
        run = self._quarantine.run
        listing = os.fsdecode(run("new", "ls-tree", "-r", "-z", told.tree)).split("\0")[:-1]
        entries = [_entry(line) for line in listing]
        paths = {stage.path for stage in told.stages}
        marked = [entry for entry in entries if entry.path in paths and entry.mode.startswith(FILE)]
        asked = "".join(f"{entry.oid}\n" for entry in marked).encode()
        contents = _blobs(run("new", "cat-file", "--batch", stdin=asked)) if marked else []
        changed: dict[str, Path] = {}
        for entry, content in zip(marked, contents, strict=True):
            named = relabel.content(content)
            if named != content:
                changed[entry.path] = self._quarantine.folder / f"marked-{len(changed)}"
                changed[entry.path].write_bytes(named)
        stdin = "".join(f"{path}\n" for path in changed.values()).encode()
        oids = (
            run("new", "hash-object", "-w", "--no-filters", "--stdin-paths", stdin=stdin).split()
            if changed
            else []
        )
        known = dict(zip(changed, (oid.decode() for oid in oids), strict=True))
        named_entries = [replace(relabel.entry(each), oid=known.get(each.path, each.oid)) for each in entries]
        if named_entries == entries:
            return told.tree
        self._quarantine.fill("merged", named_entries)
        return self._tree("merged")

    def _differences(self, before: str, merged: str) -> tuple[list[Pair], str, frozenset[str]]:
        """The pairs of entries that differ, the tree that they lead to, and the paths that are left alone.

        The user's submodules and links stay where they are, also where git would take them along with a folder.
        """
        told = self._quarantine.run(
            "new",
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            f"--find-renames={SIMILAR}",
            "-l100000",
            before,
            merged,
        )
        pairs = list(_pairs(os.fsdecode(told).split("\0")[:-1]))
        alone = [pair for pair in pairs if _is_left_alone(*pair)]
        if not alone:
            return pairs, merged, frozenset()
        pairs = [pair for pair in pairs if not _is_left_alone(*pair)]
        stay = [old for old, _ in alone if old]
        writes = {after.path for _, after in pairs if after}
        blocked = [old.path for old in stay if any(_overlap(old.path, path) for path in writes)]
        if blocked:
            raise ProjectError(
                f"the template has files where this project has a submodule or a link: {listed(blocked)}. "
                "Move it elsewhere, commit, and update again."
            )
        gone = [replace(after, mode="0", oid=self._checkout.nothing) for _, after in alone if after]
        self._quarantine.run("stay", "read-tree", merged)
        self._quarantine.fill("stay", (*gone, *stay))
        return pairs, self._tree("stay"), frozenset(each.path for each in gone)


class _Relabel:
    """Puts the sides' names where git, which is given commits, puts their ids."""

    def __init__(self, commits: tuple[str, str, str], labels: tuple[str, str, str]) -> None:
        base, ours, theirs = commits
        yours, new, before = labels
        self._names = {ours: yours, theirs: new}
        sides = (("<", ours, yours), (">", theirs, new), ("<", theirs, new), (">", ours, yours))
        self._markers = [
            (
                re.compile(rb"^(%s{7,} )%s(?=[:\r\n]|$)" % (mark.encode(), oid.encode()), re.MULTILINE),
                label.encode(),
            )
            for mark, oid, label in sides
        ]
        # The base's id is shortened, as much as its repository allows.
        short = rb"^(\|{7,} )%s[0-9a-f]*(?=[:\r\n]|$)" % base[:4].encode()
        self._markers.append((re.compile(short, re.MULTILINE), before.encode()))

    def text(self, text: str) -> str:
        """A message with names."""
        for oid, name in self._names.items():
            text = text.replace(f"~{oid}", f"~{_in_path(name)}").replace(oid, name)
        return text

    def path(self, path: str) -> str:
        """A path; git appends a side's name where both sides have a file of another kind."""
        for oid, name in self._names.items():
            path = path.replace(f"~{oid}", f"~{_in_path(name)}")
        return path

    def entry(self, entry: Tracked) -> Tracked:
        """An entry at its path with names."""
        return replace(entry, path=self.path(entry.path))

    def content(self, content: bytes) -> bytes:
        """A file whose markers of conflicts have names."""
        for pattern, label in self._markers:
            content = pattern.sub(rb"\g<1>" + label.replace(b"\\", rb"\\"), content)
        return content


def _renamed(path: str, renames: Mapping[str, str]) -> str:
    """A path after the rename of it, or of the nearest folder above it."""
    above = path
    while above and above not in renames:
        above = above.rpartition("/")[0]
    return f"{renames[above]}{path[len(above) :]}" if above else path


def _blocked(moves: Mapping[str, str], there: Set[str]) -> set[str]:
    """The paths that would move to where another file stays or moves to."""
    staying = there - moves.keys()
    arriving = Counter(moves.values())
    return {path for path, target in moves.items() if target in staying or arriving[target] > 1}


def _in_path(label: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", label)


def _contents(tree: Tree) -> dict[str, bytes]:
    return {path: file.content for path, file in tree.items() if steering(path)}


def _attributes(files: Mapping[str, bytes]) -> frozenset[tuple[str, bytes]]:
    return frozenset((path, content) for path, content in files.items() if path.endswith(".gitattributes"))


def _steered(base: Tree, new: Tree, users: Mapping[str, bytes]) -> dict[str, bytes]:
    """The steering files that hold for the new rendering: the user's, as the template changes them."""
    olds, news = _contents(base), _contents(new)
    steered = {}
    for path in olds.keys() | news.keys() | users.keys():
        old, renewed, user = olds.get(path), news.get(path), users.get(path)
        if renewed == old:
            holds = user
        elif user == old:
            holds = renewed
        else:
            # Both changed it. Of two rules for a file, git takes the later one: the user's.
            holds = b"\n".join(each for each in (renewed, user) if each is not None) or None
        if holds is not None:
            steered[path] = holds
    return steered


def _stage(line: str) -> Tracked:
    head, _, path = line.partition("\t")
    mode, oid, stage = head.split(" ")
    return Tracked(path=path, mode=mode, oid=oid, stage=int(stage))


def _entry(line: str) -> Tracked:
    head, _, path = line.partition("\t")
    mode, _, oid = head.split(" ")
    return Tracked(path=path, mode=mode, oid=oid)


def _messages(tokens: list[str]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    at = 0
    while at < len(tokens) and tokens[at]:
        count = int(tokens[at])
        paths = tuple(tokens[at + 1 : at + 1 + count])
        yield paths, tokens[at + 1 + count], tokens[at + 2 + count]
        at += 3 + count


def _blobs(told: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(told):
        end = told.index(b"\n", at)
        size = int(told[at:end].split()[2])
        found.append(told[end + 1 : end + 1 + size])
        at = end + size + 2
    return found


def _pairs(tokens: list[str]) -> Iterator[Pair]:
    """Read `git diff-tree --raw -z`: an entry before and after, each of which may be missing."""
    rest = iter(tokens)
    for head in rest:
        old_mode, mode, old_oid, oid, status = head.removeprefix(":").split(" ")
        path = next(rest)
        target = next(rest) if status[0] == "R" else path
        old = None if status[0] == "A" else Tracked(path=path, mode=old_mode, oid=old_oid)
        yield old, (None if status[0] == "D" else Tracked(path=target, mode=mode, oid=oid))


def _is_left_alone(old: Tracked | None, after: Tracked | None) -> bool:
    if old is None:
        return False
    is_moved_link = after is not None and old.path != after.path and old.mode.startswith(LINK)
    return old.mode.startswith(SUBMODULE) or is_moved_link


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
