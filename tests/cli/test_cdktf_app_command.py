"""The real command lines of both engines take ``scaffolder synth`` for a project's app."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.cli.conftest import SPEC, Cli
from tests.external_tools import NodeTools

pytestmark = [pytest.mark.cli, pytest.mark.slow]


def synth(cli: Cli, node_tools: NodeTools, engine: str) -> subprocess.CompletedProcess[str]:
    command = node_tools.cdktf if engine == "cdktf" else node_tools.cdktn
    return subprocess.run(
        [command, "synth"],
        cwd=cli.folder,
        env={**os.environ, **node_tools.environment, "HOME": str(cli.folder), "CI": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize("engine", ["cdktf", "cdktn"])
def test_scaffolder_synth_is_an_app(cli: Cli, node_tools: NodeTools, engine: str) -> None:
    settings = {
        "language": "python",
        "app": f"{cli.executable} synth",
        "projectId": "x",
        "sendCrashReports": "false",
    }
    cli.write("cdktf.json", json.dumps(settings))
    cli.write("platform.yaml")
    done = synth(cli, node_tools, engine)
    assert done.returncode == 0, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "Generated Terraform code for the stacks: churn-dev-identity, churn-dev-network," in said
    assert cli.run("synth", "--check").code == 0
    cli.write("platform.yaml", SPEC + "nmae: x\n")
    broken = synth(cli, node_tools, engine)
    assert broken.returncode == 1
    assert "platform.yaml:5:1: error[unknown-key]" in broken.stdout + broken.stderr
