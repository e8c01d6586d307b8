"""Documents of pipelines for a plain Kubeflow, held against kfp's own loader, messages and compiler."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given, settings

from stacks.intents import Platform, TrainingPipeline
from stacks.kubeflow import Cluster, compiled, pipeline_problems, pipeline_warnings
from stacks.pipelines import BucketPath, Output, PipelineDefinition, UriOf
from tests.definitions import definitions
from tests.operations.fakes.gcp.specs import judge_template, spec_messages
from tests.operations.platforms import platform_in

CLUSTER = Cluster(
    buckets={"data": "s3://acme-data", "artifacts": "s3://acme-artifacts"},
    images={"training": "registry.example/training", "serving": "registry.example/serving"},
)


PLACEHOLDER = re.compile(r"\{\{\$\.(inputs|outputs)\.(parameters|artifacts)\['(.+?)'\]")


def intent_of(definition: PipelineDefinition, instance: str = "cpu.medium") -> TrainingPipeline:
    return TrainingPipeline(
        name="train", definition="train.yaml", schedule=None, instance=instance, steps=definition
    )


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return platform_in("aws", tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def definition(platform: Platform) -> PipelineDefinition:
    (pipeline,) = (it for it in platform.intents if isinstance(it, TrainingPipeline))
    assert pipeline.steps is not None
    return pipeline.steps


@pytest.fixture(scope="module")
def documents(definition: PipelineDefinition) -> list[Any]:
    found: list[Any] = json.loads(
        json.dumps(compiled(intent_of(definition), definition, CLUSTER, "churn-train"))
    )
    return found


def _edited(definition: PipelineDefinition, name: str, **changes: Any) -> PipelineDefinition:
    steps = tuple(
        replace(step, action=replace(step.action, **changes)) if step.name == name else step
        for step in definition.steps
    )
    return replace(definition, steps=steps)


# --- against kfp ---


def test_kfp_loads_both_documents_and_keeps_all_of_them(documents: list[Any]) -> None:
    from kfp import components  # noqa: PLC0415 - takes two seconds

    loaded = components.load_component_from_text(yaml.safe_dump_all(documents))
    kept = MessageToDict(loaded.pipeline_spec)
    messages = spec_messages()
    assert ParseDict(documents[0], messages.PipelineSpec()) == ParseDict(kept, messages.PipelineSpec())
    assert MessageToDict(loaded.platform_spec) == documents[1]
    assert set(loaded.component_spec.inputs) == {"day", "min_accuracy", "seed", "fail", "pause_s"}


@pytest.mark.slow
@settings(max_examples=60)
@given(definition=definitions())
def test_what_is_made_of_any_definition_is_a_pipeline_for_kfp(definition: PipelineDefinition) -> None:
    intent = intent_of(definition)
    if [*pipeline_problems(intent, CLUSTER)]:
        return
    pipeline, *_ = json.loads(json.dumps(compiled(intent, definition, CLUSTER, "drawn")))
    judge_template(pipeline)
    labels = set(pipeline["deploymentSpec"]["executors"])
    assert {f"exec-{step.name}" for step in definition.steps} <= labels
    assert [*_unfilled(pipeline)] == []
    assert "parameterExpressionSelector" not in json.dumps(pipeline)
    assert "pipeline_google_cloud" not in json.dumps(pipeline)


def _unfilled(pipeline: Mapping[str, Any]) -> Iterator[str]:
    """Yield placeholders that a container's words have and its component does not declare, or that nobody fills."""
    for component in pipeline["components"].values():
        executor = pipeline["deploymentSpec"]["executors"].get(component.get("executorLabel"), {})
        container = executor.get("container", {"command": [""]})
        first: str = container["command"][0]
        words: list[str] = [*container["command"][1:], *container.get("args", ())]
        for side, kind, name in PLACEHOLDER.findall(" ".join(words)):
            if name not in component.get(f"{side[:-1]}Definitions", {}).get(kind, {}):
                yield f"{side}.{kind}.{name}"
        for text in (first, *(it["value"] for it in container.get("env", ()))):
            if "{{" in text:
                yield text


