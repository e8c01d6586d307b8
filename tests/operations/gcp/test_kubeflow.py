"""Templates of pipelines, held against Kubeflow's own classes and messages."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from hypothesis import given, settings

from scaffolder.operations.gcp.place import Place
from scaffolder.operations.gcp.templates import definition_of, steps_of, template
from scaffolder.pipeline import synthesize
from stacks.gcp.pipelines import pipeline_problems
from stacks.intents import Platform, TrainingPipeline
from stacks.pipelines import PipelineDefinition
from tests.definitions import definitions
from tests.operations.fakes.gcp.discovery import Wrong
from tests.operations.fakes.gcp.specs import judge_template, spec_messages
from tests.operations.platforms import platform_in

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def _platforms() -> list[tuple[str, Platform]]:
    """The environments on Google Cloud of every example that has a pipeline there."""
    return [
        (f"{spec.parent.name}-{environment.name}", environment.platform)
        for spec in sorted(EXAMPLES.glob("*/platform.yaml"))
        for environment in synthesize(spec).environments
        if environment.platform.target.provider == "gcp"
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(platform_in("gcp", tmp_path_factory.mktemp("project")))


@pytest.fixture
def compiled(place: Place) -> dict[str, Any]:
    return template(place, place.pipeline("train"))


def test_kfp_loads_the_template_of_every_pipeline_and_keeps_all_of_it(place: Place) -> None:
    from kfp import components  # noqa: PLC0415 - takes two seconds

    platforms = [*_platforms(), ("suite", place.platform)]
    seen = 0
    for name, platform in platforms:
        here = Place(platform)
        for pipeline in here.context.all_of(TrainingPipeline):
            if pipeline.steps is None:
                continue
            found = template(here, pipeline)
            loaded = components.load_component_from_text(json.dumps(found))
            assert {*(loaded.component_spec.inputs or ())} == {it.name for it in pipeline.steps.parameters}, (
                name
            )
            kept = MessageToDict(loaded.pipeline_spec)
            assert ParseDict(found, spec_messages().PipelineSpec()) == ParseDict(
                kept, spec_messages().PipelineSpec()
            )
            judge_template(found)
            seen += 1
    assert seen >= 2


@pytest.mark.slow
@settings(max_examples=60)
@given(definition=definitions())
def test_what_is_made_of_any_definition_is_a_template_for_kfp(
    place: Place, definition: PipelineDefinition
) -> None:
    intent = TrainingPipeline(
        name="train",
        definition="train.yaml",
        schedule=None,
        instance="cpu.medium",
        steps=definition,
    )
    refused = [
        message
        for message, _ in pipeline_problems(intent, "europe-west1")
        if not message.startswith("parameter day")
    ]
    if refused:
        return
    found = template(place, intent)
    judge_template(found)
    assert sorted(name for name, _ in steps_of(found)) == sorted(step.name for step in definition.steps)


def test_steps_are_told_in_the_definitions_order(place: Place, compiled: dict[str, Any]) -> None:
    wanted = [step.name for step in definition_of(place.pipeline("train")).steps]
    assert [name for name, _ in steps_of(compiled)] == wanted
    shuffled = json.loads(json.dumps(compiled, sort_keys=True))
    assert [name for name, _ in steps_of(shuffled)] == wanted


def _mistakes(template_: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The template with one thing wrong, by what that is."""
    wrong: dict[str, dict[str, Any]] = {}

    def with_(name: str, *path: str, value: Any = None, key: str = "") -> None:
        copy = deepcopy(template_)
        at = copy
        for part in path[:-1]:
            at = at[part]
        if key:
            at[key] = at.pop(path[-1])
        else:
            at[path[-1]] = value
        wrong[name] = copy

    tasks = ("root", "dag", "tasks")
    with_("a field that kfp does not know", *tasks, "train", "cachingOptions", key="cacheOptions")
    with_(
        "a type that kfp does not know",
        "root",
        "inputDefinitions",
        "parameters",
        "seed",
        "parameterType",
        value="INT",
    )
    with_("a task that is not there", *tasks, "train", "dependentTasks", value=["preparre"])
    with_("a component that is not there", *tasks, "train", "componentRef", value={"name": "comp-trian"})
    with_("an executor that is not there", "components", "comp-train", "executorLabel", value="exec-trian")
    with_("an input that is not given", *tasks, "train", "inputs", value={})
    with_(
        "an executor's field",
        "deploymentSpec",
        "executors",
        "exec-train",
        "container",
        "args",
        key="arguments",
    )
    container = wrong["an executor's field"]["deploymentSpec"]["executors"]["exec-train"]["container"]
    container["args"] = container["arguments"]
    return wrong


def test_the_judge_of_templates_finds_each_mistake(compiled: dict[str, Any]) -> None:
    judge_template(compiled)
    missed = [name for name, wrong in _mistakes(compiled).items() if not _is_found(wrong)]
    assert missed == []


def _is_found(wrong: dict[str, Any]) -> bool:
    try:
        judge_template(wrong)
    except Wrong:
        return True
    return False


def test_a_mistyped_field_of_a_steps_own_job_is_found(compiled: dict[str, Any]) -> None:
    container = compiled["deploymentSpec"]["executors"]["exec-train"]["container"]
    at = container["args"].index("--payload") + 1
    for mistyped in ("worker_pool_spec", "workerpoolspecs"):
        copy = deepcopy(compiled)
        text = container["args"][at].replace('"worker_pool_specs"', f'"{mistyped}"')
        assert text != container["args"][at]
        copy["deploymentSpec"]["executors"]["exec-train"]["container"]["args"][at] = text
        with pytest.raises(Wrong, match="the job of a step"):
            judge_template(copy)


VERTEX_ONLY = ("{{$.pipeline_google_cloud_project_id}}", "{{$.pipeline_google_cloud_location}}")


def test_what_only_vertex_ai_runs_of_a_template_is_what_the_decision_says(compiled: dict[str, Any]) -> None:
    """The format is Kubeflow's. Steps are jobs of Vertex AI, so a cluster starts them there and runs none itself."""
    executors = compiled["deploymentSpec"]["executors"]
    launched = {name for name, it in executors.items() if "--payload" in it["container"]["args"]}
    assert launched == {"exec-prepare", "exec-train", "exec-evaluate"}
    for name in launched:
        assert {*VERTEX_ONLY} <= {*executors[name]["container"]["args"]}
    gate = compiled["root"]["dag"]["tasks"]["register-gate"]
    assert "parameterExpressionSelector" in gate["inputs"]["parameters"]["gate-metric"]
