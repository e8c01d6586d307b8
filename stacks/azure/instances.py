"""Azure Machine Learning's machine types: what a neutral size is for a use, and what Azure does not have.

Read from ``instances.toml`` on first use. May not know a platform, nor which subscription may have which machine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

from stacks.schema.load import nearest

__all__ = ["Unavailable", "Use", "as_returned", "has_accelerator", "machine"]

INSTANCES = Path(__file__).with_name("instances.toml")

Use: TypeAlias = Literal["compute", "serving"]
"""``compute`` is a cluster's node or a person's compute instance, ``serving`` an online endpoint's deployment."""

SAYS: Mapping[Use, str] = {"compute": "compute", "serving": "online endpoints"}


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a size or type cannot be had, and the nearest that can; the hint may be empty."""

    message: str
    hint: str


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(INSTANCES.read_text(encoding="utf-8"))


def machine(size: str, use: Use) -> str | Unavailable:
    """The VM size for a neutral size or a type by its own name, or why there is none."""
    neutral: Mapping[str, list[str]] = _table()["neutral"]
    size = size.replace("x", "×") if size.startswith("gpu.") else size
    if size.startswith("Standard_"):
        return _type(size, use)
    if size not in neutral:
        return Unavailable(
            f'"{size}" is not a size of Azure Machine Learning\'s machines: {", ".join(neutral)}',
            _instead(size),
        )
    types: list[str] = _table()["uses"][use]
    found = next((candidate for candidate in neutral[size] if candidate in types), None)
    if found is None:
        return Unavailable(f'"{size}" ({", ".join(neutral[size])}) is not offered for {SAYS[use]}', "")
    return found


def as_returned(type_: str) -> str:
    """A VM size as Azure ML writes it in what it returns: in capitals, whatever it was asked for.

    Neither provider takes the two for one size, and azurerm would make a cluster anew with every apply
    (hashicorp/terraform-provider-azurerm#18030; Azure/azure-rest-api-specs#20336).
    """
    return type_.upper()


def has_accelerator(type_: str) -> bool:
    """Whether a VM size has an accelerator."""
    return type_ in _table()["accelerators"]


def _type(type_: str, use: Use) -> str | Unavailable:
    types: list[str] = _table()["uses"][use]
    if type_ in types:
        return type_
    return Unavailable(
        f'"{type_}" is not a machine type of Azure Machine Learning for {SAYS[use]}', nearest(type_, types)
    )


def _instead(size: str) -> str:
    """Name what comes nearest to an accelerator that Azure lacks, else what is spelled nearly so."""
    missing: Mapping[str, list[str]] = _table()["missing"]
    kind = size.split("×", maxsplit=1)[0]
    if kind in missing:
        return f"Azure has no machine with it; the nearest are {' and '.join(missing[kind])}."
    return nearest(size, _table()["neutral"])
