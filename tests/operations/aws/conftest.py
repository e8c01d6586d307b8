"""The world of AWS for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.worlds.aws import AwsWorld, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AwsWorld]:
    with open_world(tmp_path) as opened:
        yield opened
