"""A project from the template `model` is whole for every choice: no markup left, the linter content, the spec valid."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from cookiecutter.main import cookiecutter

from tests.external_tools import ROOT
from tests.templates.model import CHOICES, DEEP, FRAMEWORKS, TASKS, Choice, model_project
from tests.templates.projects import files_of

pytestmark = [pytest.mark.cli, pytest.mark.slow]

TEMPLATE = ROOT / "templates" / "model"
RECORD = ".scaffolder-project.json"
TARGETS = {"aws": "sagemaker", "gcp": "vertex", "azure": "azureml", "local": "sagemaker"}
LIBRARIES = {
    "sklearn": "scikit-learn",
    "xgboost": "xgboost",
    "pytorch": "torch",
    "tensorflow": "tensorflow",
    "jax": "jax",
}
IMAGE = re.compile(r"python:3\.\d+-slim-bookworm@sha256:[0-9a-f]{64}")


@pytest.fixture(scope="module", params=CHOICES, ids=str)
def made(
    request: pytest.FixtureRequest, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Choice]:
    choice: Choice = request.param
    folder = tmp_path_factory.mktemp("model") / "project"
    return model_project(scaffolder_cli, folder, choice), choice


def test_the_choices_hold_every_pair_of_framework_and_of_task_with_each_other_answer() -> None:
    seen = {
        pair
        for each in CHOICES
        for pair in combinations((each.framework, each.task, each.provider, each.serving), 2)
    }
    assert {(framework, task) for framework in FRAMEWORKS for task in TASKS} <= seen
    assert {(task, serving) for task in TASKS for serving in ("both", "realtime", "batch")} <= seen
    assert {(task, provider) for task in TASKS for provider in TARGETS} <= seen
    assert {(framework, flags) for framework in FRAMEWORKS for flags in (True, False)} == {
        (each.framework, each.flags) for each in CHOICES
    }


def test_no_markup_is_left(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    for path, content in files_of(folder).items():
        if path != RECORD:
            assert not re.search(rb"\{%|\{\{|\}\}\}|cookiecutter", content), path
        assert not re.search(r"[{}%]", path)


def test_plain_cookiecutter_makes_the_same_bytes(made: tuple[Path, Choice], tmp_path: Path) -> None:
    folder, choice = made
    given = {"project_slug": folder.name, "scaffolder_version": version("scaffolder")}
    config = tmp_path / "config.yaml"
    config.write_text(f"{{replay_dir: {tmp_path}, cookiecutters_dir: {tmp_path}}}", encoding="utf-8")
    cookiecutter(
        str(TEMPLATE),
        no_input=True,
        extra_context={**choice.answers, **given},
        output_dir=str(tmp_path / "plain"),
        config_file=str(config),
    )
    ours = files_of(folder)
    del ours[RECORD]
    assert ours == files_of(tmp_path / "plain" / folder.name)


def test_every_text_ends_with_one_newline_and_no_line_with_a_space(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    for path, content in files_of(folder).items():
        if content:
            assert content.endswith(b"\n"), path
            assert not content.endswith(b"\n\n"), path
        assert not re.search(rb"[ \t]\n", content), path
        assert b"\n\n\n\n" not in content, path


def test_python_compiles_and_the_linter_and_the_formatter_are_content(made: tuple[Path, Choice]) -> None:
    folder, _ = made
    for path, content in files_of(folder).items():
        if path.endswith(".py"):
            compile(content, path, "exec")
    for words in (("check", "--no-cache", "."), ("format", "--no-cache", "--check", ".")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_spec_is_valid_without_a_warning_and_its_pipelines_compile(
    made: tuple[Path, Choice], scaffolder_cli: Path
) -> None:
    folder, choice = made
    checked = subprocess.run(
        [scaffolder_cli, "validate", "platform.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "warning" not in checked.stdout + checked.stderr
    spec = yaml.safe_load((folder / "platform.yaml").read_text())
    assert ("score" in spec["pipelines"]) == (choice.serving != "realtime")
    assert ("endpoints" in spec) == (choice.serving != "batch")
    for pipeline in spec["pipelines"]:
        done = subprocess.run(
            [scaffolder_cli, "compile", pipeline], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_its_pipeline_compiles_for_every_service_and_for_kubeflow(
    made: tuple[Path, Choice], scaffolder_cli: Path
) -> None:
    folder, choice = made
    path = os.pathsep.join([str(scaffolder_cli.parent), os.environ["PATH"]])
    compiled = {}
    for words in (
        *((str(scaffolder_cli), "compile", "train", "--to", to) for to in ("sagemaker", "vertex", "azureml")),
        ("sh", "scripts/kubeflow", "train"),
    ):
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
        )
        compiled[words[-1]] = done
    refused = compiled.pop("train")
    for target, done in compiled.items():
        assert done.returncode == 0, f"{target}: {done.stderr}"
        assert all(step in done.stdout for step in ("ingest", "validate", "evaluate", "release")), target
    if choice.provider == "azure":  # its README says so
        assert refused.returncode != 0
        assert "Kubeflow Pipelines imports from s3://, gs://, minio:// only" in refused.stderr
        assert refused.stderr.count("error[") == 1, refused.stderr
        return
    assert refused.returncode == 0, refused.stderr
    images = set(re.findall(r"image: .*/([^/\n]+)$", refused.stdout, re.MULTILINE))
    gpu = choice.flags and choice.framework in DEEP
    assert images == {"training:0.1.0-program"} | ({"training-gpu:0.1.0-program"} if gpu else set())


def test_what_was_not_chosen_is_not_there(made: tuple[Path, Choice]) -> None:
    folder, choice = made
    files = files_of(folder)
    source = f"src/{choice.package}"
    served, answered = choice.serving != "batch", choice.serving != "realtime"
    assert (f"{source}/serve.py" in files) == ("containers/serving/Dockerfile" in files) == served
    assert (f"{source}/batch.py" in files) == ("pipelines/score.yaml" in files) == answered
    assert (f"{source}/distributed.py" in files) == (choice.framework in DEEP)
    assert (f"{source}/download.py" in files) == (served and choice.provider == "gcp")
    gpu = choice.flags and choice.framework in DEEP
    assert ("containers/training-gpu/Dockerfile" in files) == ("requirements/gpu.txt" in files) == gpu
    features = choice.flags and choice.task == "tabular"
    assert (f"{source}/feature_store.py" in files) == ("features/definitions.yaml" in files) == features
    assert ("dvc.yaml" in files) == (".dvc/config" in files) == choice.flags
    assert ("notebooks/start.ipynb" in files) == choice.flags
    every = b"\n".join(files.values()).decode()
    for framework, library in LIBRARIES.items():
        imported = "sklearn" if framework == "sklearn" else library
        wanted = framework in {choice.framework, "sklearn"}  # its metrics measure every model
        assert bool(re.search(rf"^ *(import|from) {imported}\b", every, re.MULTILINE)) == wanted, framework


def test_each_image_is_pinned_has_two_stages_and_is_run_by_root_only_for_sagemaker(
    made: tuple[Path, Choice],
) -> None:
    folder, choice = made
    images = sorted(folder.rglob("Dockerfile*"))
    assert images
    for path in images:
        text = path.read_text()
        assert IMAGE.search(text), path
        lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        stages = [line for line in lines if line[0] == "FROM"]
        users = [line[1] for line in lines if line[0] == "USER"]
        training = path.parent.name.startswith("training")
        program = ["run AS program", "run"] if training else []
        assert [" ".join(line[1:]) for line in stages][2:] == program, path
        assert [line[1] for line in stages][:2] == ["${PYTHON_IMAGE}"] * 2, path
        assert users == ["${RUN_AS}"], path
        asked = "0:0" if choice.provider == "aws" else "10001:10001"  # SageMaker expects root
        assert [line[1] for line in lines if line[0] == "ARG"][1:] == [f"RUN_AS={asked}"], path
        assert any(line[0] == "HEALTHCHECK" for line in lines), path
        copied = [
            word
            for line in lines
            if line[0] == "COPY" and not line[1].startswith("--")
            for word in line[1:-1]
        ]
        for word in copied:
            assert (folder / word).exists(), f"{path}: {word}"


def test_what_is_installed_is_pinned(made: tuple[Path, Choice]) -> None:
    folder, choice = made
    for path in sorted((folder / "requirements").iterdir()):
        for line in path.read_text().splitlines():
            if line and line[0] not in "# -" and not line.startswith(" "):
                assert re.match(r"[A-Za-z0-9_.-]+(\[[a-z0-9-]+\])?(==| @ )", line), f"{path.name}: {line}"
    wanted = {
        line.partition("==")[0] for line in (folder / "requirements" / "run.in").read_text().splitlines()
    }
    locked = (folder / "requirements" / "run.txt").read_text()
    assert any(name.startswith(LIBRARIES[choice.framework]) for name in wanted)
    for name in wanted:
        if name and not name.startswith(("#", "-")):
            assert re.search(rf"^{re.escape(name.partition('[')[0])}(\[[a-z]+\])?==", locked, re.MULTILINE), (
                name
            )


def test_configuration_is_read_by_whom_it_is_for(made: tuple[Path, Choice]) -> None:
    folder, choice = made
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["name"] == folder.name
    assert project["tool"]["mypy"]["strict"] is True
    for path in folder.rglob("*.yaml"):
        assert yaml.safe_load(path.read_text()), path
    for path in folder.rglob("*.ipynb"):
        notebook = json.loads(path.read_text())
        assert (notebook["nbformat"], choice.flags) == (4, True)
        assert all(cell.get("outputs", []) == [] for cell in notebook["cells"])
