"""Providers over the same project as a world's, of platforms that say something else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scaffolder.operations.adapters import open_provider
from scaffolder.operations.port import Opening, Provider
from tests.operations.worlds.gcp import GcpWorld

__all__ = ["other"]


def other(world: GcpWorld, **changed: Any) -> Provider:
    """Open the provider of the world's platform with some of its fields changed."""
    platform = replace(world.platform, **changed)
    return open_provider(
        "gcp", Opening(platform=platform, folder=world.folder, sleep=world.cloud.sleep, now=world.cloud.now)
    )
