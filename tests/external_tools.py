"""The programs from outside that tests run: Terraform with a provider, the CDKTF command lines and checkov.

Each is found or explained: ``find_*`` returns what runs it, or raises :class:`Missing` with the reason. May not
install anything; `make tools` does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Missing",
    "NodeTools",
    "Terraform",
    "find_checkov",
    "find_node_tools",
    "find_scaffolder",
    "find_terraform",
]

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
PROBE = ROOT / "tests" / "tools" / "versions.tf"
CLI_CONFIG_SCRIPT = ROOT / "scripts" / "terraform-cli-config"
INIT_TIMEOUT_S = 300


class Missing(Exception):
    """A program that a test needs is not to be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Terraform:
    """A terraform that can install the provider, and the environment to run it in."""

    executable: Path
    environment: Mapping[str, str]
    plugins: Path | None = None
    """Where it installed the AWS provider, if it did."""

    def provider(self) -> Path | None:
        """The AWS provider's executable, where it installed one."""
        if self.plugins is None:
            return None
        (found,) = self.plugins.glob("registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_v*")
        return found

    def run(
        self, *arguments: str, cwd: Path, environment: Mapping[str, str] | None = None, timeout_s: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run it without input or colours; the caller judges the exit code."""
        return subprocess.run(
            [self.executable, *arguments],
            cwd=cwd,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


@dataclass(frozen=True, slots=True)
class NodeTools:
    """The command lines of both engines, and the environment in which they find Node and Python."""

    cdktf: Path
    cdktn: Path
    node: Path
    environment: Mapping[str, str]


def find_scaffolder() -> Path:
    """The ``scaffolder`` command: the one that ``SCAFFOLDER_EXE`` names (the installed wheel's), else this Python's."""
    named = os.environ.get("SCAFFOLDER_EXE")
    executable = Path(named) if named else Path(sys.executable).parent / "scaffolder"
    if not executable.is_file():
        raise Missing(f"there is no scaffolder command at {executable}; `make venv` installs it")
    return executable


def terraform_environment(scratch: Path) -> dict[str, str]:
    """The environment for Terraform: the user's CLI configuration, else a mirror's, else the registry with a cache."""
    environment = {**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    environment["TF_CLI_ARGS"] = "-no-color"
    if Path(environment.pop("TF_CLI_CONFIG_FILE", "")).is_file():
        environment["TF_CLI_CONFIG_FILE"] = os.environ["TF_CLI_CONFIG_FILE"]
        return environment
    made = subprocess.run(
        [sys.executable, CLI_CONFIG_SCRIPT, scratch / "terraform.tfrc"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode == 0:
        environment["TF_CLI_CONFIG_FILE"] = made.stdout.strip()
        return environment
    if "TF_PLUGIN_CACHE_DIR" not in environment:
        cache = TOOLS / "terraform-plugins"
        cache.mkdir(parents=True, exist_ok=True)
        environment["TF_PLUGIN_CACHE_DIR"] = str(cache)
    return environment


def find_terraform(scratch: Path) -> Terraform:
    """Find a terraform and prove that it can install the provider; ``scratch`` is an empty folder to prove it in."""
    found = shutil.which("terraform")
    if found is None:
        raise Missing("there is no terraform on PATH")
    probe = scratch / "probe"
    terraform = Terraform(Path(found), terraform_environment(scratch), probe / ".terraform" / "providers")
    probe.mkdir()
    shutil.copy(PROBE, probe)
    try:
        done = terraform.run("init", "-backend=false", cwd=probe, timeout_s=INIT_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Missing(f"terraform could not install the provider within {INIT_TIMEOUT_S} s") from error
    if done.returncode:
        raise Missing(f"terraform cannot install the provider: {' '.join(done.stderr.split())}")
    return terraform


def find_node_tools() -> NodeTools:
    """Find what `make tools` installed from tests/tools/package-lock.json."""
    binaries = TOOLS / "node" / "node_modules" / ".bin"
    node = Path(sys.executable).parent / "node"
    tools = NodeTools(
        cdktf=binaries / "cdktf",
        cdktn=binaries / "cdktn",
        node=node,
        environment={
            "PATH": os.pathsep.join([str(node.parent), str(binaries), os.environ.get("PATH", os.defpath)]),
            "JSII_NODE": str(node),
            "CHECKPOINT_DISABLE": "1",
        },
    )
    for program in (tools.cdktf, tools.cdktn, tools.node):
        if not program.exists():
            raise Missing(f"{program.name} is not there; `make tools` installs it")
    return tools


def find_checkov() -> Path:
    """Find the checkov that `make tools` installed from requirements/checkov.txt."""
    checkov = TOOLS / "checkov" / "bin" / "checkov"
    if not checkov.is_file():
        raise Missing(f"{checkov.relative_to(ROOT)} is not there; `make tools` installs it")
    return checkov