KFP_NAMES = {
    "importer": "prepare--from-1",
    "condition-1": "register--gate",
    "pipelinechannel--evaluate-accuracy_text": "gate-metric",
    "accuracy_text": "accuracy-text",
    "pipelinechannel--floor": "gate-bound",
    "pipelinechannel--prepare-model": "prepare--model",
    "run_id": "run-id",
}


def _renamed(value: Any) -> Any:
    """What kfp's compiler writes, in the names that are used here."""
    if isinstance(value, Mapping):
        if "artifactUri" in value.get("importer", {}):
            return value
        return {_renamed(key): _renamed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, str):
        return value
    for theirs, ours in KFP_NAMES.items():
        value = value.replace(theirs, ours)
    return value


def _shape(pipeline: Mapping[str, Any]) -> dict[str, Any]:
    """Who runs after whom, with what from where, and what each component takes and makes, without commands."""
    levels = {"root": pipeline["root"], **pipeline["components"]}
    shape: dict[str, Any] = {}
    for name, component in levels.items():
        tasks = component.get("dag", {}).get("tasks", {})
        for task, it in tasks.items():
            shape[f"{name}/{task}"] = {
                "after": sorted(it.get("dependentTasks", [])),
                "of": it["componentRef"]["name"],
                "artifacts": it.get("inputs", {}).get("artifacts", {}),
                "parameters": {
                    key: source
                    for key, source in it.get("inputs", {}).get("parameters", {}).items()
                    if key.startswith("gate-") or "triggerPolicy" not in it  # ours brings all of them in
                },
                "conditional": "condition" in it.get("triggerPolicy", {}),
                "retry": it.get("retryPolicy", {}).get("maxRetryCount"),
            }
        shape[name] = {
            "takes": component.get("inputDefinitions", {}).get("artifacts", {}),
            "makes": component.get("outputDefinitions", {}),
            "label": component.get("executorLabel"),
        }
    executors = pipeline["deploymentSpec"]["executors"]
    for label, executor in executors.items():
        shape[label] = executor.get("importer") or executor["container"].get("resources")
    return shape


def test_the_structure_is_the_one_that_kfps_own_compiler_makes(tmp_path: Path) -> None:
    from tests.operations.kubeflow.written_for_kfp import DEFINITION, write  # noqa: PLC0415 - imports kfp

    theirs = _renamed(yaml.safe_load(write(tmp_path / "theirs.yaml")))
    ours = json.loads(json.dumps(compiled(intent_of(DEFINITION), DEFINITION, CLUSTER, "ours")[0]))
    mine, others = _shape(ours), _shape(theirs)
    assert mine.keys() == others.keys()
    for key, shape in others.items():
        assert mine[key] == shape, key


# --- what a step's container is ---


def test_nothing_of_vertex_ai_is_left(documents: list[Any]) -> None:
    text = json.dumps(documents)
    for word in ("google", "gcp", "aiplatform", "parameterExpressionSelector", "gs://"):
        assert word not in text


def test_a_step_runs_its_own_image_for_its_own_time_with_what_its_size_asks_for(documents: list[Any]) -> None:
    container = documents[0]["deploymentSpec"]["executors"]["exec-train"]["container"]
    assert container["image"] == "registry.example/training:1.0.0"
    assert container["resources"]["resourceCpuLimit"] == "4"
    assert container["resources"]["resourceMemoryRequest"] == "16Gi"
    deadlines = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert deadlines["exec-train"] == {"activeDeadlineSeconds": "600"}


