"""The pipeline of a generated project: its code runs, and what it becomes on the platform is whole."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from scaffolder.pipeline import synthesize
from stacks.emit.terraform_json import document
from tests.templates.projects import new_project

pytestmark = [pytest.mark.cli, pytest.mark.slow]


@pytest.fixture(scope="module")
def project(scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_project(scaffolder_cli, tmp_path_factory.mktemp("project") / "churn", "--name", "churn")


def test_the_steps_run_and_the_server_answers(project: Path) -> None:
    if find_spec("sklearn") is None or find_spec("pandas") is None:
        pytest.skip("scikit-learn and pandas are not installed here")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/test_pipeline.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("step", ["prepare", "train", "evaluate"])
def test_a_step_says_how_it_is_run_without_any_library(project: Path, step: str) -> None:
    """As the pipeline's definition runs it: each flag of the command is one that the program takes."""
    command = [sys.executable, "-I", "-S", f"pipelines/src/{step}.py", "--help"]
    said = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    definition = yaml.safe_load((project / "pipelines" / "train.yaml").read_text())
    flags = {word for word in definition["steps"][step]["command"] if word.startswith("--")}
    assert flags
    assert {flag for flag in flags if f"{flag} " not in said} == set()


def test_the_pipeline_is_made_in_each_environment_with_its_code_and_the_platforms_images(
    project: Path,
) -> None:
    for environment in synthesize(project / "platform.yaml").environments:
        (ml,) = (linked for linked in environment.stacks if linked.stack.concern == "ml")
        resources = json.loads(json.dumps(document(ml)))["resource"]
        code = {
            item["key"].rpartition("/")[2]: item["content"] for item in resources["aws_s3_object"].values()
        }
        assert code == {file.name: file.read_text() for file in project.glob("pipelines/src/*.py")}
        definition = resources["aws_sagemaker_pipeline"]["train"]["pipeline_definition"]
        assert "aws_ecr_repository_training_repository_url}:0.1.0" in definition
        assert "aws_ecr_repository_serving_repository_url}:0.1.0" in definition


ENDPOINT = "online endpoint churn"


def planned(spec: Path) -> list[dict[str, str]]:
    """What each environment does not make, and what to do about it."""
    environments = synthesize(spec).environments
    return [{skipped.intent: skipped.remedy for skipped in each.skipped} for each in environments]


def test_the_endpoint_is_planned_until_its_model_has_a_version(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "churn"
    shutil.copytree(project, copy)
    spec = copy / "platform.yaml"
    for environment in planned(spec):
        assert "models.churn.version" in environment[ENDPOINT]
    text = spec.read_text()
    served = text.replace('"churn": {approval: manual}', '"churn": {approval: manual, version: 1}')
    assert served != text
    spec.write_text(served)
    assert all(ENDPOINT not in environment for environment in planned(spec))
