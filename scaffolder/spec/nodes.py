"""A YAML document as a tree in which every node and every key knows its line and column; and the report about it.

May not know YAML's syntax, nor what any key means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from scaffolder.errors import Finding
from scaffolder.spec.secrets import is_secret_name, secret_in

__all__ = [
    "EMPTY",
    "Entry",
    "List",
    "Mark",
    "Node",
    "Path",
    "Report",
    "Scalar",
    "Tree",
    "dotted",
    "is_hidden",
    "mark_of",
    "nearest",
    "plain",
    "printable",
    "quoted",
    "shown",
]

Path: TypeAlias = tuple[str | int, ...]

LONGEST_SHOWN = 60
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``doubt`` says what other YAML readers make of an unquoted text (empty: they all agree)."""

    mark: Mark
    text: str
    value: str | int | float | bool | None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class List:
    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value in a mapping."""

    mark: Mark
    value: Node


@dataclass(frozen=True, slots=True)
class Tree:
    """A mapping, in the file's order. ``removed`` are the keys that an overlay took away, and where."""

    mark: Mark
    entries: Mapping[str, Entry]
    removed: Mapping[str, Mark] = field(default_factory=dict)


Node: TypeAlias = Scalar | List | Tree

START = Mark(1, 1)
EMPTY = Tree(START, {})


class Report:
    """Collects findings about one file; ``whole`` is what messages call it, ``begins`` what its first line may be."""

    def __init__(self, file: str, whole: str = "the spec", begins: str = "version: 1") -> None:
        self.file = file
        self.whole = whole
        self.begins = begins
        self.findings: list[Finding] = []

    @property
    def one(self) -> str:
        """What messages call any file of its sort: ``a spec``."""
        return f"a {self.whole.removeprefix('the ')}"

    def add(
        self, mark: Mark, code: str, path: Path, message: str, hint: str = "", *, warning: bool = False
    ) -> None:
        self.findings.append(
            Finding(
                file=self.file,
                line=mark.line,
                column=mark.column,
                code=code,
                path=dotted(path),
                message=message,
                hint=hint,
                severity="warning" if warning else "error",
            )
        )


def dotted(path: Path) -> str:
    """Write a path as people do: ``identity.groups.admins[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f"{'.' if text else ''}{'…' if secret_in(part) else part}"
    return printable(text)


def printable(text: str) -> str:
    """Escape what would break a line or hide in a terminal."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def quoted(text: str) -> str:
    """Put a text in quotes on one line, cut when it is long; a credential is not repeated."""
    if secret_in(text):
        return '"…"'
    cut = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
    return printable(json.dumps(cut, ensure_ascii=False))


def shown(node: Node, path: Path) -> str:
    """Name a value in a message; never one that is, or by its key may be, a secret."""
    match node:
        case List():
            return "a list"
        case Tree():
            return "a mapping"
        case Scalar(value=None):
            return "nothing"
        case Scalar(text=text, value=value, doubt=doubt):
            if is_hidden(text, path):
                return "a value that is not shown here"
            if isinstance(value, str) and not doubt:
                return quoted(text)
            return f"{'' if isinstance(value, str | bool) else 'the number '}{quoted(text)[1:-1]}"


def is_hidden(text: str, path: Path) -> bool:
    """Tell whether a value is, or by its key may be, a secret."""
    return bool(secret_in(text)) or any(is_secret_name(part) for part in path if isinstance(part, str))


def mark_of(tree: Node, path: Path) -> Mark:
    """Return the mark of the value at a path, or of the nearest one above it that is in the file.

    A key that an overlay took away is where it did so.
    """
    node = tree
    for part in path:
        match node:
            case Tree(entries=entries, removed=removed) if isinstance(part, str):
                if part not in entries:
                    return removed.get(part, node.mark)
                node = entries[part].value
            case List(items=items) if str(part).isdecimal() and int(part) < len(items):
                node = items[int(part)]
            case _:
                break
    return node.mark


def plain(node: Node) -> object:
    """The node's value as Python's own types."""
    match node:
        case Scalar(value=value):
            return value
        case List(items=items):
            return [plain(item) for item in items]
        case Tree(entries=entries):
            return {name: plain(entry.value) for name, entry in entries.items()}


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint that names the closest of some words; empty when none is close."""
    from difflib import get_close_matches  # noqa: PLC0415  # only where there is a finding

    names = {name.lower(): name for name in known}
    close = get_close_matches(word[:80].lower(), names, n=1, cutoff=0.6)
    return f'Did you mean "{names[close[0]]}"?' if close else ""
