"""The world that the tests of this folder run in: Google Cloud's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.worlds.gcp import GcpWorld, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GcpWorld]:
    with open_world(tmp_path) as opened:
        yield opened
