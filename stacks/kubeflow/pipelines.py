"""Pipelines of Kubeflow: a neutral definition becomes a pipeline's document and its platform's, as ``kfp`` writes them.

Pure. What is refused, :mod:`stacks.kubeflow.refused` has found before. May not know what a step's container is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
from stacks.kubeflow.cluster import Cluster
from stacks.kubeflow.containers import AS_TEXT, RECORD, RUN_ID, Containers, imported, importer
from stacks.pipelines import (
    BucketPath,
    Gate,
    OutputKind,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    ValueOf,
    chains_of,
    sources,
)

__all__ = ["compiled"]

SDK = "kfp-2.16.1"
RUN = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
ARTIFACT = "artifact"


def compiled(
    intent: TrainingPipeline, definition: PipelineDefinition, cluster: Cluster, name: str
) -> tuple[Mapping[str, Value], ...]:
    """Write a definition as the documents of one YAML file: the pipeline called ``name``, and what Kubernetes adds."""
    compiler = _Compiler(intent, definition, cluster)
    pipeline = compiler.pipeline(name)
    deadlines: dict[str, Value] = {
        f"exec-{step.name}": {"activeDeadlineSeconds": str(step.action.timeout_s)}
        for step in definition.steps
        if isinstance(step.action, Run)
    }
    if not deadlines:
        return (pipeline,)
    return pipeline, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": deadlines}}}}


class _Compiler:
    def __init__(self, intent: TrainingPipeline, definition: PipelineDefinition, cluster: Cluster) -> None:
        self.definition = definition
        self.cluster = cluster
        self.chains = chains_of(definition)
        self.levels = Levels(definition, self.chains, AS_TEXT)
        self.compared = frozenset(
            (step.gate.step, step.gate.output) for step in definition.steps if step.gate is not None
        )
        self.containers = Containers(intent, definition, cluster, self.compared)
        self.components: dict[str, Value] = {}
        self.executors: dict[str, Value] = {}

    def pipeline(self, name: str) -> dict[str, Value]:
        tasks = self._level(())
        described: dict[str, Value] = (
            {"description": self.definition.description} if self.definition.description else {}
        )
        return {
            "pipelineInfo": {"name": name, **described},
            "schemaVersion": SCHEMA,
            "sdkVersion": SDK,
            "root": {
                "dag": {"tasks": tasks},
                **definitions(parameters=self.levels.parameters(defaults=True)),
            },
            "components": self.components,
            "deploymentSpec": {"executors": self.executors},
        }

    # --- levels and gates ---

    def _level(self, chain: Chain) -> dict[str, Value]:
        """The tasks behind exactly these gates, each gate beneath them as a component of its own."""
        tasks: dict[str, Value] = {}
        for step in self.definition.steps:
            own = self.chains[step.name]
            if own == chain:
                tasks |= self._step(step)
            elif own[:-1] == chain and own[-1] == step.name and step.gate is not None:
                tasks |= self._gate(step, step.gate, own)
        return tasks

    def _gate(self, step: Step, gate: Gate, chain: Chain) -> dict[str, Value]:
        """The steps behind a gate, and where it asks for that, what fails in their place."""
        inside = self.levels.inside(chain)
        needed = self.levels.from_outside([it for other in inside for it in _taken(other).values()], chain)
        reports = self.levels.reports(inside, chain)
        outer, condition = chain[:-1], _condition(gate)
        names = [parameter.name for parameter in self.definition.parameters]
        parameters = self._tested(gate, outer) | {name: {"componentInputParameter": name} for name in names}
        parameters |= {key: self.levels.report(source, outer) for key, source in reports.items()}
        types = self._tested_types(gate) | self.levels.parameters()
        types |= {key: {"parameterType": "STRING"} for key in reports}
        waits = {source for other in inside for source in sources(other) if self.chains[source] == outer}
        name = f"{step.name}--gate"
        self._group(
            name, self._level(chain), types, {key: self.levels.kind(it) for key, it in needed.items()}
        )
        artifacts = {key: self.levels.artifact(it, outer) for key, it in needed.items()}
        tasks: dict[str, Value] = {name: _task(name, sorted(waits), given(parameters, artifacts), condition)}
        if gate.otherwise == "fail":
            waits = {gate.step} if self.chains[gate.step] == outer else set()
            name = f"{step.name}--refused"
            self._group(name, self._refusal(step, gate), self._tested_types(gate), {})
            tasks[name] = _task(name, sorted(waits), given(self._tested(gate, outer), {}), f"!({condition})")
        return tasks

    def _group(
        self,
        name: str,
        tasks: Mapping[str, Value],
        types: Mapping[str, Value],
        kinds: Mapping[str, OutputKind],
    ) -> None:
        """A component with a condition is one of tasks, as kfp writes it: a container's own the SDK never makes."""
        self.components[f"comp-{name}"] = {
            "dag": {"tasks": tasks},
            **definitions(parameters=types, artifacts={key: artifact(kind) for key, kind in kinds.items()}),
        }

    def _refusal(self, step: Step, gate: Gate) -> dict[str, Value]:
        name = f"{step.name}--refusal"
        message = f"{gate.step}.{gate.output}.{gate.metric} keeps {step.name} back"
        self.components[f"comp-{name}"] = {"executorLabel": f"exec-{name}"}
        self.executors[f"exec-{name}"] = {"container": self.containers.refusal(gate.step, message)}
        return {name: _task(name, [], {}, "")}

    def _tested(self, gate: Gate, level: Chain) -> dict[str, Value]:
        """The metrics as the text that their step hands on, and the bound where it is a parameter's."""
        tested: dict[str, Value] = {
            METRIC: self.levels.report(StepOutput(step=gate.step, output=gate.output), level)
        }
        if isinstance(gate.bound, ValueOf):
            tested[BOUND] = {"componentInputParameter": gate.bound.parameter}
        return tested

    def _tested_types(self, gate: Gate) -> dict[str, Value]:
        return {METRIC: {"parameterType": "STRING"}, **self.levels.bound_type(gate)}

    # --- steps ---

    def _step(self, step: Step) -> dict[str, Value]:
        """A step's task, after those that import what it reads from buckets."""
        level, tasks = self.chains[step.name], dict[str, Value]()
        artifacts = {name: self.levels.artifact(it, level) for name, it in _taken(step).items()}
        kinds: dict[str, OutputKind] = {name: self.levels.kind(it) for name, it in _taken(step).items()}
        for name, place in _places(step).items():
            brought = f"{step.name}--from-{len(tasks) + 1}"
            tasks[brought] = self._import(brought, importer(place, self.cluster))
            artifacts[name] = {"taskOutputArtifact": {"producerTask": brought, "outputArtifactKey": ARTIFACT}}
            kinds[name] = "folder"
        waits = sorted({*tasks, *(it for it in sources(step) if self.chains[it] == level)})
        parameters = self._parameters(step)
        self._component(step, kinds)
        cached = isinstance(step.action, Run) and step.action.cache_s is not None
        task = _task(step.name, waits, given(parameters, artifacts), "")
        task["cachingOptions"] = {"enableCache": True} if cached else {}
        if step.retries:
            task["retryPolicy"] = {"maxRetryCount": step.retries, **RETRY}
        return {**tasks, step.name: task}

    def _parameters(self, step: Step) -> dict[str, Value]:
        if isinstance(step.action, Register):
            return {RUN_ID: RUN}
        return {name: {"componentInputParameter": name} for name in sorted(set(_used(step.action)))}

    def _component(self, step: Step, kinds: Mapping[str, OutputKind]) -> None:
        outputs: dict[str, Value] = {}
        if isinstance(step.action, Run):
            types = {name: self.levels.parameters()[name] for name in sorted(set(_used(step.action)))}
            made = {name: artifact(it.kind) for name, it in step.action.outputs.items()}
            reports: dict[str, Value] = {
                f"{name}{AS_TEXT}": {"parameterType": "STRING"}
                for at, name in sorted(self.compared)
                if at == step.name
            }
            outputs = given(reports, made)
            container = self.containers.command(step.name, step.action)
        else:
            types = {RUN_ID: {"parameterType": "STRING"}}
            outputs = given({}, {"model": artifact("model"), RECORD: artifact("folder")})
            container = self.containers.registration(step.action)
        self.executors[f"exec-{step.name}"] = {"container": container}
        self.components[f"comp-{step.name}"] = {
            "executorLabel": f"exec-{step.name}",
            **definitions(parameters=types, artifacts={name: artifact(it) for name, it in kinds.items()}),
            **({"outputDefinitions": outputs} if outputs else {}),
        }

    def _import(self, name: str, address: str) -> Value:
        self.components[f"comp-{name}"] = {
            "executorLabel": f"exec-{name}",
            "inputDefinitions": {"parameters": {"uri": {"parameterType": "STRING"}}},
            "outputDefinitions": {"artifacts": {ARTIFACT: artifact("folder")}},
        }
        schema = {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}
        self.executors[f"exec-{name}"] = {
            "importer": {"artifactUri": {"constant": address}, "typeSchema": schema}
        }
        return _task(name, [], {"parameters": {"uri": {"runtimeValue": {"constant": address}}}}, "")


