"""The scripts that a project's CI runs: which stacks are planned and deployed, and when a plan fails."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.templates.projects import new_project

pytestmark = [pytest.mark.cli, pytest.mark.slow]

PLANNABLE = {"resource": {"terraform_data": {"a": {"input": "a"}}}}
UNPLANNABLE = {
    "data": {"terraform_remote_state": {"a": {"backend": "local", "config": {"path": "none.tfstate"}}}},
    "output": {"a": {"value": "${data.terraform_remote_state.a.outputs.nothing}"}},
}
UNCHANGED = {"locals": {"a": "a"}}
NEEDS = {
    "churn-dev-identity": ["churn-dev-network", "churn-dev-state"],
    "churn-dev-network": ["churn-dev-storage", "churn-dev-state"],
    "churn-dev-my-state": ["churn-dev-identity"],
}


@pytest.fixture
def project(scaffolder_cli: Path, tmp_path: Path) -> Path:
    """A project whose synthesis is not there yet."""
    return new_project(scaffolder_cli, tmp_path / "churn", "--name", "churn")


def synthesized(project: Path, **stacks: object) -> None:
    """Write stacks of Terraform's built-in types where a synthesis writes; ``_`` in a name is a hyphen."""
    out = project / "cdktf.out"
    names = {name.replace("_", "-"): document for name, document in stacks.items()}
    for name, document in names.items():
        (out / "stacks" / name).mkdir(parents=True)
        (out / "stacks" / name / "cdk.tf.json").write_text(json.dumps(document))
    entries = {name: {"name": name, "dependencies": NEEDS.get(name, [])} for name in names}
    (out / "manifest.json").write_text(json.dumps({"stacks": entries}))


def script(project: Path, name: str) -> subprocess.CompletedProcess[str]:
    for program in ("bash", "jq", "terraform"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on PATH")
    return subprocess.run(
        ["bash", f"ci/{name}", "dev"], cwd=project, capture_output=True, text=True, check=False
    )


def test_ci_deploys_in_order_the_environments_stacks_and_the_users_but_not_the_one_for_state(
    project: Path,
) -> None:
    synthesized(
        project,
        churn_dev_identity={},
        churn_dev_my_state={},
        churn_dev_network={},
        churn_dev_state={},
        churn_dev_storage={},
        churn_prod_network={},
        churner_dev_network={},
    )
    concerns = ("storage", "network", "identity", "my-state")
    assert script(project, "stacks.sh").stdout.split() == [f"churn-dev-{concern}" for concern in concerns]


def test_a_plan_shows_what_changes(project: Path) -> None:
    synthesized(project, churn_dev_registry=PLANNABLE, churn_dev_storage=UNCHANGED)
    done = script(project, "plan.sh")
    assert done.returncode == 0, done.stderr
    assert "### churn-dev-registry\n\n```text\n" in done.stdout
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in done.stdout
    assert "No change in `churn-dev-storage`." in done.stdout
    assert not (project / "plan.log").exists()


def test_a_stack_that_waits_for_another_ones_outputs_does_not_fail_the_plan(project: Path) -> None:
    synthesized(project, churn_dev_registry=PLANNABLE, churn_dev_workspace=UNPLANNABLE)
    done = script(project, "plan.sh")
    assert done.returncode == 0, done.stderr
    assert "Unable to find remote state" in done.stdout
    assert done.stderr == "cannot be planned before churn-dev-registry: churn-dev-workspace\n"


def test_a_plan_that_fails_while_nothing_else_changes_fails(project: Path) -> None:
    synthesized(project, churn_dev_registry=UNCHANGED, churn_dev_workspace=UNPLANNABLE)
    done = script(project, "plan.sh")
    assert done.returncode == 1
    assert "Unable to find remote state" in done.stdout
    assert done.stderr == "cannot be planned: churn-dev-workspace\n"
