"""Makes projects from the built-in template for tests. May not judge them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["ENGINES", "SYSTEMS", "files_of", "new_project"]

ENGINES = ("cdktf", "cdktn")
SYSTEMS = ("github", "gitlab", "none")


def new_project(scaffolder: Path, folder: Path, *flags: str) -> Path:
    """Run ``scaffolder new platform``; the user's own settings are out of reach."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    subprocess.run(
        [scaffolder, "new", "platform", folder, "--defaults", *flags],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(home)},
    )
    assert list(home.iterdir()) == []
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    """Each file of a folder by its path; what Python and pytest leave behind does not count."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & set(path.parts)
    }
