"""The scripts that a project's CI runs: which stacks are planned and deployed, when a plan fails, what is built."""

from __future__ import annotations

import json
import os
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


AWS = """#!/usr/bin/env bash
# A registry of images: a folder for each repository, a file for each tag. Takes the commands of ci/images.sh.
set -eu
case "$1 $2" in
  "ecr get-login-password") echo token ;;
  "ecr describe-images")
    repository=$4 tag=${6#imageTag=}
    [ ! -e "$REGISTRY/denied" ] || { echo "AccessDeniedException: not allowed" >&2; exit 254; }
    [ -d "$REGISTRY/$repository" ] || { echo "RepositoryNotFoundException: no $repository" >&2; exit 254; }
    [ -f "$REGISTRY/$repository/$tag" ] || { echo "ImageNotFoundException: no $tag" >&2; exit 254; } ;;
  *) echo "unknown: $*" >&2; exit 252 ;;
esac
"""
DOCKER = """#!/usr/bin/env bash
# Keeps the recipe of what is built, and copies it to the registry when it is pushed.
set -eu
case "$1" in
  login) grep -q token ;;
  build) cp "$5" "$REGISTRY/built-$(basename "${7%:*}")" ;;
  # The scan: what is saved is copied into a container of syft, whose list is copied out and into one of grype.
  save) touch "$4" ;;
  create) echo "$2" | cut -d : -f 1 ;;
  cp) case $2 in anchore/syft:*) echo '{}' > "$3" ;; *) [ -f "$2" ] ;; esac ;;
  start) [ "$3" != anchore/grype ] || [ ! -e "$REGISTRY/vulnerable" ] ;;
  rm) ;;
  push)
    host=123456789012.dkr.ecr.eu-west-1.amazonaws.com
    image=${2#"$host/"}
    [ "$image" != "$2" ] || { echo "not at $host: $2" >&2; exit 1; }
    cp "$REGISTRY/built-$(basename "${image%:*}")" "$REGISTRY/${image%:*}/${image##*:}" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry with the platform's repositories, and the programs that reach it."""
    folder = tmp_path / "registry"
    for repository in ("training", "serving"):
        (folder / "churn-dev" / repository).mkdir(parents=True)
    for name, text in (("aws", AWS), ("docker", DOCKER)):
        program = tmp_path / "programs" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    return folder


def build_images(project: Path, registry: Path) -> subprocess.CompletedProcess[str]:
    programs = os.pathsep.join([str(registry.parent / "programs"), os.environ["PATH"]])
    environment = {"PATH": programs, "REGISTRY": str(registry), "ACCOUNT": "123456789012"}
    return subprocess.run(
        ["bash", "ci/images.sh", "dev"],
        cwd=project,
        env={**environment, "REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        check=False,
    )


def tags(registry: Path) -> dict[str, str]:
    """Each image of the registry, and the recipe that it was built from."""
    found = (registry / "churn-dev").glob("*/*")
    return {f"{path.parent.name}:{path.name}": path.read_text() for path in found}


def test_images_that_are_named_are_built_and_pushed(project: Path, registry: Path) -> None:
    done = build_images(project, registry)
    assert done.returncode == 0, done.stderr
    recipes = {
        name: (project / "containers" / name / "Dockerfile").read_text() for name in ("training", "serving")
    }
    assert tags(registry) == {f"{name}:0.1.0": recipe for name, recipe in recipes.items()}


def test_an_image_with_a_vulnerability_is_not_pushed(project: Path, registry: Path) -> None:
    (registry / "vulnerable").touch()
    done = build_images(project, registry)
    assert done.returncode == 1
    assert tags(registry) == {}
    assert [path.name for path in (project / "sbom").iterdir()] == ["serving.spdx.json"]


def test_an_image_that_is_there_is_left_alone_and_a_new_tag_is_built(project: Path, registry: Path) -> None:
    (registry / "churn-dev" / "serving" / "0.1.0").write_text("as it was")
    definition = project / "pipelines" / "train.yaml"
    definition.write_text(definition.read_text().replace("training:0.1.0", "training:0.2.0"))
    done = build_images(project, registry)
    assert done.returncode == 0, done.stderr
    assert tags(registry).keys() == {"serving:0.1.0", "training:0.2.0"}
    assert tags(registry)["serving:0.1.0"] == "as it was"


def test_an_image_waits_for_its_repository_and_a_refusal_fails(project: Path, registry: Path) -> None:
    (registry / "churn-dev" / "serving").rmdir()
    done = build_images(project, registry)
    assert done.returncode == 0, done.stderr
    assert tags(registry).keys() == {"training:0.1.0"}
    assert "serving:0.1.0 waits for its repository churn-dev/serving" in done.stderr
    (registry / "denied").touch()
    denied = build_images(project, registry)
    assert denied.returncode == 1
    assert "AccessDeniedException" in denied.stderr
