"""Runs the executable as a user does: in an empty folder, with an environment that says little about this machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
"""
"""The smallest spec; tests add lines to it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run printed and how it ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)


@dataclass(frozen=True, slots=True)
class Cli:
    """The command, and the folder in which it runs."""

    executable: Path
    folder: Path

    def run(self, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> Ran:
        done = subprocess.run(
            [self.executable, *arguments],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.executable.parent}{os.pathsep}{os.defpath}", "HOME": str(self.folder)}

    def write(self, name: str, text: str = SPEC) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def files(self, folder: str) -> dict[str, bytes]:
        root = self.folder / folder
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def cli(scaffolder_cli: Path, tmp_path: Path) -> Cli:
    return Cli(scaffolder_cli, tmp_path)
