"""Ways to spoil a spec."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

__all__ = ["CHANGES", "ODD", "Path", "mutated", "paths_in"]

Path: TypeAlias = tuple[Any, ...]

CHANGES = ("replace", "remove", "rename", "add")
ODD: list[Any] = [
    *(None, True, -1, 0, 1.5, 10**30, "", "no", "x" * 300, "ä\n\u0007", "10.0.0.0/8", "*"),
    *([], [[]], {}, {"": {}}, {"a": None}),
]


def paths_in(value: Any, path: Path = ()) -> list[Path]:
    """The paths of all values in a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(below for key, item in items for below in paths_in(item, (*path, key)))]


def mutated(spec: Any, path: Path, change: str, odd: Any) -> Any:
    """A copy of a spec with one change at a path."""
    if not path:
        return odd
    spec = copy.deepcopy(spec)
    owner: Any = spec
    for part in path[:-1]:
        owner = owner[part]
    match change:
        case "replace":
            owner[path[-1]] = odd
        case "remove":
            del owner[path[-1]]
        case "rename" if isinstance(owner, dict):
            owner[f"{path[-1]}x"] = owner.pop(path[-1])
        case _ if isinstance(owner, list):
            owner.append(odd)
        case _:
            owner["zz"] = odd
    return spec
