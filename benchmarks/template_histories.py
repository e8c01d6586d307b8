"""Runs the histories of `tests/projects/histories.py` through a tool's update, and judges what came out by one rule.

The rule is in :func:`judged`. May not know how a tool merges.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.template_spelling import OWN_FILES, Version, commit_version, cookiecutters, copiers
from scaffolder.projects.tree import File
from stacks.record import record
from tests.projects.histories import HISTORIES, History, Link, build, git, read_tree

__all__ = ["Outcome", "Tool", "judged", "run_histories"]

_SECONDS = 120.0
_SIDE = "~model-2.0.0"


@record
class Tool:
    """How a tool makes a project of version 1 in ``{folder}`` of ``{repository}``, and updates the project it is run in."""

    name: str
    is_copier: bool
    new: tuple[str, ...]
    update: tuple[str, ...]


@record
class Outcome:
    """What a tool made of a history. ``lost`` are the owner's lines that are nowhere any more.

    ``unresolved``: both sides changed the same thing, or the tool left a mark or a rejected piece; ``named``: its words
    name the file. ``said`` is the last line of a tool that failed without a conflict.
    """

    history: str
    exit_code: int
    wrong: bool
    lost: int
    unresolved: bool
    named: bool
    said: str = ""

    @property
    def silent(self) -> bool:
        return self.unresolved and self.exit_code == 0


Tree = Mapping[str, "File | Link"]


def run_histories(tool: Tool, environment: Mapping[str, str]) -> tuple[Outcome, ...]:
    """Run every history; where a template says what it renames, copier gets it as a migration if that helps it."""
    found = []
    for history in HISTORIES:
        outcomes = [_ran(tool, history, environment, migrations=True)]
        if history.renames and tool.is_copier:
            outcomes.append(_ran(tool, history, environment, migrations=False))
        found.append(min(outcomes, key=lambda each: (each.lost, each.wrong, each.silent)))
    return tuple(found)


def _ran(tool: Tool, history: History, environment: Mapping[str, str], *, migrations: bool) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="scaffolder-benchmark-") as made:
        folder = Path(made)
        versions = (
            Version(number="1.0.0", files=history.old, questions={}, renames={}, literal=True),
            Version(number="2.0.0", files=history.new, questions={}, renames=history.renames, literal=True),
        )
        spelt = {
            each.number: copiers(each, migrations=migrations) if tool.is_copier else cookiecutters(each)
            for each in versions
        }
        repository = folder / "template"
        commit_version(repository, "1.0.0", spelt["1.0.0"])
        kept = _made(tool, history, repository, folder / "made" / "churn", environment)
        commit_version(repository, "2.0.0", spelt["2.0.0"])
        start = replace(history, old={**history.old, **kept})
        place = folder / "place"
        place.mkdir()
        project = build(start, place)
        before = _without_own(read_tree(project))
        done = _run(tool.update, project, repository, environment)
        done.stdout = done.stdout.replace(made, "")  # no path of this machine ends in the results
        return judged(history, before, _without_own(read_tree(project)), done, _unmerged(project))


def _made(
    tool: Tool, history: History, repository: Path, folder: Path, environment: Mapping[str, str]
) -> dict[str, File]:
    """Let the tool make the project once: it must be the old rendering; what the tool keeps in it is returned."""
    folder.parent.mkdir()
    command = tuple(
        each.format(repository=repository, folder=folder, parent=folder.parent) for each in tool.new
    )
    done = _run(command, folder.parent, repository, environment)
    tree = read_tree(folder) if folder.is_dir() else {}
    if done.returncode or _without_own(tree) != dict(history.old):
        raise SystemExit(f"{tool.name} does not render {history.name!r} as it is: {done.stdout}")
    return {path: file for path, file in tree.items() if path in OWN_FILES and isinstance(file, File)}


def _run(
    command: tuple[str, ...], folder: Path, repository: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        tuple(each.format(repository=repository) for each in command),
        cwd=folder,
        env=dict(environment),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=_SECONDS,
    )


def _without_own(tree: Tree) -> dict[str, File | Link]:
    return {path: file for path, file in tree.items() if path not in OWN_FILES}


def _unmerged(project: Path) -> set[str]:
    told = git(project, "ls-files", "--unmerged", "-z").split("\0")[:-1]
    return {line.partition("\t")[2] for line in told} - set(OWN_FILES)


# --- the rule --------------------------------------------------------------------------------------------------------


def judged(
    history: History, before: Tree, after: Tree, done: subprocess.CompletedProcess[str], unmerged: set[str]
) -> Outcome:
    """Judge a tree by the same rule for each tool.

    *Wrong*: without a conflict in the history, the tree differs from the expected one by a byte, a mode or a file. With
    one, the paths outside the conflict must be as expected; how the conflict itself is shown is the tool's affair, and
    so is whether a new file that the owner's git ignores is written.

    *Lost*: lines that the owner added (in the project before, not in the old rendering) and that are in no file now. A
    line in a rejected piece (``.rej``) is not lost if the exit code or the tool's words tell of it.

    *Unresolved*: the history has a conflict, or the tool left conflict markers, a rejected piece or an unmerged path.
    That is *silent* with exit code 0. An update that fails without either is wrong.
    """
    rejected = {path for path in after if path.endswith(".rej") and path not in before}
    marked = {path for path, file in after.items() if _has_markers(file) and path not in rejected}
    free = _free(history)
    if history.refused:
        wrong = dict(after) != dict(history.expected) or done.returncode == 0
        unresolved = False
    else:
        differing = {
            path for path in {*after, *history.expected} if after.get(path) != history.expected.get(path)
        }
        wrong = any(not _is_free(path, free) for path in differing)
        unresolved = bool(history.conflicts or rejected or marked or unmerged)
    failed = done.returncode != 0 and not (rejected or marked or unmerged or history.refused)
    places = rejected | marked | unmerged | set(history.conflicts)
    named = any(path.removesuffix(".rej").removesuffix(_SIDE) in done.stdout for path in places)
    told = done.returncode != 0 or any(path.removesuffix(".rej") in done.stdout for path in rejected)
    return Outcome(
        history=history.name,
        exit_code=done.returncode,
        wrong=wrong or failed,
        lost=_lost(history, before, after, rejected, told=told),
        unresolved=unresolved,
        named=named,
        said=_last(done.stdout) if failed else "",
    )


def _free(history: History) -> set[str]:
    """The paths that a conflict of the history is about, or that the owner's git ignores."""
    if not history.conflicts:
        return {*history.left_out}
    return {path.removesuffix(_SIDE) for path in history.conflicts} | (
        history.old.keys() - history.new.keys()
    )


def _is_free(path: str, free: set[str]) -> bool:
    name = path.removesuffix(".rej").removesuffix(".orig").removesuffix(_SIDE)
    return name in free or any(name.startswith(f"{each}/") for each in free)


def _has_markers(file: File | Link) -> bool:
    return isinstance(file, File) and any(
        line.startswith((b"<<<<<<< ", b">>>>>>> ")) for line in file.content.split(b"\n")
    )


def _lost(history: History, before: Tree, after: Tree, rejected: set[str], *, told: bool) -> int:
    own = _lines(before) - _lines(history.old)
    there = _lines({path: file for path, file in after.items() if path not in rejected})
    if told:
        for path in rejected:
            there.update(line[1:] for line in _lines({path: after[path]}).elements())
    return (own - there).total()


def _lines(tree: Tree) -> Counter[bytes]:
    """All lines of a tree; how they end is no edit. A link's target is a line."""
    counted: Counter[bytes] = Counter()
    for file in tree.values():
        content = os.fsencode(file.to) if isinstance(file, Link) else file.content
        counted.update(line.rstrip(b"\r") for line in content.split(b"\n"))
    del counted[b""]
    return counted


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""
