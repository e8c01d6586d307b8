"""Pipelines of Vertex AI: a neutral definition becomes a template of Kubeflow Pipelines (schema 2.1.0).

A gate is a component with a condition, inside which are the steps that stand behind it. Pure: values may be references
or texts. May not make a resource, nor know where a definition was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stacks.gcp.context import Context, Surroundings
from stacks.gcp.instances import Unavailable, machine
from stacks.gcp.jobs import Executors, parameters_in, use_of
from stacks.graph import Value
from stacks.intents import TrainingPipeline
from stacks.pipelines import (
    BucketPath,
    Gate,
    Parameter,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    ValueOf,
    sources,
)

__all__ = ["compiled", "pipeline_problems", "pipeline_warnings"]

SCHEMA = "2.1.0"
SDK = "kfp-2.13.0"
TYPES: Mapping[type, str] = {
    bool: "BOOLEAN",
    int: "NUMBER_INTEGER",
    float: "NUMBER_DOUBLE",
    str: "STRING",
}
ARTIFACTS = {"folder": "system.Artifact", "model": "system.Model", "metrics": "system.Metrics"}
COMPARISONS = {"at_least": ">=", "at_most": "<="}
METRIC, BOUND = "gate-metric", "gate-bound"
RETRY: Mapping[str, Value] = {"backoffDuration": "60s", "backoffFactor": 2, "backoffMaxDuration": "3600s"}

Group = tuple[str, ...]


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
    groups = _gates(definition)
    for step in definition.steps:
        if isinstance(step.action, Run) and step.action.instance is not None:
            found = machine(step.action.instance, use_of(step.action), region)
            if isinstance(found, Unavailable):
                yield f"step {step.name}: instance {found.message}", found.hint
        yield from _apart(step, groups)
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


def _apart(step: Step, groups: Mapping[str, Group]) -> Iterator[tuple[str, str]]:
    chains = [groups[source] for source in sources(step)]
    deepest = max(chains, key=len, default=())
    apart = next((chain for chain in chains if deepest[: len(chain)] != chain), None)
    if apart is not None:
        yield (
            f"step {step.name} waits for the gates of {apart[-1]} and {deepest[-1]}: neither is inside the other to join them",
            "Put one gate after the other, or the second one's condition on this step.",
        )


def _gates(definition: PipelineDefinition) -> Mapping[str, Group]:
    """The gates that each step stands behind, from the outermost; its own is the last."""
    groups: dict[str, Group] = {}
    for step in definition.steps:
        outer = max((groups[source] for source in sources(step)), key=len, default=())
        groups[step.name] = (*outer, step.name) if step.gate is not None else outer
    return groups


def _artifact_key(source: StepOutput) -> str:
    return f"{source.step}--{source.output}"


class _Compiler:
    def __init__(
        self, intent: TrainingPipeline, definition: PipelineDefinition, around: Surroundings
    ) -> None:
        self.intent = intent
        self.definition = definition
        self.context: Context = around.context
        self.executors = Executors(intent, definition, around)
        self.steps = {step.name: step for step in definition.steps}
        self.groups = _gates(definition)
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
            "root": {"dag": {"tasks": tasks}, **_definitions(parameters=self._parameters(defaults=True))},
            "components": self.components,
            "deploymentSpec": {"executors": self.containers},
        }

    # --- levels and gates ---

    def _level(self, group: Group) -> dict[str, Value]:
        """The tasks behind exactly these gates, each gate beneath them as a component of its own."""
        tasks: dict[str, Value] = {}
        for step in self.definition.steps:
            own = self.groups[step.name]
            if own == group:
                tasks[step.name] = self._task(step)
            elif own[:-1] == group and own[-1] == step.name and step.gate is not None:
                tasks |= self._gate(step, step.gate, own)
        return tasks

    def _inside(self, group: Group) -> list[Step]:
        return [step for step in self.definition.steps if self.groups[step.name][: len(group)] == group]

    def _gate(self, step: Step, gate: Gate, group: Group) -> dict[str, Value]:
        """The steps behind a gate, and where it asks for that, what fails in their place."""
        inside = self._inside(group)
        needed = self._brought(inside, group)
        reports = self._reports(inside, group)
        condition = self._condition(gate)
        outer = group[:-1]
        inputs = self._tested(gate, outer) | {
            name: {"componentInputParameter": name} for name in self._names()
        }
        inputs |= {key: self._report(source, outer) for key, source in reports.items()}
        name = f"{step.name}-gate"
        types: dict[str, Value] = {METRIC: {"parameterType": "NUMBER_DOUBLE"}, **self._bound_type(gate)}
        types |= self._parameters() | {key: {"parameterType": "STRING"} for key in reports}
        self.components[f"comp-{name}"] = {
            "dag": {"tasks": self._level(group)},
            **_definitions(
                parameters=types,
                artifacts={key: _artifact(self._kind(source)) for key, source in needed.items()},
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
                "inputs": _inputs(inputs, {key: self._source(it, outer) for key, it in needed.items()}),
                "triggerPolicy": {"condition": condition},
            }
        }
        if gate.otherwise == "fail":
            tasks[f"{step.name}-refused"] = self._refusal(step, gate, outer, f"!({condition})")
        return tasks

    def _refusal(self, step: Step, gate: Gate, outer: Group, condition: str) -> Value:
        name = f"{step.name}-refused"
        self.components[f"comp-{name}"] = {
            "executorLabel": f"exec-{name}",
            **_definitions(parameters={METRIC: {"parameterType": "NUMBER_DOUBLE"}, **self._bound_type(gate)}),
        }
        self.containers[f"exec-{name}"] = self.executors.refusal(
            f"{gate.step}.{gate.output}.{gate.metric} keeps {step.name} back"
        )
        return {
            "taskInfo": {"name": name},
            "componentRef": {"name": f"comp-{name}"},
            "dependentTasks": [gate.step] if self.groups[gate.step] == outer else [],
            "inputs": _inputs(self._tested(gate, outer), {}),
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

    def _tested(self, gate: Gate, level: Group) -> dict[str, Value]:
        """The metric, out of the JSON text that its step hands on, and the bound where it is a parameter's."""
        report = self._report(StepOutput(step=gate.step, output=gate.output), level)
        selector = f'parseJson(string_value)["{gate.metric}"]'
        tested: dict[str, Value] = {METRIC: {**report, "parameterExpressionSelector": selector}}
        if isinstance(gate.bound, ValueOf):
            tested[BOUND] = {"componentInputParameter": gate.bound.parameter}
        return tested

    def _bound_type(self, gate: Gate) -> dict[str, Value]:
        if not isinstance(gate.bound, ValueOf):
            return {}
        bound = gate.bound.parameter
        found = next(it for it in self.definition.parameters if it.name == bound)
        return {BOUND: {"parameterType": TYPES[type(found.default)]}}

    def _report(self, source: StepOutput, level: Group) -> dict[str, Value]:
        """A step's metrics as a value: from the step beside, or brought in through the gates around."""
        if self.groups[source.step] == level:
            return {"taskOutputParameter": {"producerTask": source.step, "outputParameterKey": source.output}}
        return {"componentInputParameter": _artifact_key(source)}

    def _reports(self, inside: Sequence[Step], group: Group) -> dict[str, StepOutput]:
        """The metrics that gates further inside compare, and that steps outside wrote."""
        found = {
            _artifact_key(report): report
            for step in inside
            if step.gate is not None and self.groups[step.name] != group
            for report in [StepOutput(step=step.gate.step, output=step.gate.output)]
        }
        return {key: it for key, it in found.items() if self.groups[it.step][: len(group)] != group}

    # --- what comes in ---

    def _names(self) -> list[str]:
        return [parameter.name for parameter in self.definition.parameters]

    def _parameters(self, *, defaults: bool = False) -> dict[str, Value]:
        return {it.name: _typed(it, defaults=defaults) for it in self.definition.parameters}

    def _kind(self, source: StepOutput) -> str:
        action = self.steps[source.step].action
        return action.outputs[source.output].kind if isinstance(action, Run) else "folder"

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

    def _brought(self, inside: Sequence[Step], group: Group) -> dict[str, StepOutput]:
        """The artifacts that come into a gate from steps outside."""
        return {
            _artifact_key(source): source
            for step in inside
            for source in self._taken(step).values()
            if self.groups[source.step][: len(group)] != group
        }

    def _source(self, source: StepOutput, level: Group) -> Value:
        if self.groups[source.step] == level:
            return {"taskOutputArtifact": {"producerTask": source.step, "outputArtifactKey": source.output}}
        return {"componentInputArtifact": _artifact_key(source)}

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
            "inputs": _inputs(
                {name: {"componentInputParameter": name} for name in used},
                {name: self._source(source, level) for name, source in taken.items()},
            ),
            "cachingOptions": {
                "enableCache": isinstance(step.action, Run) and step.action.cache_s is not None
            },
        }
        if step.retries:
            task["retryPolicy"] = {"maxRetryCount": step.retries, **RETRY}
        return task

    def _component(self, step: Step, taken: Mapping[str, StepOutput], used: Sequence[str]) -> None:
        types = self._parameters()
        inputs = _definitions(
            parameters={name: types[name] for name in used},
            artifacts={name: _artifact(self._kind(source)) for name, source in taken.items()},
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
            name: _artifact(it.kind) for name, it in run.outputs.items() if it.place is None
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


def _typed(parameter: Parameter, *, defaults: bool) -> Value:
    typed: dict[str, Value] = {"parameterType": TYPES[type(parameter.default)]}
    if defaults:
        typed |= {"defaultValue": _number(parameter.default), "isOptional": True}
    return typed


def _number(value: Value) -> Value:
    """A schedule's answer says 2 for 2.0, and the provider compares the texts."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _artifact(kind: str) -> Value:
    return {"artifactType": {"schemaTitle": ARTIFACTS[kind], "schemaVersion": "0.0.1"}}


def _definitions(
    *, parameters: Mapping[str, Value], artifacts: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if parameters:
        found["parameters"] = parameters
    if artifacts:
        found["artifacts"] = artifacts
    return {"inputDefinitions": found} if found else {}


def _inputs(parameters: Mapping[str, Value], artifacts: Mapping[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if parameters:
        found["parameters"] = parameters
    if artifacts:
        found["artifacts"] = artifacts
    return found
