"""SageMaker's machine types: what a neutral size is in a region, and what a region or a use does not have.

Read from ``instances.toml`` on first use. May not know a platform.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from stacks.schema.load import nearest

__all__ = ["Unavailable", "Use", "machine", "machine_has_local_disk", "shape_of"]

INSTANCES = Path(__file__).with_name("instances.toml")

Use: TypeAlias = Literal["training", "processing", "hosting", "transform", "studio"]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a size or type cannot be had, and the nearest that can; the hint may be empty."""

    message: str
    hint: str


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(INSTANCES.read_text(encoding="utf-8"))


def machine(size: str, use: Use, region: str) -> str | Unavailable:
    """The SageMaker type for a neutral size or a type by its own name, or why there is none."""
    neutral: Mapping[str, list[str]] = _table()["neutral"]
    size = size.replace("x", "×") if size.startswith("gpu.") else size
    if size.startswith("ml."):
        return _type(size, use, region)
    if size not in neutral:
        return Unavailable(
            f'"{size}" is not a size of SageMaker\'s machines: {", ".join(neutral)}', nearest(size, neutral)
        )
    for candidate in neutral[size]:
        found = _type(candidate, use, region)
        if isinstance(found, str):
            return found
    return Unavailable(
        f'"{size}" ({", ".join(neutral[size])}) is not offered for {use} in {region}',
        _smaller(size, use, region),
    )


def machine_has_local_disk(type_: str) -> bool:
    """Whether a type keeps its volume on local disks, encrypted by the hardware: AWS refuses a key for its volume."""
    return type_.split(".")[1] in _table()["local_disks"]


def shape_of(type_: str) -> tuple[int, int] | None:
    """Virtual CPUs and accelerators of a type that serves; ``None`` where the data does not have it."""
    shape = _table()["shapes"].get(type_)
    return (shape[0], shape[1]) if shape else None


def _type(type_: str, use: Use, region: str) -> str | Unavailable:
    types: list[str] = _table()["uses"][use]
    if type_ not in types:
        return Unavailable(f'"{type_}" is not a machine type of SageMaker for {use}', nearest(type_, types))
    if not _has(region, type_):
        here = [other for other in types if _has(region, other)]
        return Unavailable(f'"{type_}" is not offered by aws in {region}', nearest(type_, here))
    return type_


def _has(region: str, type_: str) -> bool:
    """Whether a region has a type's family; a region that the data lacks is not doubted."""
    regions_of: Mapping[str, list[str]] = _table()["families"]
    known = {name for names in regions_of.values() for name in names}
    return region not in known or region in regions_of[type_.split(".")[1]]


def _smaller(size: str, use: Use, region: str) -> str:
    """Name the sizes of the same kind that the region has."""
    kind = size.split(".", maxsplit=1)[0]
    there = [
        name
        for name, types in _table()["neutral"].items()
        if name.startswith(kind) and any(isinstance(_type(item, use, region), str) for item in types)
    ]
    return f"There is {', '.join(there)}." if there else ""
