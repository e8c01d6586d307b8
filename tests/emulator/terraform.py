"""Runs the real Terraform on a folder. May not know what the folder holds, nor any cloud.

Providers come from the configuration that `TF_CLI_CONFIG_FILE` names, else from a mirror on this machine, else
from Terraform's registry. Where none of them has a provider, the test is skipped and says why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Plan", "Terraform", "providers_environment"]

_MIRROR_SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "terraform-cli-config"
_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a plan found; `changed` are the addresses that an apply would create, change or destroy."""

    has_changes: bool
    changed: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in one folder, with one environment."""

    folder: Path
    environment: Mapping[str, str]

    def init(self) -> None:
        """Install the providers; skips the test where they can't be had."""
        run = self.run("init", "-input=false")
        if run.returncode != 0 and "provider" in run.stderr:
            pytest.skip(f"terraform can't install the providers: {' '.join(run.stderr.split())[:400]}")
        assert run.returncode == 0, run.stderr

    def validate(self) -> None:
        self._succeed("validate")

    def apply(self) -> None:
        self._succeed("apply", "-auto-approve", "-input=false")

    def destroy(self) -> None:
        self._succeed("destroy", "-auto-approve", "-input=false")

    def plan(self) -> Plan:
        """Plan with a refresh, and read the plan that Terraform writes."""
        run = self.run("plan", "-detailed-exitcode", "-input=false", "-out=plan.bin")
        assert run.returncode in {0, 2}, run.stderr
        document = json.loads(self._succeed("show", "-json", "plan.bin"))
        return Plan(
            has_changes=run.returncode == 2,
            changed=frozenset(
                change["address"]
                for change in document.get("resource_changes", [])
                if change["change"]["actions"] not in (["no-op"], ["read"])
            ),
            text=run.stdout,
        )

    def addresses(self) -> list[str]:
        """Everything in the state."""
        return self._succeed("state", "list").split()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command, whatever its exit code."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )

    def command(self, *arguments: str) -> list[str]:
        """The command line, for a test that has to run it beside another."""
        colour = [] if arguments[0] == "state" else ["-no-color"]
        return ["terraform", *arguments[:1], *colour, *arguments[1:]]

    def _succeed(self, *arguments: str) -> str:
        run = self.run(*arguments)
        assert run.returncode == 0, f"terraform {arguments[0]}:\n{run.stderr[-6000:]}"
        return run.stdout


def providers_environment(folder: Path) -> dict[str, str]:
    """What Terraform's environment needs to find providers; writes a configuration into `folder` if need be.

    A `TF_CLI_CONFIG_FILE` that names no file counts as not set: Terraform only warns about it, and goes on to
    the registry. Skips the test where there is no Terraform.
    """
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH")
    common = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    given = os.environ.get("TF_CLI_CONFIG_FILE", "")
    if given and Path(given).is_file():
        return common | {"TF_CLI_CONFIG_FILE": given}
    found = subprocess.run(
        [sys.executable, str(_MIRROR_SCRIPT), str(folder / "terraform.tfrc")],
        capture_output=True,
        text=True,
        check=False,
    )
    written = folder / "terraform.tfrc"
    if found.returncode != 0:
        written.write_text("", encoding="utf-8")
    return common | {"TF_CLI_CONFIG_FILE": str(written)}
