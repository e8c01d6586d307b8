"""Compares the values of arguments: which paths were added, changed or removed.

May not know a provider or a resource; what is a set is asked of the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

from stacks.emit.expressions import bare
from stacks.graph import JsonText, Ref, RemoteRef, Text, Value
from stacks.record import record

__all__ = ["ArgumentChange", "Kind", "ValueChange", "compare_arguments", "leaves", "names_of", "same"]

Kind: TypeAlias = Literal["added", "changed", "removed"]
IsSet: TypeAlias = Callable[[str], bool]

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_POSITION = re.compile(r"\[[^\]]*\]")


@record
class ValueChange:
    """One path whose value differs; ``old`` means nothing when it was added, ``new`` when it was removed."""

    path: str
    kind: Kind
    old: Value = None
    new: Value = None


@record
class ArgumentChange(ValueChange):
    """A changed argument of a resource.

    ``forces`` tells whether it replaces the resource; None when that isn't known. ``follows`` is the resource
    whose change gives the argument another value though it is written as before; empty otherwise. ``ignored``
    when the resource's ``ignore_changes`` keeps Terraform from acting on it.
    """

    forces: bool | None = None
    follows: str = ""
    ignored: bool = False


def _never(_path: str) -> bool:
    return False


def compare_arguments(
    old: Mapping[str, Value], new: Mapping[str, Value], is_set: IsSet = _never
) -> tuple[ValueChange, ...]:
    """List the paths that differ, sorted by argument; the order inside what ``is_set`` names doesn't count."""
    return tuple(_mappings(old, new, "", is_set))


def same(old: Value, new: Value) -> bool:
    """Tell whether two values are the same to Terraform's language: ``true`` isn't ``1``."""
    return bare(old) == bare(new)


def leaves(value: Value, path: str) -> Iterator[tuple[str, Value]]:
    """Yield each path below ``path`` that holds no mapping or list, with its value."""
    match value:
        case JsonText(document=document):
            yield from leaves(document, path)
        case str() | None | bool() | int() | float() | Ref() | RemoteRef() | Text():
            yield path, value
        case Mapping():
            for key in sorted(value):
                yield from leaves(value[key], _below(path, key))
        case _:
            for index, item in enumerate(value):
                yield from leaves(item, f"{path}[{index}]")


def names_of(path: str) -> tuple[str, ...]:
    """Return the names on a path, without positions and quoted keys."""
    return tuple(_POSITION.sub("", path).split("."))


def _below(path: str, key: str) -> str:
    if not _NAME.fullmatch(key):
        return f"{path}[{bare(key)}]"
    return f"{path}.{key}" if path else key


def _mappings(
    old: Mapping[str, Value], new: Mapping[str, Value], path: str, is_set: IsSet
) -> Iterator[ValueChange]:
    for key in sorted({*old, *new}):
        below = _below(path, key)
        if key not in old:
            yield ValueChange(path=below, kind="added", new=new[key])
        elif key not in new:
            yield ValueChange(path=below, kind="removed", old=old[key])
        else:
            yield from _values(old[key], new[key], below, is_set)


def _values(old: Value, new: Value, path: str, is_set: IsSet) -> Iterator[ValueChange]:
    if same(old, new):
        return
    match old, new:
        case JsonText(document=before), JsonText(document=after):
            yield from _values(before, after, path, _never)
        case Mapping(), Mapping():
            yield from _mappings(old, new, path, is_set)
        case [*before], [*after]:
            yield from _lists(before, after, path, is_set)
        case _:
            yield ValueChange(path=path, kind="changed", old=old, new=new)


def _lists(old: Sequence[Value], new: Sequence[Value], path: str, is_set: IsSet) -> Iterator[ValueChange]:
    unordered = is_set(path)
    before, after = (sorted(old, key=bare), sorted(new, key=bare)) if unordered else (old, new)

    def place(index: int) -> str:
        return f"{path}[*]" if unordered else f"{path}[{index}]"

    matcher = SequenceMatcher(
        None, [bare(item) for item in before], [bare(item) for item in after], autojunk=False
    )
    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        if operation == "equal":
            continue
        pairs = min(i2 - i1, j2 - j1)
        for offset in range(pairs):
            yield from _values(before[i1 + offset], after[j1 + offset], place(j1 + offset), is_set)
        for index in range(i1 + pairs, i2):
            yield ValueChange(path=place(index), kind="removed", old=before[index])
        for index in range(j1 + pairs, j2):
            yield ValueChange(path=place(index), kind="added", new=after[index])
