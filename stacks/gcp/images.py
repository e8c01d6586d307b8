"""Images of others that the stacks run, read from ``images.toml`` on first use, and the platform's own by address.

May not know a platform.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from stacks.gcp.context import Registry
from stacks.graph import Value, text

__all__ = ["image_of", "image_of_others", "registry_of_others"]

IMAGES = Path(__file__).with_name("images.toml")


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(IMAGES.read_text(encoding="utf-8"))


def image_of_others(name: str) -> str:
    """An image with its version; below its registry, where it comes through a repository of the platform's."""
    return str(_table()[name]["image"])


def registry_of_others(name: str) -> str:
    """The registry that an image is taken from."""
    return str(_table()[name]["registry"])


def image_of(image: str, registry: Registry) -> Value:
    """The address of an image: one of the platform's repositories with its tag or digest, or as it is written.

    A repository of Artifact Registry holds many images: the platform's image has the name of its repository.
    """
    found = re.fullmatch(r"([^/:@]+)([:@].+)", image)
    if found is None or found[1] not in registry.urls:
        return image
    return text(registry.urls[found[1]], f"/{found[1]}{found[2]}")
