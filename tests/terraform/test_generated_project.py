"""A freshly generated project is deployed by its own engine's command line, as its README says, and taken away again.

Both engines' projects are deployed at the same time into one emulated account: the provider mostly waits.
"""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import NodeTools, Terraform
from tests.templates.projects import new_project
from tests.terraform.deployment import Deployment

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

CONCERNS = ("identity", "network", "registry", "security", "state", "storage")
APPS = {"cdktf": "python main.py", "cdktn": "scaffolder synth"}
"""An app of constructs for one engine, and the one without Node for the other."""
SYSTEMS = {"cdktf": "github", "cdktn": "gitlab"}
"""An account has one identity provider for each, so that two platforms of one system would be in each other's way."""
PARALLEL_STACKS = "3"
TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Project:
    """A generated project, and the command line of its engine."""

    engine: str
    folder: Path
    command: Path
    terraform: Terraform
    environment: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.engine}-app"

    @property
    def stacks(self) -> str:
        """The pattern that the README deploys and destroys by."""
        return f"{self.name}-dev-*"

    @property
    def deployment(self) -> Deployment:
        """What the last synthesis wrote, for Terraform itself."""
        return Deployment(self.folder / "cdktf.out", self.terraform, self.environment)

    def run(self, *arguments: str) -> str:
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
        assert done.returncode == 0, f"{self.engine} {arguments}:\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
        return done.stdout

    def state(self, concern: str) -> tuple[str, ...]:
        """The addresses in a stack's state."""
        return self.deployment.state(f"{self.name}-dev-{concern}")


def generated(
    engine: str,
    scaffolder: Path,
    node_tools: NodeTools,
    terraform: Terraform,
    emulator: Emulator,
    place: Path,
) -> Project:
    """Make a project as a user does; only ``cdktf.json``'s app is changed, to the alternative that its README names."""
    name = f"{engine}-app"
    flags = ("--name", name, "--engine", engine, "--ci", SYSTEMS[engine])
    folder = new_project(scaffolder, place / name, *flags)
    settings = json.loads((folder / "cdktf.json").read_text())
    assert settings["app"] == APPS["cdktf"]
    (folder / "cdktf.json").write_text(json.dumps({**settings, "app": APPS[engine]}))
    programs = os.pathsep.join([str(scaffolder.parent), node_tools.environment["PATH"]])
    environment = {
        **emulator.environment(terraform.environment),
        **node_tools.environment,
        "PATH": programs,
        "HOME": str(place / f"home-{engine}"),
        "CI": "1",
    }
    Path(environment["HOME"]).mkdir()
    return Project(engine, folder, getattr(node_tools, engine), terraform, environment)


@pytest.fixture(scope="module")
def projects(
    scaffolder_cli: Path,
    node_tools: NodeTools,
    terraform: Terraform,
    emulator: Emulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Project, ...]:
    """A project of each engine."""
    place = tmp_path_factory.mktemp("generated")
    return tuple(generated(engine, scaffolder_cli, node_tools, terraform, emulator, place) for engine in APPS)


def synth_and_deploy(project: Project) -> None:
    said = project.run("synth")
    assert all(f"{project.name}-dev-{concern}" in said for concern in CONCERNS)
    flags = ("--auto-approve", "--skip-provider-lock", "--parallelism", PARALLEL_STACKS)
    # The command line initializes all stacks before it deploys the first, so the bucket of states has to be there.
    project.run("deploy", f"{project.name}-dev-state", *flags)
    project.run("deploy", project.stacks, *flags)


def destroy(project: Project) -> None:
    flags = ("--auto-approve", "--skip-provider-lock", "--parallelism", PARALLEL_STACKS)
    project.run("destroy", project.stacks, *flags)


@pytest.fixture(scope="module")
def deployed(projects: tuple[Project, ...]) -> tuple[Project, ...]:
    """Both projects' development environments, deployed."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(synth_and_deploy, projects))
    return projects


def test_every_stack_of_the_environment_and_no_other_is_deployed(
    deployed: tuple[Project, ...], emulator: Emulator
) -> None:
    tables = emulator.client("s3").list_buckets()["Buckets"]
    for project in deployed:
        for concern in CONCERNS:
            assert project.state(concern), concern
        assert (project.folder / f"terraform.{project.name}-dev-state.tfstate").is_file()
        buckets = {item["Name"] for item in tables if item["Name"].startswith(project.name)}
        assert {name.removeprefix(f"{project.name}-dev-").split("-")[0] for name in buckets} >= {
            "artifacts",
            "data",
            "logs",
            "state",
        }
        assert not any(name.startswith(f"{project.name}-prod") for name in buckets)


def test_only_the_state_stacks_own_state_and_no_secret_is_left_to_commit(
    deployed: tuple[Project, ...],
) -> None:
    """As the README has it: git ignores every other state, and takes this one."""
    for project in deployed:
        git = ["git", "-C", str(project.folder)]
        subprocess.run([*git, "init", "--quiet"], check=True)
        listed = subprocess.run(
            [*git, "ls-files", "--others", "--exclude-standard"], check=True, capture_output=True, text=True
        ).stdout.split()
        state = f"terraform.{project.name}-dev-state.tfstate"
        assert [name for name in listed if "tfstate" in name] == [state]
        assert not any(name.startswith("cdktf.out") for name in listed)
        text = (project.folder / state).read_text()
        assert "secret" not in text.lower()
        assert project.environment["AWS_SECRET_ACCESS_KEY"] not in text


def test_the_command_line_and_terraform_see_no_change(deployed: tuple[Project, ...]) -> None:
    for project in deployed:
        assert "No changes." in project.run("diff", f"{project.name}-dev-identity", "--skip-provider-lock")
        plans = {concern: project.deployment.plan(f"{project.name}-dev-{concern}") for concern in CONCERNS}
        assert {concern: (plan.exit_code, plan.changed) for concern, plan in plans.items()} == {
            concern: (0, ()) for concern in CONCERNS
        }


def test_destroy_leaves_nothing_behind(deployed: tuple[Project, ...], emulator: Emulator) -> None:
    """Runs last: the account is empty afterwards, but for keys that wait out their deletion window."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(destroy, deployed))
    assert emulator.client("s3").list_buckets()["Buckets"] == []
    assert emulator.client("iam").list_roles()["Roles"] == []
    assert emulator.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert emulator.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert emulator.client("ecr").describe_repositories()["repositories"] == []
    assert emulator.client("logs").describe_log_groups()["logGroups"] == []
    ec2 = emulator.client("ec2")
    for project in deployed:
        ours = [{"Name": "tag:platform", "Values": [project.name]}]
        assert ec2.describe_vpcs(Filters=ours)["Vpcs"] == []
        local = json.loads((project.folder / f"terraform.{project.name}-dev-state.tfstate").read_bytes())
        assert local["resources"] == []
    assert emulator.failures() == []
