"""Trees with a value put in, or a key taken away; all else keeps the place where it is written.

May not know what any key means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from scaffolder.spec.nodes import Entry, List, Mark, Node, Scalar, Tree

__all__ = ["Written", "put", "taken"]

Written: TypeAlias = str | int | Sequence[str]


def put(tree: Tree, path: Sequence[str], value: Written) -> Tree:
    """Set the value at a path of keys, with the mark of what was there, or of what it is put into."""
    first, *rest = path
    entry = tree.entries.get(first)
    mark = entry.value.mark if entry else tree.mark
    below: Node = _node(value, mark)
    if rest:
        inner = entry.value if entry and isinstance(entry.value, Tree) else Tree(mark, {})
        below = put(inner, rest, value)
    return replace(tree, entries={**tree.entries, first: Entry(entry.mark if entry else mark, below)})


def taken(tree: Tree, path: Sequence[str]) -> Tree:
    """Take the key at a path away; where there is none, nothing changes."""
    first, *rest = path
    entry = tree.entries.get(first)
    if entry is None:
        return tree
    if not rest:
        entries = {name: other for name, other in tree.entries.items() if name != first}
        return replace(tree, entries=entries)
    if not isinstance(entry.value, Tree):
        return tree
    return replace(tree, entries={**tree.entries, first: replace(entry, value=taken(entry.value, rest))})


def _node(value: Written, mark: Mark) -> Node:
    if isinstance(value, str | int):
        return Scalar(mark, str(value), value)
    return List(mark, tuple(Scalar(mark, item, item) for item in value))
