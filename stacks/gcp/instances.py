"""Machines of Vertex AI and Workbench: what a neutral size is, with its accelerators, and which zones have them.

Read from ``instances.toml`` on first use. May not know a platform.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from stacks.gcp.catalog import zones_of
from stacks.graph import GraphError
from stacks.schema.load import nearest

__all__ = ["Machine", "Unavailable", "Use", "machine", "made", "zones_with"]

INSTANCES = Path(__file__).with_name("instances.toml")

Use: TypeAlias = Literal["training", "spot", "serving", "workbench"]
"""Training is of all jobs; spot of those that may be interrupted; serving of endpoints and batch predictions."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine type and its accelerators, in Vertex AI's words; ``accelerator`` is empty and ``count`` 0 without."""

    type: str
    accelerator: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a size or type cannot be had, and the nearest that can; the hint may be empty."""

    message: str
    hint: str


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(INSTANCES.read_text(encoding="utf-8"))


def machine(size: str, use: Use, region: str) -> Machine | Unavailable:
    """The machine for a neutral size or a type by its own name, or why there is none."""
    if not size.startswith(("cpu.", "gpu.")):
        return _own(size, use, region)
    size = size.replace("x", "×") if size.startswith("gpu.") else size
    kind, _, many = size.removeprefix("gpu.").partition("×")
    instead = _table()["missing"].get(kind)
    if instead is not None:
        near = f"gpu.{instead}{f'×{many}' if many else ''}"
        return Unavailable(
            f'"{size}" is not offered: Google Cloud has no {kind.upper()}', f"The nearest is {near}."
        )
    candidates: list[str] = _table()["neutral"].get(size.removesuffix("×1"), [])
    if not candidates:
        return Unavailable(
            f'"{size}" is not a size of Google Cloud\'s machines', nearest(size, _table()["neutral"])
        )
    found = _neutral(size, use, region)
    if found is not None:
        return found
    return Unavailable(
        f'"{size}" ({", ".join(candidates)}) is not offered for {use} in {region}', _there(size, use, region)
    )


def _neutral(size: str, use: Use, region: str) -> Machine | None:
    """The first machine of a neutral size that its use may have there."""
    kind, _, many = size.removeprefix("gpu.").partition("×")
    accelerator = kind if size.startswith("gpu.") else ""
    for candidate in _table()["neutral"][size.removesuffix("×1")]:
        found = _own(candidate, use, region, accelerator, int(many or 1))
        if isinstance(found, Machine):
            return found
    return None


def made(size: str, use: Use, region: str) -> Machine:
    """The machine of a platform whose sizes ``target`` has checked.

    Raises:
        GraphError: there is none; the check was left out.
    """
    found = machine(size, use, region)
    if isinstance(found, Unavailable):
        raise GraphError(found.message)
    return found


def zones_with(found: Machine, region: str) -> tuple[str, ...]:
    """The region's zones that have a machine's accelerator; all of them for a machine without."""
    names: Mapping[str, str] = _table()["accelerators"]
    kind = next((kind for kind, name in names.items() if name == found.accelerator), None)
    if kind is None:
        return zones_of(region)
    return tuple(f"{region}-{letter}" for letter in _table()["zones"][kind].get(region, ()))


def _own(type_: str, use: Use, region: str, kind: str = "", count: int = 0) -> Machine | Unavailable:
    """A type by its name, with the accelerator that is asked for or comes with it."""
    families: list[str] = _table()["families"]
    if type_.partition("-")[0] not in families:
        return Unavailable(
            f'"{type_}" is not a machine type of Vertex AI: its families are {", ".join(families)}', ""
        )
    if type_ in _table()["refused"][use]:
        return Unavailable(f'"{type_}" is not a machine type of Vertex AI for {use}', "")
    attached = _table()["attached"].get(type_)
    if attached is not None:
        kind, count = attached
    if not kind:
        return Machine(type_)
    found = Machine(type_, _table()["accelerators"][kind], count)
    if zones_of(region) and not zones_with(found, region):
        return Unavailable(f'"{type_}" with {kind.upper()} is not offered by gcp in {region}', "")
    return found


def _there(size: str, use: Use, region: str) -> str:
    """Name the sizes of the same kind that the region has for this use."""
    kind = size.split(".", maxsplit=1)[0]
    there = [
        name
        for name in _table()["neutral"]
        if name.startswith(kind) and name != size and _neutral(name, use, region) is not None
    ]
    return f"There is {', '.join(there)}." if there else ""
