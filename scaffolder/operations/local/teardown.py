"""What operations have made on this machine, in the order in which it has to go.

Endpoints first, since they serve models; then what runs and what it has left; the registry last. May not touch anything
outside ``.scaffolder/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.local.files import disk_errors
from scaffolder.operations.local.trees import remove_tree
from scaffolder.operations.values import FINISHED, Removable
from scaffolder.operations.waiting import Polling, wait_until

if TYPE_CHECKING:
    from scaffolder.operations.local.provider import LocalProvider

__all__ = ["LocalTeardown"]

STOPPING = Polling(start_s=0.05, factor=1.5, most_s=0.5, timeout_s=20)
FOLDERS = {
    "monitors": ("monitors", True, "what monitors found, and their reports"),
    "batch": ("batch", False, "jobs that scored files, and what they wrote without a place of its own"),
    "cache": ("cache", False, "results of steps, which can be computed again"),
    "registry": ("registry", True, "registered versions, with their files"),
    "buckets": ("buckets", True, "what steps wrote to places of their own"),
    "scratch": ("scratch", False, "what was never finished"),
}
"""Kind → its folder, whether what it loses is nowhere else, and what it is; in the order in which they go."""


class LocalTeardown:
    """Takes away what operations have made here."""

    def __init__(self, provider: LocalProvider) -> None:
        self._provider = provider
        self._layout = provider.layout

    def inventory(self) -> Iterator[Removable]:
        for name in _names(self._layout.endpoints):
            yield Removable(
                kind="endpoint",
                name=name,
                ref=f"endpoint:{name}",
                detail="its processes, and what they captured",
            )
        for run in self._provider.runs.list() if self._layout.runs.exists() else ():
            going = run.state not in FINISHED
            yield Removable(
                kind="run",
                name=run.ref,
                ref=f"run:{run.ref}",
                holds_data=True,
                detail="goes on, and is stopped" if going else f"{run.state}, with its outputs and log",
            )
        for kind, (folder, holds_data, detail) in FOLDERS.items():
            if _names(self._layout.root / folder):
                yield Removable(kind=kind, name=folder, ref=f"{kind}:", holds_data=holds_data, detail=detail)

    def remove(self, item: Removable) -> None:
        kind, _, name = item.ref.partition(":")
        match kind:
            case "endpoint":
                self._provider.serving.remove(name)
            case "run":
                self._remove_run(name)
            case _:
                self._remove_folder(kind)

    def is_gone(self, item: Removable) -> bool:
        kind, _, name = item.ref.partition(":")
        match kind:
            case "endpoint":
                return not (self._layout.endpoints / name).exists()
            case "run":
                return not (self._layout.runs / name).exists()
            case _:
                return not self._folder(kind).exists()

    def _remove_run(self, ref: str) -> None:
        runs = self._provider.runs
        if not (self._layout.runs / ref).exists():
            return
        runs.cancel(ref)
        wait_until(
            lambda: runs.describe(ref).state,
            lambda state: state in FINISHED,
            what=f"run {ref}",
            sleep=self._provider.opening.sleep,
            polling=STOPPING,
        )
        runs.remove(ref)

    def _remove_folder(self, kind: str) -> None:
        folder = self._folder(kind)
        with disk_errors(f"{folder} cannot be removed"), suppress(FileNotFoundError):
            away = self._layout.root / f".{uuid4().hex}"
            folder.rename(away)
            remove_tree(away)

    def _folder(self, kind: str) -> Path:
        if kind not in FOLDERS:
            raise InvalidRequest(f"there is no {kind!r} on this machine to remove")
        return self._layout.root / FOLDERS[kind][0]


def _names(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        return sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    return []
