"""The full example is deployed by both real CDKTF command lines, from what `scaffolder synth` writes, and taken away.

Each engine has an emulated account of its own: the platform's names are the same.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emulator.fixture import Emulator, running_emulator
from tests.external_tools import ROOT, NodeTools, Terraform
from tests.terraform.deployment import Deployment

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

EXAMPLE = ROOT / "examples" / "04-full-aws"
ENGINES = ("cdktf", "cdktn")
STATE, ALL = "churn-dev-state", "churn-dev-*"
FLAGS = ("--auto-approve", "--skip-provider-lock", "--parallelism", "3")
TIMEOUT_S = 1500


@dataclass(frozen=True, slots=True)
class App:
    """A copy of the example as an app of one engine, and its account."""

    engine: str
    folder: Path
    command: Path
    environment: dict[str, str]
    emulator: Emulator
    terraform: Terraform

    @property
    def deployment(self) -> Deployment:
        """What was synthesized, for Terraform itself."""
        return Deployment(self.folder / "cdktf.out", self.terraform, self.environment)

    def run(self, *arguments: str) -> None:
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
        assert done.returncode == 0, f"{self.engine} {arguments}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"

    def deploy(self) -> None:
        """The state's bucket first, since the command lines initialize every stack before they deploy one."""
        self.run("deploy", STATE, *FLAGS)
        self.run("deploy", ALL, *FLAGS)


@pytest.fixture(scope="module")
def apps(
    scaffolder_cli: Path,
    node_tools: NodeTools,
    terraform: Terraform,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[App, ...]]:
    """Both apps, deployed at the same time: the provider mostly waits."""
    place = tmp_path_factory.mktemp("full-cdktf")
    with ExitStack() as running:
        made = []
        for engine in ENGINES:
            folder = place / engine
            shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("expected"))
            settings = {
                "language": "python",
                "app": "scaffolder synth platform.yaml",
                "projectId": engine,
                "sendCrashReports": "false",
            }
            (folder / "cdktf.json").write_text(json.dumps(settings))
            cloud = running.enter_context(running_emulator(place / f"{engine}.log"))
            (place / f"home-{engine}").mkdir()
            environment = {
                **cloud.environment(terraform.environment),
                **node_tools.environment,
                "PATH": os.pathsep.join([str(scaffolder_cli.parent), node_tools.environment["PATH"]]),
                "HOME": str(place / f"home-{engine}"),
                "CI": "1",
            }
            command = node_tools.cdktf if engine == "cdktf" else node_tools.cdktn
            made.append(App(engine, folder, command, environment, cloud, terraform))
        with ThreadPoolExecutor() as pool:
            list(pool.map(App.deploy, made))
        yield tuple(made)


def test_every_stack_is_deployed_and_a_second_plan_changes_nothing(apps: tuple[App, ...]) -> None:
    for app in apps:
        plans = app.deployment.plans()
        assert len(plans) == 10
        assert {name: plan.changed for name, plan in plans.items() if plan.exit_code} == {}, app.engine
        assert all(app.deployment.state(name) for name in plans)


def test_both_engines_deployed_the_same(apps: tuple[App, ...]) -> None:
    first, second = (
        {name: app.deployment.state(name) for wave in app.deployment.order for name in wave} for app in apps
    )
    assert first == second
    for app in apps:
        sagemaker = app.emulator.client("sagemaker")
        names = {endpoint["EndpointName"] for endpoint in sagemaker.list_endpoints()["Endpoints"]}
        assert names == {"churn-dev-churn", "churn-dev-uplift", "churn-dev-uplift-slow"}


def test_destroy_leaves_nothing(apps: tuple[App, ...]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda app: app.run("destroy", ALL, *FLAGS), apps))
    for app in apps:
        assert app.emulator.client("sagemaker").list_endpoints()["Endpoints"] == []
        assert app.emulator.client("s3").list_buckets()["Buckets"] == []
        assert app.emulator.client("iam").list_roles()["Roles"] == []
