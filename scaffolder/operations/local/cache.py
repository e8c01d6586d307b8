"""Results of steps by what they were computed from: entries that never change, and are whole or not there.

A key is a digest of everything that decides a result; an entry is a folder with the outputs, and a file that says their
digests, which are computed again before an entry is taken. May not know what a run is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from scaffolder.operations.local.environment import Environment
from scaffolder.operations.local.files import read_json, write_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.trees import BadTreeError, digest_of, linked_copy, remove_tree
from scaffolder.operations.local.wire import to_json
from stacks.pipelines import Run, Template, ValueOf
from stacks.record import record

__all__ = ["Cache", "Entry", "key_of"]

FORMAT = 1
ENTRY = "entry.json"
CLOCKS_APART_S = 300.0
"""An entry from the future is from a clock that was set back; one from beyond this is not trusted."""


@record
class Entry:
    """A result that was kept: the digests of its outputs, and the numbers in them."""

    outputs: Mapping[str, str]
    metrics: Mapping[str, Mapping[str, float]]


def key_of(
    run: Run,
    *,
    code: str,
    parameters: Mapping[str, str],
    inputs: Mapping[str, str],
    environment: Environment,
) -> str:
    """Compute the key of a step: its code, its command and variables with the parameters it uses, its inputs' digests,
    the kinds of its outputs, and what it runs in. Paths are not part of it.
    """
    decides = {
        "format": FORMAT,
        "code": code,
        "command": [_filled(word, parameters) for word in run.command],
        "variables": {name: _filled(text, parameters) for name, text in run.environment.items()},
        "inputs": dict(inputs),
        "outputs": {name: output.kind for name, output in run.outputs.items()},
        "environment": environment.digest,
    }
    return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _filled(text: Template, parameters: Mapping[str, str]) -> object:
    """A text with its parameters' values; folders stay names."""
    return [parameters[part.parameter] if isinstance(part, ValueOf) else to_json(part) for part in text]


class Cache:
    """The results that are kept on this machine."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def _place(self, key: str) -> Path:
        return self._layout.cache / key[:2] / key

    def take(self, key: str, outputs: Path, *, oldest: float, now: float) -> Entry | None:
        """Bring a result that is no older than ``oldest`` (seconds since 1970) to a folder that is not there yet.

        ``None`` when there is none. One whose files are not those that were kept is thrown away.
        """
        place = self._place(key)
        found: Any = read_json(place / ENTRY)
        if found is None or found.get("key") != key or not oldest <= found["created"] <= now + CLOCKS_APART_S:
            return None
        half = self._layout.made(self._layout.scratch) / uuid4().hex
        try:
            if not _copied(place, half, found["outputs"]):
                self._drop(place)
                return None
            half.rename(outputs)
        finally:
            remove_tree(half)
        return Entry(outputs=found["outputs"], metrics=found["metrics"])

    def keep(self, key: str, outputs: Path, entry: Entry, *, oldest: float, now: float) -> None:
        """Keep a result, whose files are read-only; an equal one that is no older than ``oldest`` stays."""
        place = self._place(key)
        self._layout.made(place.parent)
        half = self._layout.made(self._layout.scratch) / uuid4().hex
        try:
            half.mkdir()
            for name in entry.outputs:
                linked_copy(outputs / name, half / "outputs" / name)
            said = {
                "key": key,
                "created": now,
                "outputs": dict(entry.outputs),
                "metrics": dict(entry.metrics),
            }
            write_json(half / ENTRY, said)
            for _ in range(2):
                try:
                    half.rename(place)
                except OSError:  # one is there
                    found: Any = read_json(place / ENTRY)
                    if found is not None and found["created"] >= oldest:
                        return
                    self._drop(place)
                else:
                    return
        finally:
            remove_tree(half)

    def _drop(self, place: Path) -> None:
        """Take an entry away at once, then remove its files."""
        away = self._layout.made(self._layout.scratch) / uuid4().hex
        try:
            place.rename(away)
        except FileNotFoundError:
            return
        remove_tree(away)


def _copied(place: Path, target: Path, outputs: Mapping[str, str]) -> bool:
    """Copy an entry's outputs; say whether they are what was kept."""
    target.mkdir()
    try:
        for name, digest in outputs.items():
            linked_copy(place / "outputs" / name, target / name)
            if digest_of(target / name) != digest:
                return False
    except (FileNotFoundError, BadTreeError):  # damaged, or somebody replaces it
        return False
    return True
