"""The real ``cdktf`` and ``cdktn`` command lines deploy a freshly generated project into the emulated AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.fixture import Emulator, running_emulator
from tests.external_tools import NodeTools, Terraform
from tests.templates.projects import ENGINES, new_project
from tests.terraform.deployment import Deployment

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

TIMEOUT_S = 1500


class Project:
    """A generated project, and its engine's command line against an emulator of its own."""

    def __init__(
        self, folder: Path, engine: str, tools: NodeTools, terraform: Terraform, emulator: Emulator
    ) -> None:
        self.folder = folder
        self.emulator = emulator
        self.command = tools.cdktf if engine == "cdktf" else tools.cdktn
        path = os.pathsep.join([str(Path(sys.executable).parent), tools.environment["PATH"]])
        base = {
            **terraform.environment,
            **tools.environment,
            "PATH": path,
            "CI": "1",
            "HOME": str(folder.parent),
        }
        self.environment = emulator.environment({**base, "PYTHONDONTWRITEBYTECODE": "1"})
        self.deployment = Deployment(folder / "cdktf.out", terraform, emulator.environment({}))

    def run(self, *arguments: str) -> str:
        """Run the engine's command line; it must succeed."""
        done = subprocess.run(
            [self.command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout[-6000:]}{done.stderr[-3000:]}"
        return done.stdout


@pytest.mark.parametrize("engine", ENGINES)
def test_a_generated_project_is_deployed_kept_and_destroyed(
    engine: str, node_tools: NodeTools, terraform: Terraform, scaffolder_cli: Path, tmp_path: Path
) -> None:
    folder = new_project(scaffolder_cli, tmp_path / "churn", "--engine", engine, "--ci", "github")
    with running_emulator(tmp_path / "emulator.log") as emulator:
        project = Project(folder, engine, node_tools, terraform, emulator)
        stacks = json.loads(
            subprocess.run(
                [scaffolder_cli, "preview", "--env", "dev", "--json"],
                cwd=folder,
                check=True,
                capture_output=True,
            ).stdout
        )["environments"][0]["stacks"]
        names = [stack["name"] for stack in stacks]
        assert names[0] == "churn-dev-state"

        listed = project.run("list")
        assert all(name in listed for name in names)
        project.run("deploy", "--auto-approve", "--skip-provider-lock", *names)

        plans = {name: project.deployment.plan(name) for name in names}
        assert {name: plan.changed for name, plan in plans.items() if plan.exit_code} == {}
        assert (folder / "terraform.churn-dev-state.tfstate").is_file()
        assert emulator.failures() == []
        subnets = project.deployment.output("churn-dev-network")["subnet_ids"]
        assert isinstance(subnets, list)
        assert len(subnets) == 3

        project.run("destroy", "--auto-approve", *names)
        assert emulator.client("s3").list_buckets()["Buckets"] == []
        assert emulator.client("iam").list_roles()["Roles"] == []
