"""Azure's locations and their availability zones, read from ``catalog.toml`` on first use.

May not know a platform.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import cast

__all__ = ["locations", "zones_of"]

CATALOG = Path(__file__).with_name("catalog.toml")


@cache
def _zones() -> dict[str, int]:
    table = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    return cast("dict[str, int]", table["zones"])


def locations() -> tuple[str, ...]:
    """The locations that the catalog lists, sorted."""
    return tuple(sorted(_zones()))


def zones_of(location: str) -> tuple[str, ...]:
    """The ids of a location's zones; empty where it has none, or is unknown."""
    return tuple(str(number + 1) for number in range(_zones().get(location, 0)))
