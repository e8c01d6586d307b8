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
import yaml

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import NodeTools, Terraform
from tests.templates.projects import new_project
from tests.terraform.deployment import Deployment

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

CONCERNS = frozenset(
    {
        *("state", "security", "network", "registry", "storage", "identity"),
        *("workspace", "ml", "monitoring"),
    }
)
APPS = {"cdktf": "python main.py", "cdktn": "scaffolder synth"}
"""An app of constructs for one engine, and the one without Node for the other."""
SYSTEMS = {"cdktf": "github", "cdktn": "gitlab"}
"""An account has one identity provider for each, so that two platforms of one system would be in each other's way."""
PARALLEL_STACKS = "3"
TIMEOUT_S = 1500


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

    @property
    def deploy_step(self) -> str:
        """The command by which the project's pipeline deploys."""
        match SYSTEMS[self.engine]:
            case "github":
                pipeline = yaml.safe_load(
                    (self.folder / ".github" / "workflows" / "platform.yml").read_text()
                )
                step = pipeline["jobs"]["deploy"]["steps"][-1]["run"]
            case _:
                pipeline = yaml.safe_load((self.folder / ".gitlab-ci.yml").read_text())
                (step,) = pipeline[".deploy"]["script"]
        assert isinstance(step, str)
        return step

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a job of CI does."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env={**self.environment, "CLI": str(self.command), "ENVIRONMENT": "dev"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{self.engine} {command}:\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
        return done

    @property
    def deployed_by_ci(self) -> tuple[str, ...]:
        """The stacks of the environment but the one with the states' bucket, in the order of their deployment."""
        start = f"{self.name}-dev-"
        names = (name for wave in self.deployment.order for name in wave if name.startswith(start))
        return tuple(name for name in names if name != f"{start}state")

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


def test_what_the_spec_asks_for_is_there(deployed: tuple[Project, ...], emulator: Emulator) -> None:
    sagemaker = emulator.client("sagemaker")
    for project in deployed:
        name = f"{project.name}-dev"
        domains = {domain["DomainName"]: domain["DomainId"] for domain in sagemaker.list_domains()["Domains"]}
        domain = sagemaker.describe_domain(DomainId=domains[name])
        assert domain["AppNetworkAccessType"] == "VpcOnly"
        pipeline = sagemaker.describe_pipeline(PipelineName=f"{name}-train")
        steps = json.loads(pipeline["PipelineDefinition"])["Steps"]
        assert [step["Name"] for step in steps][:3] == ["prepare", "train", "evaluate"]
        address = f".amazonaws.com/{name}/training:0.1.0"
        assert steps[0]["Arguments"]["AppSpecification"]["ImageUri"].endswith(address)
        code = emulator.client("s3").list_objects_v2(
            Bucket=f"{name}-artifacts-123456789012-eu-west-1", Prefix="code/train/"
        )["Contents"]
        assert {item["Key"].rpartition("/")[2] for item in code} == {
            path.name for path in project.folder.glob("pipelines/src/*.py")
        }
        groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        assert f"{name}-{project.name}" in {group["ModelPackageGroupName"] for group in groups}
        # Planned until there is a version of its model.
        assert sagemaker.list_endpoints()["Endpoints"] == []


def see_no_change(project: Project) -> None:
    """The command line for a stack that reads all others; Terraform for the one that CI leaves out."""
    assert "No changes." in project.run("diff", f"{project.name}-dev-identity", "--skip-provider-lock")
    plan = project.deployment.plan(f"{project.name}-dev-state")
    assert (plan.exit_code, plan.changed) == (0, ())


def test_the_command_line_and_terraform_see_no_change(deployed: tuple[Project, ...]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(see_no_change, deployed))


def change_by_ci(project: Project) -> None:
    """Add a repository, and run what the pipelines run for a pull request and for a merge."""
    spec = project.folder / "platform.yaml"
    spec.write_text(spec.read_text().replace("[training, serving]", "[training, serving, reports]"))
    project.run("synth")
    planned = project.shell("bash ci/plan.sh dev")
    told = [
        f"No change in `{name}`."
        for name in project.deployed_by_ci
        if not name.endswith(("-registry", "-identity"))
    ]
    assert [line for line in planned.stdout.splitlines() if line.startswith("No change in")] == told
    assert "aws_ecr_repository.reports will be created" in planned.stdout
    # Its roles read the repository's ARN, which is not there before the repository is.
    name = f"{project.name}-dev"
    assert planned.stderr == f"cannot be planned before {name}-registry: {name}-identity\n"
    project.shell(project.deploy_step.replace("--skip-synth", "--skip-synth --skip-provider-lock"))
    settled = project.shell("bash ci/plan.sh dev").stdout
    told = [f"No change in `{stack}`." for stack in project.deployed_by_ci]
    assert settled.split("\n") == [*(part for line in told for part in (line, "")), ""]


def test_ci_plans_and_deploys_a_change(deployed: tuple[Project, ...], emulator: Emulator) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(change_by_ci, deployed))
    found = emulator.client("ecr").describe_repositories()["repositories"]
    repositories = {item["repositoryName"] for item in found}
    for project in deployed:
        assert f"{project.name}-dev/reports" in repositories


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
    sagemaker = emulator.client("sagemaker")
    assert sagemaker.list_domains()["Domains"] == []
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert emulator.client("sns").list_topics()["Topics"] == []
    ec2 = emulator.client("ec2")
    for project in deployed:
        ours = [{"Name": "tag:platform", "Values": [project.name]}]
        assert ec2.describe_vpcs(Filters=ours)["Vpcs"] == []
        local = json.loads((project.folder / f"terraform.{project.name}-dev-state.tfstate").read_bytes())
        assert local["resources"] == []
    assert emulator.failures() == []
