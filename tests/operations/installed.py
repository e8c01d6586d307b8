"""The in-memory provider as a package that is installed: found by its entry point, as anybody's provider is."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.operations.memory import PACE_S

__all__ = ["NAME", "install_memory", "on_path"]

NAME = "memory"
MEMORY = Path(__file__).with_name("memory")
METADATA = "Metadata-Version: 2.1\nName: memory-provider\nVersion: 1.0\n"
ENTRY_POINTS = f"[scaffolder.providers]\n{NAME} = tests.operations.memory:open_provider\n"


def install_memory(folder: Path, *, pace_s: float = PACE_S) -> Path:
    """Write the package below a folder, which is returned: put it on a path, and the provider is there.

    ``pace_s`` is how long a step takes in a process that imports what is written here.
    """
    site = folder / "site"
    shutil.copytree(
        MEMORY, site / "tests" / "operations" / "memory", ignore=shutil.ignore_patterns("__pycache__")
    )
    cloud = site / "tests" / "operations" / "memory" / "cloud.py"
    cloud.write_text(cloud.read_text().replace(f"PACE_S = {PACE_S}", f"PACE_S = {pace_s}"))
    for package in (site / "tests", site / "tests" / "operations"):
        (package / "__init__.py").touch()
    metadata = site / "memory_provider-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(METADATA)
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    return site


@contextmanager
def on_path(site: Path) -> Iterator[None]:
    """Let this process find what is installed there."""
    sys.path.append(str(site))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        importlib.invalidate_caches()
