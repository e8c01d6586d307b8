"""Pipelines of Vertex AI: a neutral definition becomes a template of Kubeflow Pipelines (schema 2.1.0).

A gate is a component with a condition, inside which are the steps that stand behind it. Pure: values may be references
or texts. May not make a resource, nor know where a definition was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stacks.gcp.context import Context, Surroundings
from stacks.gcp.instances import Unavailable, machine
from stacks.gcp.jobs import Executors, use_of
from stacks.graph import Value
from stacks.intents import TrainingPipeline
from stacks.kfp import (
    BOUND,
    COMPARISONS,
    METRIC,
    RETRY,
    SCHEMA,
    Chain,
    Levels,
    artifact,
    definitions,
    given,
    parameters_in,
)
from stacks.pipelines import (
    BucketPath,
    Gate,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    ValueOf,
    chains_of,
    parted,
    sources,
)

__all__ = ["compiled", "pipeline_problems", "pipeline_warnings"]

SDK = "kfp-2.13.0"


def compiled(intent: TrainingPipeline, definition: PipelineDefinition, around: Surroundings) -> Value:
    """Write a definition as a pipeline template."""
    return _Compiler(intent, definition, around).document()


def pipeline_problems(intent: TrainingPipeline, region: str) -> Iterator[tuple[str, str]]:
    """Yield what Vertex AI refuses of a pipeline, and a hint: machines it lacks, gates that do not nest, odd texts."""
    definition = intent.steps
    if definition is None:
        return
    for parameter in definition.parameters:
        if isinstance(parameter.default, str) and set(parameter.default) & {'"', "\\", "\n"}:
            yield (
                f"parameter {parameter.name}: quotes, backslashes and line breaks end the JSON text that Vertex AI puts it in",
                "Choose a value without them.",
            )
    chains = chains_of(definition)
    for step in definition.steps:
        if isinstance(step.action, Run) and step.action.instance is not None:
            found = machine(step.action.instance, use_of(step.action), region)
            if isinstance(found, Unavailable):
                yield f"step {step.name}: instance {found.message}", found.hint
        yield from _apart(step, chains)
        if step.gate is not None and not _commanded(definition, step.gate.step):
            yield (
                f"step {step.gate.step} has no command, and a gate reads its metrics: without one, nothing hands them on",
                "Write the image's own command into the step.",
            )


def pipeline_warnings(intent: TrainingPipeline) -> Iterator[tuple[str, str]]:
    """Yield what Vertex AI does otherwise than it is asked, and a hint."""
    for step in intent.steps.steps if intent.steps is not None else ():
        if isinstance(step.action, Run) and step.action.cache_s is not None:
            yield (
                f"step {step.name}: Vertex AI keeps a cached result until it is deleted, not for {step.action.cache_s} seconds",
                "Leave cache out where a result ages.",
            )


def _commanded(definition: PipelineDefinition, name: str) -> bool:
    return any(
        step.name == name and isinstance(step.action, Run) and bool(step.action.command)
        for step in definition.steps
    )


def _apart(step: Step, chains: Mapping[str, Chain]) -> Iterator[tuple[str, str]]:
    apart = parted(step, chains)
    if apart is not None:
        yield (
            f"step {step.name} waits for the gates of {apart[0]} and {apart[1]}: neither is inside the other to join them",
            "Put one gate after the other, or the second one's condition on this step.",
        )


class _Compiler:
    def __init__(
        self, intent: TrainingPipeline, definition: PipelineDefinition, around: Surroundings
    ) -> None:
        self.intent = intent
        self.definition = definition
        self.context: Context = around.context
        self.executors = Executors(intent, definition, around)
        self.steps = {step.name: step for step in definition.steps}
        self.groups = chains_of(definition)
        self.levels = Levels(definition, self.groups)
        self.components: dict[str, Value] = {}
        self.containers: dict[str, Value] = {}

    def document(self) -> Value:
        tasks = self._level(())
        described: dict[str, Value] = (
            {"description": self.definition.description} if self.definition.description else {}
        )
        return {
            "pipelineInfo": {"name": self.context.name("resource", self.intent.name), **described},
            "schemaVersion": SCHEMA,
            "sdkVersion": SDK,
            "root": {
                "dag": {"tasks": tasks},
                **definitions(parameters=self.levels.parameters(defaults=True)),
            },
            "components": self.components,
            "deploymentSpec": {"executors": self.containers},
        }

    # --- levels and gates ---

    def _level(self, group: Chain) -> dict[str, Value]:
        """The tasks behind exactly these gates, each gate beneath them as a component of its own."""
        tasks: dict[str, Value] = {}
        for step in self.definition.steps:
            own = self.groups[step.name]
            if own == group:
                tasks[step.name] = self._task(step)
            elif own[:-1] == group and own[-1] == step.name and step.gate is not None:
                tasks |= self._gate(step, step.gate, own)
        return tasks

    def _gate(self, step: Step, gate: Gate, group: Chain) -> dict[str, Value]:
        """The steps behind a gate, and where it asks for that, what fails in their place."""
        inside = self.levels.inside(group)
        needed = self.levels.from_outside([it for step in inside for it in self._taken(step).values()], group)
        reports = self.levels.reports(inside, group)
        condition = self._condition(gate)
        outer = group[:-1]
        inputs = self._tested(gate, outer) | {
            name: {"componentInputParameter": name} for name in self._names()
        }
        inputs |= {key: self.levels.report(source, outer) for key, source in reports.items()}
        name = f"{step.name}-gate"
        types: dict[str, Value] = {METRIC: {"parameterType": "NUMBER_DOUBLE"}, **self.levels.bound_type(gate)}
        types |= self.levels.parameters() | {key: {"parameterType": "STRING"} for key in reports}
        self.components[f"comp-{name}"] = {
            "dag": {"tasks": self._level(group)},
            **definitions(
                parameters=types,
                artifacts={key: artifact(self.levels.kind(source)) for key, source in needed.items()},
            ),
        }
        waits = sorted(
            {source for other in inside for source in sources(other) if self.groups[source] == outer}
        )
        tasks: dict[str, Value] = {
            name: {
                "taskInfo": {"name": name},
                "componentRef": {"name": f"comp-{name}"},
                "dependentTasks": waits,
                "inputs": given(inputs, {key: self.levels.artifact(it, outer) for key, it in needed.items()}),
                "triggerPolicy": {"condition": condition},
            }
        }
        if gate.otherwise == "fail":
            tasks[f"{step.name}-refused"] = self._refusal(step, gate, outer, f"!({condition})")
        return tasks

    def _refusal(self, step: Step, gate: Gate, outer: Chain, condition: str) -> Value:
        name = f"{step.name}-refused"
        self.components[f"comp-{name}"] = {
            "executorLabel": f"exec-{name}",
            **definitions(
                parameters={METRIC: {"parameterType": "NUMBER_DOUBLE"}, **self.levels.bound_type(gate)}
            ),
        }
        self.containers[f"exec-{name}"] = self.executors.refusal(
            f"{gate.step}.{gate.output}.{gate.metric} keeps {step.name} back"
        )
        return {
            "taskInfo": {"name": name},
            "componentRef": {"name": f"comp-{name}"},
            "dependentTasks": [gate.step] if self.groups[gate.step] == outer else [],
            "inputs": given(self._tested(gate, outer), {}),
            "triggerPolicy": {"condition": condition},
        }

    def _condition(self, gate: Gate) -> str:
        """In the Common Expression Language, where a number of two types is not comparable."""
        bound = (
            f"double(inputs.parameter_values['{BOUND}'])"
            if isinstance(gate.bound, ValueOf)
            else repr(float(gate.bound))
        )
        return f"inputs.parameter_values['{METRIC}'] {COMPARISONS[gate.comparison]} {bound}"

    def _tested(self, gate: Gate, level: Chain) -> dict[str, Value]:
        """The metric, out of the JSON text that its step hands on, and the bound where it is a parameter's."""
        report = self.levels.report(StepOutput(step=gate.step, output=gate.output), level)
        selector = f'parseJson(string_value)["{gate.metric}"]'
        tested: dict[str, Value] = {METRIC: {**report, "parameterExpressionSelector": selector}}
        if isinstance(gate.bound, ValueOf):
            tested[BOUND] = {"componentInputParameter": gate.bound.parameter}
        return tested

    # --- what comes in ---

    def _names(self) -> list[str]:
        return [parameter.name for parameter in self.definition.parameters]

    def _taken(self, step: Step) -> dict[str, StepOutput]:
        """The artifacts that a step takes, by the name of its input; those with a place of their own are none."""
        action = step.action
        if isinstance(action, Register):
            taken = {"source": action.source}
            if action.metrics is not None:
                taken["metrics"] = action.metrics
        else:
            taken = {name: it for name, it in action.inputs.items() if isinstance(it, StepOutput)}
        return {name: it for name, it in taken.items() if self.executors.place_of(it) is None}

    # --- steps ---

    def _task(self, step: Step) -> Value:
        level = self.groups[step.name]
        taken = self._taken(step)
        used = sorted(set(self._used(step)))
        self._component(step, taken, used)
        task: dict[str, Value] = {
            "taskInfo": {"name": step.name},
            "componentRef": {"name": f"comp-{step.name}"},
            "dependentTasks": sorted({it for it in sources(step) if self.groups[it] == level}),
            "inputs": given(
                {name: {"componentInputParameter": name} for name in used},
                {name: self.levels.artifact(source, level) for name, source in taken.items()},
            ),
            "cachingOptions": {
                "enableCache": isinstance(step.action, Run) and step.action.cache_s is not None
            },
        }
        if step.retries:
            task["retryPolicy"] = {"maxRetryCount": step.retries, **RETRY}
        return task

    def _component(self, step: Step, taken: Mapping[str, StepOutput], used: Sequence[str]) -> None:
        types = self.levels.parameters()
        inputs = definitions(
            parameters={name: types[name] for name in used},
            artifacts={name: artifact(self.levels.kind(source)) for name, source in taken.items()},
        )
        outputs: dict[str, Value] = {}
        if isinstance(step.action, Run):
            outputs = self._outputs(step.action)
            self.containers[f"exec-{step.name}"] = self.executors.job(step.name, step.action)
        else:
            self.containers[f"exec-{step.name}"] = self.executors.registration(step.action)
        self.components[f"comp-{step.name}"] = {
            "executorLabel": f"exec-{step.name}",
            **inputs,
            **outputs,
        }

    def _outputs(self, run: Run) -> dict[str, Value]:
        values: dict[str, Value] = {"gcp_resources": {"parameterType": "STRING"}}
        values |= {
            name: {"parameterType": "STRING"} for name, it in run.outputs.items() if it.kind == "metrics"
        }
        artifacts: dict[str, Value] = {
            name: artifact(it.kind) for name, it in run.outputs.items() if it.place is None
        }
        return {
            "outputDefinitions": {"parameters": values, **({"artifacts": artifacts} if artifacts else {})}
        }

    def _used(self, step: Step) -> Iterator[str]:
        """The parameters in a step's texts, and in the places that it reads and writes."""
        action = step.action
        read: list[StepOutput] = []
        if isinstance(action, Register):
            read = [action.source, *([action.metrics] if action.metrics is not None else [])]
        else:
            yield from parameters_in(*action.command, *action.environment.values())
            for source in action.inputs.values():
                if isinstance(source, BucketPath):
                    yield from parameters_in(source.path)
                else:
                    read.append(source)
            for output in action.outputs.values():
                if output.place is not None:
                    yield from parameters_in(output.place.path)
        for source in read:
            place = self.executors.place_of(source)
            if place is not None:
                yield from parameters_in(place.path)
