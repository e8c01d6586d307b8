"""Typos in requests to this provider's cloud are noticed by the contract suite: all of a sample, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.operations.mutation.typos import noticed, used_words

pytestmark = pytest.mark.slow


def test_every_typo_is_noticed(tmp_path: Path) -> None:
    noticed(used_words("azure", tmp_path), tmp_path)
