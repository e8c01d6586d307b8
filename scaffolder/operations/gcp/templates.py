"""A pipeline's template with literal values, and the code that its steps run with, where the stack *ml* puts it.

May not start a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.gcp import storage
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.place import Place
from scaffolder.operations.values import ParameterValue
from stacks.gcp.context import Surroundings
from stacks.gcp.jobs import code_prefix
from stacks.gcp.pipelines import compiled
from stacks.graph import JsonText, Value
from stacks.intents import TrainingPipeline
from stacks.pipelines import PipelineDefinition

__all__ = ["chosen", "definition_of", "literal", "put_code", "steps_of", "template"]

PLAIN_TEXT = "text/plain; charset=utf-8"


def definition_of(pipeline: TrainingPipeline) -> PipelineDefinition:
    """The definition of a pipeline.

    Raises:
        InvalidRequest: its file, or what that names, is not there.
    """
    if pipeline.steps is None:
        raise InvalidRequest(f"pipeline {pipeline.name} cannot run: {pipeline.lacks}", remedy=pipeline.remedy)
    return pipeline.steps


def template(place: Place, pipeline: TrainingPipeline, around: Surroundings | None = None) -> dict[str, Any]:
    """The pipeline as Vertex AI takes it: what the stack writes into the artifacts bucket, and its schedule has.

    ``around`` is what else than the platform's own surroundings it is made with.
    """
    found: dict[str, Any] = literal(compiled(pipeline, definition_of(pipeline), around or place.around))
    return found


def literal(value: Value) -> Any:
    """A lowering's value as plain data; texts of JSON are written out.

    Raises:
        TypeError: there is a reference in it, which only Terraform knows: a mistake of this program's.
    """
    match value:
        case JsonText(document=document):
            return json.dumps(literal(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {key: literal(item) for key, item in value.items()}
        case Sequence():
            return [literal(item) for item in value]
        case _:
            raise TypeError(f"{value!r} is no literal value")


def put_code(calls: Calls, pipeline: TrainingPipeline) -> None:
    """Bring the pipeline's code to the artifacts bucket; other code has another place, so what is there stays."""
    home = calls.place.bucket("artifacts")
    for folder in definition_of(pipeline).code.values():
        start = code_prefix(pipeline.name, folder.digest)
        there = {stored.name for stored in storage.objects(calls, home, f"{start}/")}
        for file, content in folder.files.items():
            if f"{start}/{file}" not in there:
                storage.ensure(calls, home, f"{start}/{file}", content.encode(), PLAIN_TEXT)


def chosen(pipeline: TrainingPipeline, parameters: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
    """The parameters that a run sets, each of its default's type.

    Raises:
        InvalidRequest: the pipeline has no such parameter, or it is of another type.
    """
    defaults = {it.name: it.default for it in definition_of(pipeline).parameters}
    found: dict[str, ParameterValue] = {}
    for name, value in parameters.items():
        if name not in defaults:
            known = ", ".join(sorted(defaults)) or "none"
            raise InvalidRequest(f"pipeline {pipeline.name} has no parameter {name!r}; there is {known}")
        found[name] = _typed(name, value, type(defaults[name]))
    return found


def _typed(name: str, value: ParameterValue, kind: type) -> ParameterValue:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise InvalidRequest(f"parameter {name} is {kind.__name__}, and {value!r} is not")
    return value


def steps_of(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the steps of a template in order, each with the outermost gate's task that it is behind, or nothing."""
    yield from _steps(spec, spec["root"]["dag"]["tasks"], "")


def _steps(spec: Mapping[str, Any], tasks: Mapping[str, Any], gate: str) -> Iterator[tuple[str, str]]:
    for name, task in _in_order(tasks):
        component = spec["components"][task["componentRef"]["name"]]
        if "dag" in component:
            yield from _steps(spec, component["dag"]["tasks"], gate or name)
        elif not _is_refusal(name, tasks):
            yield name, gate


def _is_refusal(name: str, tasks: Mapping[str, Any]) -> bool:
    """Whether a task only fails the run where a gate beside it is not met: no step of the definition's."""
    return name.endswith("-refused") and f"{name.removesuffix('-refused')}-gate" in tasks


def _in_order(tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each task after those that it depends on; a service answers with them sorted by name."""
    left, done = dict(tasks), set[str]()
    while left:
        ready = next(
            (it for it in left if not (set(left[it].get("dependentTasks", ())) & set(tasks)) - done), ""
        )
        name = ready or next(iter(left))
        yield name, left.pop(name)
        done.add(name)
