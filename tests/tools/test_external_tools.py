from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.external_tools import PROBE, ROOT, NodeTools, Terraform

PINNED = json.loads((ROOT / "tests" / "tools" / "package.json").read_text(encoding="utf-8"))["dependencies"]


@pytest.mark.terraform
def test_terraform_installs_the_provider_that_the_probe_names(terraform: Terraform, tmp_path: Path) -> None:
    (tmp_path / "versions.tf").write_bytes(PROBE.read_bytes())
    done = terraform.run("init", "-backend=false", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'provider "registry.terraform.io/hashicorp/aws"' in (tmp_path / ".terraform.lock.hcl").read_text(
        encoding="utf-8"
    )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["cdktf", "cdktn"])
def test_the_command_line_of_each_engine_runs_in_its_pinned_version(
    node_tools: NodeTools, engine: str, tmp_path: Path
) -> None:
    program = {"cdktf": node_tools.cdktf, "cdktn": node_tools.cdktn}[engine]
    environment = {**os.environ, **node_tools.environment}
    environment.pop("TF_CLI_CONFIG_FILE", None)
    done = subprocess.run(
        [program, "--version"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, PINNED[f"{engine}-cli"])


@pytest.mark.slow
def test_checkov_runs_in_its_locked_version(checkov: Path) -> None:
    locked = re.search(
        r"^checkov==(\S+)", (ROOT / "requirements" / "checkov.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert locked is not None
    done = subprocess.run([checkov, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, locked[1])
