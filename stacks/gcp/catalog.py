"""Google Cloud's regions and zones, and where Vertex AI is, read from ``catalog.toml`` on first use.

May not know a platform.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import cast

__all__ = ["regions", "vertex_regions", "zones_of"]

CATALOG = Path(__file__).with_name("catalog.toml")


@cache
def _table() -> dict[str, object]:
    return cast("dict[str, object]", tomllib.loads(CATALOG.read_text(encoding="utf-8")))


@cache
def _zones() -> dict[str, list[str]]:
    return cast("dict[str, list[str]]", _table()["zones"])


def regions() -> tuple[str, ...]:
    """The regions that the catalog lists, sorted."""
    return tuple(sorted(_zones()))


def vertex_regions() -> tuple[str, ...]:
    """The regions of those in which Vertex AI is, sorted."""
    return tuple(cast("list[str]", _table()["vertex"]))


def zones_of(region: str) -> tuple[str, ...]:
    """The names of a region's zones, in the order in which they are used; empty for an unknown region."""
    return tuple(f"{region}-{letter}" for letter in _zones().get(region, ()))
