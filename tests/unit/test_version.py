"""The version that a program says is the one that is installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import scaffolder


def test_the_version_is_the_one_that_is_installed() -> None:
    assert scaffolder.__version__ == version("scaffolder")


def test_the_nearest_metadata_counts_as_it_does_for_the_standard_library(tmp_path: Path) -> None:
    metadata = tmp_path / "scaffolder-9.8.7.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: scaffolder\nVersion: 9.8.7\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import scaffolder\n"
        "before = scaffolder.__version__; from importlib.metadata import version; print(before, version('scaffolder'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "9.8.7 9.8.7\n"