def test_accelerators_are_asked_for_by_number(definition: PipelineDefinition) -> None:
    large = _edited(definition, "train", instance="gpu.a100x4")
    pipeline = compiled(intent_of(large), large, CLUSTER, "x")[0]
    container = json.loads(json.dumps(pipeline))["deploymentSpec"]["executors"]["exec-train"]["container"]
    assert container["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert container["resources"]["accelerator"]["resourceCount"] == "4"
    assert container["resources"]["resourceCpuRequest"] == "16"


def test_the_same_definition_is_the_same_text(definition: PipelineDefinition) -> None:
    once, again = (json.dumps(compiled(intent_of(definition), definition, CLUSTER, "x")) for _ in range(2))
    assert once == again


# --- what is refused, and what differs ---


def _problems(definition: PipelineDefinition, instance: str = "cpu.medium") -> list[str]:
    return [message for message, _ in pipeline_problems(intent_of(definition, instance), CLUSTER)]


def test_the_projects_pipeline_has_nothing_that_kubeflow_refuses(definition: PipelineDefinition) -> None:
    assert _problems(definition) == []


@pytest.mark.parametrize(
    ("step", "changes", "said"),
    [
        ("train", {"command": ()}, "step train has no command"),
        ("train", {"instances": 2}, "step train: 2 instances: a task of Kubeflow Pipelines is one pod"),
        (
            "train",
            {"instance": "ml.m5.large"},
            'step train: instance "ml.m5.large" is a cloud\'s own machine',
        ),
        ("train", {"command": (("echo {{workflow.name}}",),)}, 'step train: "{{" in a text'),
        (
            "evaluate",
            {"outputs": {"report": Output(kind="metrics", place=BucketPath(bucket="data", path=("out",)))}},
            "step evaluate: output report has a place in bucket data",
        ),
        (
            "prepare",
            {"inputs": {"raw": BucketPath(bucket="data", path=())}},
            "step prepare: input raw is a whole bucket",
        ),
    ],
)
def test_what_kubeflow_cannot_be_told_is_refused_by_name(
    definition: PipelineDefinition, step: str, changes: dict[str, Any], said: str
) -> None:
    (message,) = _problems(_edited(definition, step, **changes))
    assert message.startswith(said)


def test_a_bucket_of_a_cloud_that_the_launcher_cannot_read_is_refused(definition: PipelineDefinition) -> None:
    azure = replace(CLUSTER, buckets={"data": "https://acme.blob.core.windows.net/data"})
    (message,) = (message for message, _ in pipeline_problems(intent_of(definition), azure))
    assert message.startswith("step prepare: input raw is in https://acme.blob.core.windows.net/data")


def test_code_that_is_too_much_for_a_command_is_refused(definition: PipelineDefinition) -> None:
    (folder,) = definition.code
    large = replace(definition.code[folder], files={"data.py": "x" * 60_000})
    found = _problems(replace(definition, code={folder: large}))
    assert len(found) == 3
    assert "characters when it is packed into a command, which takes 65,536" in found[0]


def test_what_kubeflow_does_otherwise_is_said(definition: PipelineDefinition) -> None:
    changed = _edited(definition, "train", spot=True, volume_gb=500, instance="gpu.t4")
    said = " | ".join(message for message, _ in pipeline_warnings(intent_of(changed)))
    for part in (
        "step register: Kubeflow Pipelines has no registry of models",
        "step prepare: Kubeflow Pipelines keeps a cached result until its server drops it, not for 604800 seconds",
        "step prepare: input raw: the folder data:raw is brought whole",
        "step train: spot:",
        "step train: volume_gb 500",
        'step train: instance "gpu.t4": a cluster is asked for accelerators, not for their kind',
    ):
        assert part in said


def test_an_address_is_where_the_platforms_cloud_has_the_bucket(definition: PipelineDefinition) -> None:
    changed = _edited(definition, "train", command=(("go",), (UriOf("data", "raw/x"),)))
    text = json.dumps(compiled(intent_of(changed), changed, CLUSTER, "x"))
    assert '"s3://acme-data/raw/x"' in text
