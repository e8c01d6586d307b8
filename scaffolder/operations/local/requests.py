"""Whether a pipeline can run on this machine, and with which parameters. May not touch a file."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.local.steps import text_of
from scaffolder.operations.values import ParameterValue
from stacks.intents import TrainingPipeline
from stacks.pipelines import PipelineDefinition, Run

__all__ = ["parameters_of", "runnable"]


def runnable(pipeline: TrainingPipeline) -> PipelineDefinition:
    """Check that this machine can run a pipeline.

    Raises:
        InvalidRequest: it lacks something, or a step's command needs its image.
    """
    definition = pipeline.steps
    if definition is None:
        raise InvalidRequest(f"pipeline {pipeline.name} cannot run: {pipeline.lacks}", remedy=pipeline.remedy)
    for step in definition.steps:
        if not isinstance(step.action, Run):
            continue
        if not step.action.command or step.action.code is None:
            lacks = "command" if not step.action.command else "code folder"
            raise InvalidRequest(
                f"step {step.name} of pipeline {pipeline.name} has no {lacks}, so that it runs in its image only, "
                f"{step.action.image}; on this machine steps run without images",
                remedy="Name a code folder and a command that stands in it, or run the pipeline on a cloud (--env).",
            )
    return definition


def parameters_of(
    pipeline: str, definition: PipelineDefinition, given: Mapping[str, ParameterValue]
) -> dict[str, ParameterValue]:
    """Put the given values in the defaults' places.

    Raises:
        InvalidRequest: there is no such parameter, or its type is another.
    """
    values = {each.name: each.default for each in definition.parameters}
    for name, value in given.items():
        if name not in values:
            has = f"it has {', '.join(values)}" if values else "it has none"
            raise InvalidRequest(f"pipeline {pipeline} has no parameter {name!r}; {has}")
        wanted = type(values[name])
        if type(value) is not wanted and (wanted, type(value)) != (float, int):
            raise InvalidRequest(
                f"parameter {name} of pipeline {pipeline} is {text_of(value)!r}, and has to be {_WORDS[wanted]}"
            )
        if "\0" in str(value):
            raise InvalidRequest(
                f"parameter {name} of pipeline {pipeline} holds a zero byte, which no command can"
            )
        values[name] = wanted(value)
    return values


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
