"""Says of many projects how far behind their templates they are, and whether an update would merge cleanly.

Projects are looked at in processes of their own, as many at a time as the machine has cores. May not change a project,
nor give up on all of them because of one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

from scaffolder.errors import ProjectError, ScaffolderError, UsageError
from scaffolder.projects.checkout import refuse_unresolved
from scaffolder.projects.merge import Merge, three_way
from scaffolder.projects.record import RECORD, Layer, read_record
from scaffolder.projects.sources import parse_source, versions
from scaffolder.projects.updating import Wish, plan_update
from scaffolder.projects.versions import parse_version
from stacks.record import record

__all__ = ["LayerStatusJson", "Look", "ProjectStatusJson", "State", "find_projects", "statuses"]

State: TypeAlias = Literal["current", "clean", "conflicts", "blocked", "failed"]
"""Nothing to update; an update would merge cleanly, or not; git is in no state for it; a template cannot be had."""

DEEPEST = 6
"""How many folders below a place projects are looked for."""

SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})


class LayerStatusJson(TypedDict):
    """A template of a project: its version there, the one that an update goes to, and how many versions are between."""

    template: str
    source: str
    version: str
    newest: str
    behind: int


class ProjectStatusJson(TypedDict):
    """How a project stands; `message` says why it is blocked or failed, or that a version is deprecated; `conflicts` are the paths that would conflict."""

    project: str
    name: str
    state: str
    layers: list[LayerStatusJson]
    changes: int
    conflicts: list[str]
    message: str


@record
class Look:
    """How to look at projects: as `scaffolder update` would with the same catalog and trust."""

    version: str
    catalog: str = ""
    trust: bool = False
    jobs: int = 1


INSIDE = 2
"""How far below a project others are looked for: infra/ and models/churn/ of one repository."""


def find_projects(places: Iterable[Path]) -> tuple[Path, ...]:
    """The projects at some folders or below them, without hidden folders and what is inside a project; sorted.

    Raises:
        UsageError: a folder is not there, or there is no project in it.
    """
    found: set[Path] = set()
    wrong = []
    for place in places:
        if not place.is_dir():
            wrong.append(f"there is no folder {place}")
            continue
        here = {*_below(place.absolute(), DEEPEST)}
        if not here:
            wrong.append(
                f"there is no project of scaffolder in {place}, nor up to {DEEPEST} folders below it"
            )
        found |= here
    if wrong:
        raise UsageError("\n".join(wrong))
    return tuple(sorted(found))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / RECORD).is_file():
        yield folder
        depth = min(depth, INSIDE)
    if depth == 0:
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError:
        return
    for entry in entries:
        if (
            entry.is_dir(follow_symlinks=False)
            and not entry.name.startswith(".")
            and entry.name not in SKIPPED
        ):
            yield from _below(Path(entry.path), depth - 1)


def statuses(projects: Sequence[Path], look: Look) -> Iterator[ProjectStatusJson]:
    """How each project stands, in the order given."""
    # A child is sent plain values: records cannot be changed, and so cannot be unpacked there.
    asked = [(project, look.version, look.catalog, look.trust) for project in projects]
    jobs = min(look.jobs, len(asked))
    if jobs <= 1:
        yield from map(_status, asked)
        return
    _ask_sources(projects)
    # What a source answered is known to children that are forked; one that is killed ends this instead of stalling it.
    forking = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs, mp_context=forking, initializer=_ignore_interrupt) as pool:
        yield from pool.map(_status, asked)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent, which ends the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _ask_sources(projects: Iterable[Path]) -> None:
    """Ask each source for its versions once, whatever it answers: each project tells for itself."""
    asked = set()
    for project in projects:
        try:
            for layer in read_record(project).layers:
                source = parse_source(layer.source, base=project)
                if not layer.part and source not in asked:
                    asked.add(source)
                    versions(source)
        except ScaffolderError:
            continue


def _status(asked: tuple[Path, str, str, bool]) -> ProjectStatusJson:
    """How one project stands; a failure is an answer, too."""
    project, version, catalog, trust = asked
    found = ProjectStatusJson(
        project=str(project), name="", state="failed", layers=[], changes=0, conflicts=[], message=""
    )
    try:
        kept = read_record(project)
        found["name"] = kept.project
        found["layers"] = [_layer(layer) for layer in kept.layers if not layer.part]
        wish = Wish(catalog=catalog, trust=trust)
        plan = plan_update(project, wish, version, lambda _told: None)
        found["message"] = "\n".join(plan.deprecated)
        after = {step.template: step.after for step in plan.steps}
        for layer in found["layers"]:
            layer["newest"] = after.get(layer["template"], "") or layer["version"]
            layer["behind"] = _behind(project, layer)
        if plan.is_idle:
            refuse_unresolved(project)
            found["state"] = "current"
            return found
        with three_way(project, plan.base, plan.new, plan.renames, label_new=plan.label) as merge:
            _merged(found, merge)
    except ProjectError as error:
        found["state"] = "blocked"
        found["message"] = str(error)
    except (ScaffolderError, OSError) as error:
        found["message"] = str(error)
    return found


def _merged(found: ProjectStatusJson, merge: Merge) -> None:
    found["changes"] = len(merge.changes)
    found["conflicts"] = sorted({conflict.path for conflict in merge.conflicts})
    found["state"] = "conflicts" if found["conflicts"] else "clean" if merge.changes else "current"


def _layer(layer: Layer) -> LayerStatusJson:
    return LayerStatusJson(
        template=layer.template, source=layer.source, version=layer.version, newest="", behind=0
    )


def _behind(project: Path, layer: LayerStatusJson) -> int:
    """How many released versions are newer than the project's, up to the one that an update goes to."""
    now, newest = parse_version(layer["version"]), parse_version(layer["newest"])
    if now is None or newest is None or newest <= now:
        return 0
    between = [
        version
        for version in versions(parse_source(layer["source"], base=project))
        if now < version <= newest and not version.is_prerelease
    ]
    return max(len(between), 1)
