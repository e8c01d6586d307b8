"""Reads, by a cloud's tables, which changes take a protection away, and what goes because it is kept shorter.

The tables lie beside each lowering; may not know a cloud or compare platforms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scaffolder.report.arguments import names_of
from stacks.graph import JsonText, Node, Ref, RemoteRef, Text, Value
from stacks.losses import Expiry, Losses

__all__ = ["is_lowered", "is_place", "lost_by_expiry", "parent_of"]

PREVENTS = "prevent_destroy"
"""Terraform's own argument of any resource's lifecycle."""
_KEYS = ("id", "name", "rulePriority")


def is_lowered(losses: Losses, type_name: str, path: str, old: Value, new: Value) -> bool:
    """Tell whether an argument's change takes a protection away; an argument that isn't there is None."""
    names = names_of(path)
    last = names[-1]
    protecting = losses.states.get((type_name, names), losses.policies.get(last))
    if protecting is not None:
        return old == protecting != new
    if last == PREVENTS or last in losses.guards:
        return old is True and new is not True
    if last in losses.hazards:
        return old is not True and new is True
    return _is_window(losses, names) and _less(new, old)


def _is_window(losses: Losses, names: tuple[str, ...]) -> bool:
    return any(
        names[-1] == window if isinstance(window, str) else names[-len(window) :] == window
        for window in losses.windows
    )


def is_place(losses: Losses, path: str) -> bool:
    """Tell whether an argument of a provider says where its resources are."""
    return names_of(path)[0] in losses.places


def parent_of(node: Node, expiry: Expiry) -> Value:
    """Return the reference to what holds the data that expires; None when it is the node itself."""
    return node.arguments.get(expiry.parent) if expiry.parent else None


def lost_by_expiry(expiry: Expiry, old: Node | None, new: Node) -> Iterator[str]:
    """Say what goes because the new node keeps it shorter than the old one did; no old node kept everything."""
    before = _numbers(expiry, old) if old else {}
    after = _numbers(expiry, new)
    only = next(iter(before.values())) if len(before) == len(after) == 1 else None
    for key, number in after.items():
        kept = before.get(key, only)
        if kept is None:
            yield f"{expiry.loses.format(number)} (all were kept)"
        elif number < kept:
            yield f"{expiry.loses.format(number)} ({kept} before)"


def _numbers(expiry: Expiry, node: Node) -> dict[tuple[str, ...], float]:
    found = _find(expiry, node.arguments, expiry.path, ())
    return {key: number for key, number in found if not (expiry.zero_keeps and number == 0)}


def _find(
    expiry: Expiry, value: Value, path: tuple[str, ...], key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield the numbers at a path of names, each with the keys of the list items that lead to it."""
    match value:
        case JsonText(document=document):
            yield from _find(expiry, document, path, key)
        case Mapping():
            if path and path[0] in value and _acts(expiry, value):
                yield from _find(expiry, value[path[0]], path[1:], key)
        case None | Ref() | RemoteRef() | Text():
            return
        case str() | bool() | int() | float():
            number = _number(value)
            if not path and number is not None:
                yield key, number
        case _:
            for index, item in enumerate(value):
                yield from _find(expiry, item, path, (*key, _key(item, index)))


def _acts(expiry: Expiry, rule: Mapping[str, Value]) -> bool:
    """Tell whether a rule deletes, as far as what is on this level of it says."""
    if expiry.sleeps is not None and _at(rule, expiry.sleeps[0]) == expiry.sleeps[1]:
        return False
    return expiry.deletes is None or _at(rule, expiry.deletes[0]) in (None, expiry.deletes[1])


def _at(value: Value, path: tuple[str, ...]) -> Value:
    """Return what is at a path of names, through lists of one item; None where there is nothing."""
    for name in path:
        only = value[0] if isinstance(value, list | tuple) and len(value) == 1 else value
        value = only.get(name) if isinstance(only, Mapping) else None
    return value


def _key(item: Value, index: int) -> str:
    if not isinstance(item, Mapping):
        return str(index)
    return next((str(item[key]) for key in _KEYS if key in item), str(index))


def _number(value: Value) -> float | None:
    """Read a number, also one of seconds that is written as text (``604800s``)."""
    if isinstance(value, str) and value.removesuffix("s").isdecimal():
        return int(value.removesuffix("s"))
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _less(new: Value, old: Value) -> bool:
    after, before = _number(new), _number(old)
    return after is not None and before is not None and after < before
