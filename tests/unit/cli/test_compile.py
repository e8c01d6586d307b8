"""``scaffolder compile``: what it prints is what the stacks have, and what a target cannot be told is a finding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from scaffolder.cli.main import main
from scaffolder.operations.compiling import SERVICES
from scaffolder.pipeline import synthesize
from stacks.graph import JsonText
from tests.operations.platforms import write_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project("aws", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert main(["compile", *arguments]) == code
    told = capsys.readouterr()
    return told.out, told.err


# --- what is printed ---


def _differences(stacks: Any, compiled: Any, at: str = "") -> list[str]:
    """Where what a stack has is not what is printed, but for its references."""
    if not isinstance(stacks, str | int | float | Mapping | Sequence | None):
        return []  # a reference, or a text with one in it
    if isinstance(stacks, Mapping) and isinstance(compiled, Mapping):
        keys = [f"{at} has {sorted({*stacks} ^ {*compiled})}"] if {*stacks} != {*compiled} else []
        return keys + [
            it
            for key in {*stacks} & {*compiled}
            for it in _differences(stacks[key], compiled[key], f"{at}.{key}")
        ]
    if isinstance(stacks, list | tuple) and isinstance(compiled, list) and len(stacks) == len(compiled):
        pairs = enumerate(zip(stacks, compiled, strict=True))
        return [it for number, (one, other) in pairs for it in _differences(one, other, f"{at}.{number}")]
    return [] if stacks == compiled else [f"{at}: {stacks!r} is not {compiled!r}"]


def test_sagemakers_document_is_the_stacks_but_for_references(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = _printed(capsys, "train")
    (environment,) = synthesize(project / "platform.yaml").environments
    (pipeline,) = (
        node
        for stack in environment.stacks
        for node in stack.nodes
        if node.address.type == "aws_sagemaker_pipeline"
    )
    definition = pipeline.arguments["pipeline_definition"]
    assert isinstance(definition, JsonText)
    assert _differences(definition.document, json.loads(out)) == []
    assert "stand-in: subnet-churn-dev-private-" in err
    assert "${" not in out


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("to", "key"),
    [("sagemaker", "Steps"), ("vertex", "root"), ("azureml", "jobs"), ("kubeflow", "root")],
)
def test_a_pipeline_on_aws_becomes_each_services_document(
    capsys: pytest.CaptureFixture[str], to: str, key: str
) -> None:
    out, err = _printed(capsys, "train", "--to", to)
    first = next(iter(yaml.safe_load_all(out)))
    assert first[key]
    moved = SERVICES.get(to, "aws") != "aws"
    assert ("stand-in: target.region: " in err) is moved
    assert _printed(capsys, "train", "--to", to) == (out, err)


@pytest.mark.usefixtures("project")
def test_json_is_for_the_services_that_take_it(capsys: pytest.CaptureFixture[str]) -> None:
    for to in ("sagemaker", "vertex"):
        assert json.loads(_printed(capsys, "train", "--to", to)[0])


@pytest.mark.usefixtures("project")
def test_kubeflows_yaml_has_the_buckets_and_images_of_the_environments_cloud(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, err = _printed(capsys, "train", "--to", "kubeflow")
    pipeline, platform = yaml.safe_load_all(out)
    executors = pipeline["deploymentSpec"]["executors"]
    imported = executors["exec-prepare--from-1"]["importer"]["artifactUri"]["constant"]
    assert imported == "s3://churn-dev-data-123456789012-eu-west-1/raw"
    image = executors["exec-train"]["container"]["image"]
    assert image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn-dev/training:1.0.0"
    assert "exec-train" in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert (
        "warning[kubeflow]: pipelines.train.definition: step register: Kubeflow Pipelines has no registry"
        in err
    )


@pytest.mark.parametrize("provider", ["gcp", "azure"])
def test_the_environments_own_cloud_is_the_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], provider: str
) -> None:
    spec = write_project(provider, tmp_path)
    (to,) = (name for name, cloud in SERVICES.items() if cloud == provider)
    default = _printed(capsys, "train", "-f", str(spec))
    assert default == _printed(capsys, "train", "-f", str(spec), "--to", to)
    assert "stand-in" not in default[1]


# --- what cannot be said ---


def test_what_the_target_cannot_express_is_a_finding_and_nothing_is_printed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _replaced(
        project / "pipelines/train.yaml", "    kind: training\n", "    kind: training\n    instances: 2\n"
    )
    out, err = _printed(capsys, "train", "--to", "kubeflow", code=2)
    assert out == ""
    said = "error[kubeflow]: pipelines.train.definition: step train: 2 instances: a task of Kubeflow Pipelines is one pod"
    assert f"platform.yaml:10:23: {said}\n  Train on one machine" in err
    assert _printed(capsys, "train", "--to", "sagemaker")[0]


def test_only_what_is_of_the_pipeline_keeps_it_from_another_cloud(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _replaced(
        project / "platform.yaml",
        "  scores: {model: churn, mode: batch",
        "  scores: {model: churn, mode: async",
    )
    assert main(["diff", "--target", "gcp", "platform.yaml"]) == 0
    assert "error[" in capsys.readouterr().out
    assert _printed(capsys, "train", "--to", "vertex")[0]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("trian",), 64, 'there is no pipeline "trian". Did you mean "train"?'),
        (("train", "--env", "prod"), 64, 'there is no environment "prod"'),
        (
            ("train", "--to", "airflow"),
            64,
            "'airflow' is not one of 'sagemaker', 'vertex', 'azureml', 'kubeflow'",
        ),
    ],
)
def test_a_name_that_is_not_there_is_said(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], code: int, said: str
) -> None:
    out, err = _printed(capsys, *arguments, code=code)
    assert (out, said in err) == ("", True), err


def test_a_definition_that_is_not_there_yet_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pipelines/train.yaml").unlink()
    out, err = _printed(capsys, "train", "--to", "kubeflow", code=26)
    assert (out, 'the pipeline "train" cannot run' in err) == ("", True), err


# --- files ---


def test_a_file_is_written_and_written_again_but_no_other_file_is(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = project / "train.kubeflow.yaml"
    for _ in range(2):
        out, err = _printed(capsys, "train", "--to", "kubeflow", "--out", str(written))
        assert (out, f"wrote {written}" in err) == ("", True)
    assert written.read_text() == _printed(capsys, "train", "--to", "kubeflow")[0]
    before = (project / "platform.yaml").read_text()
    _, err = _printed(capsys, "train", "--to", "kubeflow", "--out", "platform.yaml", code=3)
    assert "was not written by `scaffolder compile`" in err
    assert (project / "platform.yaml").read_text() == before
