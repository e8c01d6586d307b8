"""AWS's regions and zones, read from ``catalog.toml`` on first use.

May not know a platform.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import cast

__all__ = ["regions", "zones_of"]

CATALOG = Path(__file__).with_name("catalog.toml")


@cache
def _zones() -> dict[str, list[str]]:
    table = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    return cast("dict[str, list[str]]", table["zones"])


def regions() -> tuple[str, ...]:
    """The regions that the catalog lists, sorted."""
    return tuple(sorted(_zones()))


def zones_of(region: str) -> tuple[str, ...]:
    """The ids of a region's zones, in the order in which they are used; empty for an unknown region."""
    return tuple(_zones().get(region, ()))