def _task(name: str, waits: list[str], inputs: Mapping[str, Value], condition: str) -> dict[str, Value]:
    task: dict[str, Value] = {"taskInfo": {"name": name}, "componentRef": {"name": f"comp-{name}"}}
    if waits:
        task["dependentTasks"] = waits
    if inputs:
        task["inputs"] = inputs
    if condition:
        task["triggerPolicy"] = {"condition": condition}
    return task


def _condition(gate: Gate) -> str:
    """In the Common Expression Language: numbers in a parameter and in parsed JSON are doubles alike."""
    bound = (
        f"inputs.parameter_values['{BOUND}']" if isinstance(gate.bound, ValueOf) else repr(float(gate.bound))
    )
    number = f"parseJson(inputs.parameter_values['{METRIC}'])['{gate.metric}']"
    return f"{number} {COMPARISONS[gate.comparison]} {bound}"


def _taken(step: Step) -> dict[str, StepOutput]:
    """The outputs of others that a step takes, by the name of its input."""
    match step.action:
        case Register(source=source, metrics=metrics):
            return {"source": source, **({"metrics": metrics} if metrics is not None else {})}
        case Run(inputs=inputs):
            return {name: it for name, it in inputs.items() if isinstance(it, StepOutput)}


def _places(step: Step) -> dict[str, BucketPath]:
    if isinstance(step.action, Register):
        return {}
    return {name: it for name, it in step.action.inputs.items() if isinstance(it, BucketPath)}


def _used(run: Run) -> Iterator[str]:
    """The parameters in a step's texts, and in the places that it reads."""
    yield from parameters_in(*run.command, *run.environment.values())
    for source in run.inputs.values():
        if isinstance(source, BucketPath):
            yield from parameters_in(imported(source)[1])
