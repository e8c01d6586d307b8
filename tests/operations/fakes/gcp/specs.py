"""Templates of pipelines as kfp's own description reads them: nothing unknown in them, and nothing that leads nowhere.

Read from the package kfp-pipeline-spec, whose messages need no other part of kfp.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from google.cloud.aiplatform_v1.types import CustomJob
from google.protobuf.json_format import ParseDict, ParseError

from tests.operations.fakes.gcp.discovery import Wrong

__all__ = ["judge_template", "leaves", "payload_of", "spec_messages"]

HOME = "kfp.pipeline_spec.pipeline_spec_pb2"


@cache
def spec_messages() -> Any:
    """The generated module, loaded by itself: importing kfp takes a second and a half."""
    if HOME in sys.modules:
        return sys.modules[HOME]
    found = find_spec("kfp_pipeline_spec") or find_spec("kfp")
    assert found is not None
    assert found.submodule_search_locations is not None
    path = Path(next(iter(found.submodule_search_locations))) / "pipeline_spec/pipeline_spec_pb2.py"
    spec = spec_from_file_location("pipeline_spec_pb2", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def judge_template(template: Mapping[str, Any]) -> None:
    """Hold a template against kfp's description, and its references against each other.

    Raises:
        Wrong: it does not fit.
    """
    try:
        ParseDict(template, spec_messages().PipelineSpec())
    except ParseError as odd:
        raise Wrong(f"the template: {odd}") from odd
    executors = template["deploymentSpec"]["executors"]
    try:
        ParseDict(template["deploymentSpec"], spec_messages().PipelineDeploymentConfig())
    except ParseError as odd:
        raise Wrong(f"the template's executors: {odd}") from odd
    for name, component in (*template["components"].items(), ("root", template["root"])):
        if "dag" in component:
            _judge_level(template, name, component)
        elif component.get("executorLabel") not in executors:
            raise Wrong(f"component {name} runs nothing: {component.get('executorLabel')}")
    for executor in executors.values():
        payload = payload_of(executor)
        if payload is not None:
            _judge_payload(payload)


def _judge_level(template: Mapping[str, Any], name: str, component: Mapping[str, Any]) -> None:
    inputs = component.get("inputDefinitions", {})
    tasks = component["dag"]["tasks"]
    for key, task in tasks.items():
        inner = template["components"].get(task["componentRef"]["name"])
        if inner is None:
            raise Wrong(f"task {key} is of a component that is not there")
        if missing := [it for it in task.get("dependentTasks", ()) if it not in tasks]:
            raise Wrong(f"task {key} waits for {missing}, which {name} has not")
        for kind in ("parameters", "artifacts"):
            given = task.get("inputs", {}).get(kind, {})
            known = inner.get("inputDefinitions", {}).get(kind, {})
            optional = {it for it, shape in known.items() if shape.get("isOptional")}
            if set(given) - set(known) or set(known) - set(given) - optional:
                raise Wrong(f"task {key} is given {sorted(given)}, and takes {sorted(known)}")
            for source in given.values():
                _judge_source(template, tasks, inputs, kind, source)


def _judge_source(
    template: Mapping[str, Any],
    tasks: Mapping[str, Any],
    inputs: Mapping[str, Any],
    kind: str,
    source: Mapping[str, Any],
) -> None:
    singular = kind.removesuffix("s").capitalize()
    outer = source.get(f"componentInput{singular}")
    if outer is not None and outer not in inputs.get(kind, {}):
        raise Wrong(f"{outer} comes from outside, where it is not")
    output = source.get(f"taskOutput{singular}")
    if output is not None:
        producer = tasks.get(output["producerTask"])
        if producer is None:
            raise Wrong(f"{output} comes from a task that is not there")
        made = template["components"][producer["componentRef"]["name"]].get("outputDefinitions", {})
        if output[f"output{singular}Key"] not in made.get(kind, {}):
            raise Wrong(f"{output} is nothing that its task makes")


def payload_of(executor: Mapping[str, Any]) -> dict[str, Any] | None:
    """The job that a launcher starts, if the executor is one."""
    arguments = executor.get("container", {}).get("args", [])
    if "--payload" not in arguments:
        return None
    found: dict[str, Any] = json.loads(arguments[arguments.index("--payload") + 1])
    return found


def _judge_payload(payload: Mapping[str, Any]) -> None:
    """As the launcher does: it gives the payload to the client, which takes no unknown field."""
    try:
        CustomJob(payload)
    except (ValueError, TypeError) as odd:
        raise Wrong(f"the job of a step: {odd}") from odd


def leaves(
    template: Mapping[str, Any], tasks: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, str, Any]]:
    """Yield the tasks in order: name, component, and, for a gate, what is behind it."""
    left, done = dict(tasks if tasks is not None else template["root"]["dag"]["tasks"]), set[str]()
    while left:
        name = next(it for it in left if not (set(left[it].get("dependentTasks", ())) - done))
        task = left.pop(name)
        done.add(name)
        yield name, task["componentRef"]["name"], task
