"""An empty registry of models, made once in a process and copied: making MLflow's tables takes seconds.

What makes them is the registry's own code, which the registry's own tests run from nothing. May not write a table.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from scaffolder.operations.errors import NotFound
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.registry import DATABASE, LocalRegistry
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Approval
from tests.operations.platforms import platform_in

__all__ = ["give_registry"]


def give_registry(folder: Path) -> None:
    """Let a project begin with a registry that has no version yet, unless it has one."""
    layout = Layout(folder)
    database = layout.made(layout.registry) / DATABASE
    if not database.exists():
        shutil.copy(_empty(), database)


@cache
def _empty() -> Path:
    folder = Path(mkdtemp(prefix="registry-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    layout = Layout(folder)
    opening = Opening(platform=platform_in("local", folder), folder=folder, sleep=time.sleep)
    with pytest.raises(NotFound):
        LocalRegistry(opening, layout).set_approval("churn", 1, Approval.APPROVED)
    with closing(sqlite3.connect(layout.registry / DATABASE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the file is all that there is
    return layout.registry / DATABASE
