"""Pipelines of Azure ML: a neutral definition becomes a pipeline job's document, as the command line reads it too.

Azure ML has no public condition, so each step behind a gate looks at the gate's metrics itself and ends early; a step that
comes only after another takes an output of it that it does not use. Pure. May not know where a definition was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from stacks.azure.assets import (
    MANAGER,
    code_asset,
    container_url,
    datastore_of,
    datastore_uri,
    image_of,
    kept_path,
    node_name,
    workspace_id,
)
from stacks.azure.commands import Check, Registered, command_of, placeholder, registering, unsafe_in
from stacks.azure.compute import cluster_of
from stacks.azure.context import Context
from stacks.graph import GraphError
from stacks.intents import ModelRegistry, TrainingPipeline
from stacks.pipelines import (
    BucketPath,
    Gate,
    Output,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    UriOf,
    ValueOf,
    sources,
)

__all__ = ["compiled", "gates_of", "parameter_problem", "pipeline_problems", "pipeline_warnings"]

SCHEMA = "https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json"
TYPES: Mapping[type, str] = {bool: "string", int: "integer", float: "number", str: "string"}
"""A boolean is a text: as one of its own, Azure ML writes it with a capital and other clouds do not."""

OUTPUTS = {"folder": "uri_folder", "model": "custom_model", "metrics": "uri_folder"}
DEFAULT_VOLUME_GB = 30
DONE, CHECKPOINTS = "Done", "Checkpoints"
"""Outputs of our own; those of a definition begin with a small letter."""

CHECKPOINTS_VARIABLE = "PLATFORM_CHECKPOINTS"

ParameterValue: TypeAlias = str | int | float | bool
Document: TypeAlias = dict[str, Any]


def compiled(
    intent: TrainingPipeline,
    definition: PipelineDefinition,
    context: Context,
    values: Mapping[str, ParameterValue] | None = None,
) -> Document:
    """Write a definition as a pipeline job, for one run: ``values`` are those of parameters that are not the default's.

    Azure ML writes no value into the path of a bucket, so paths are as the values make them.
    """
    return _Compiler(intent, definition, context, values or {}).document()


def pipeline_problems(intent: TrainingPipeline) -> Iterator[tuple[str, str]]:
    """Yield what Azure ML cannot be told of a pipeline, and a hint."""
    definition = intent.steps
    if definition is None:
        return
    for parameter in definition.parameters:
        message = parameter_problem(parameter.name, parameter.default)
        if message:
            yield message, "Choose another value."
    for step in definition.steps:
        if not isinstance(step.action, Run):
            continue
        if not step.action.command:
            yield (
                f"step {step.name} has no command: Azure ML runs no image by the image's own",
                "Write the image's command into the step.",
            )
        for template in (*step.action.command, *step.action.environment.values()):
            for written in unsafe_in(template):
                yield (
                    f'step {step.name}: Azure ML takes "{written}" for a placeholder of its own',
                    "Leave ${{ out of commands and variables.",
                )


def parameter_problem(name: str, value: ParameterValue) -> str:
    """Why a parameter cannot have a value, empty when it can.

    Azure ML writes values into a shell's text, and asks of each for a letter, a digit or an underscore.
    """
    text = _literal(value)
    if set(text) & {"'", "\n", "\r", "\0"} or "${{" in text:
        return f"parameter {name}: a single quote, a line break or ${{{{ would end the text that Azure ML puts it in"
    if re.search(r"[a-zA-Z0-9_]", text) is None:
        return f"parameter {name}: Azure ML takes no value without a letter, a digit or an underscore"
    return ""


def pipeline_warnings(intent: TrainingPipeline) -> Iterator[tuple[str, str]]:
    """Yield what Azure ML does otherwise than it is asked, and a hint."""
    for step in intent.steps.steps if intent.steps is not None else ():
        if step.retries:
            yield (
                f"step {step.name}: Azure ML does not try a step again, and a failed one fails the run",
                "Start the run again: steps with a cache are not computed anew.",
            )
        if not isinstance(step.action, Run):
            continue
        if step.action.cache_s is not None:
            yield (
                f"step {step.name}: Azure ML keeps a cached result until it is deleted, not for {step.action.cache_s} seconds",
                "Leave cache out where a result ages.",
            )
        if step.action.volume_gb != DEFAULT_VOLUME_GB:
            yield (
                f"step {step.name}: volume_gb {step.action.volume_gb} changes nothing: a cluster's node has its machine's disk",
                "Choose an instance whose own disk is large enough.",
            )


# --- gates -------------------------------------------------------------------------------------------------------------


def gates_of(definition: PipelineDefinition) -> Mapping[str, tuple[str, ...]]:
    """The steps whose gates each step stands behind, in the definition's order; its own is the last."""
    order = [step.name for step in definition.steps]
    found: dict[str, tuple[str, ...]] = {}
    for step in definition.steps:
        behind = {gate for source in sources(step) for gate in found[source]}
        own = (step.name,) if step.gate is not None else ()
        found[step.name] = (*sorted(behind, key=order.index), *own)
    return found


def _literal(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _free(name: str, taken: Mapping[str, object]) -> str:
    """A name that is not taken, as near to the wanted one as can be."""
    while name in taken:
        name += "_"
    return name


# --- the document ----------------------------------------------------------------------------------------------------


class _Node:
    """What one step takes, as its inputs are put together: their types, what they are bound to, and their names."""

    def __init__(self) -> None:
        self.types: dict[str, Document] = {}
        self.bound: dict[str, Any] = {}
        self.names: dict[ValueOf | PathOf | UriOf, str] = {}
        self.metrics: dict[StepOutput, str] = {}

    def add(self, name: str, type_: Document, bound: object) -> str:
        name = _free(name, self.types)
        self.types[name], self.bound[name] = type_, bound
        return name

    def bind(self, name: str, type_: str, source: StepOutput, mode: str) -> str:
        path = f"${{{{parent.jobs.{node_name(source.step)}.outputs.{source.output}}}}}"
        return self.add(name, {"type": type_}, {"type": type_, "path": path, "mode": mode})


class _Compiler:
    def __init__(
        self,
        intent: TrainingPipeline,
        definition: PipelineDefinition,
        context: Context,
        values: Mapping[str, ParameterValue],
    ) -> None:
        self.intent = intent
        self.definition = definition
        self.context = context
        self.values = {it.name: values.get(it.name, it.default) for it in definition.parameters}
        self.steps = {step.name: step for step in definition.steps}
        self.gates = gates_of(definition)
        self.awaited = {source for step in definition.steps for source in self._only_awaited(step)}

    def document(self) -> Document:
        return {
            "$schema": SCHEMA,
            "type": "pipeline",
            "display_name": self.context.name("ml-asset", self.intent.name),
            "experiment_name": self.intent.name,
            **({"description": self.definition.description} if self.definition.description else {}),
            "tags": {**self.context.tags, "pipeline": self.intent.name},
            "inputs": {it.name: self._value(it.name) for it in self.definition.parameters},
            "settings": {
                "default_datastore": f"azureml:{datastore_of('artifacts')}",
                "continue_on_step_failure": False,
            },
            "jobs": {node_name(step.name): self._node(step) for step in self.definition.steps},
        }

    def _value(self, parameter: str) -> ParameterValue:
        value = self.values[parameter]
        return _literal(value) if isinstance(value, bool) else value

    def _only_awaited(self, step: Step) -> list[str]:
        """The steps that a step waits for without taking anything of theirs."""
        taken = {source.step for source in _taken(step).values()}
        taken |= {gate.step for gate in self._gates(step)}
        return sorted({name for name in sources(step) if name not in taken})

    def _gates(self, step: Step) -> list[Gate]:
        gates = [self.steps[name].gate for name in self.gates[step.name]]
        return [gate for gate in gates if gate is not None]

    # --- one step ---

    def _node(self, step: Step) -> Document:
        node = _Node()
        component, more = self._asked(step, node)
        for source in self._only_awaited(step):
            node.bind(
                f"after_{node_name(source)}", "uri_folder", StepOutput(step=source, output=DONE), "direct"
            )
        outputs = self._outputs(step)
        kinds = {name: {"type": output["type"]} for name, output in outputs.items()}
        return {
            "type": "command",
            "display_name": step.name,
            "component": {
                "type": "command",
                **({"inputs": node.types} if node.types else {}),
                **({"outputs": kinds} if kinds else {}),
                **component,
            },
            **({"inputs": node.bound} if node.bound else {}),
            **({"outputs": outputs} if outputs else {}),
            "identity": {"type": "managed_identity"},
            **more,
        }

    def _asked(self, step: Step, node: _Node) -> tuple[Document, Document]:
        """What the step's component says, and what its job says beside inputs and outputs."""
        match step.action:
            case Run() as run:
                return self._run(step, run, node)
            case Register() as register:
                cluster = cluster_of(self.intent.instance, spot=False)
                return self._registration(step, register, node), {"compute": f"azureml:{cluster}"}

    def _run(self, step: Step, run: Run, node: _Node) -> tuple[Document, Document]:
        self._inputs(run, node)
        self._parameters(run, node)
        checks = self._checks(step, node)
        for name in run.outputs:
            node.names[PathOf("outputs", name)] = placeholder("outputs", name)
        variables = dict(run.environment)
        if run.spot:
            kept = PathOf("outputs", CHECKPOINTS)
            node.names[kept] = placeholder("outputs", CHECKPOINTS)
            variables[CHECKPOINTS_VARIABLE] = (kept,)
        component: Document = {
            "command": command_of(run.command, variables, checks, node.names),
            "environment": {"image": image_of(run.image, self.context)},
            "is_deterministic": run.cache_s is not None,
        }
        if run.code is not None:
            name, version = code_asset(self.intent.name, self.definition.code[run.code].digest)
            component["code"] = f"azureml:{name}:{version}"
        more: Document = {
            "compute": f"azureml:{cluster_of(run.instance or self.intent.instance, spot=run.spot)}",
            "limits": {"timeout": run.timeout_s},
            "resources": {"instance_count": run.instances},
        }
        if run.instances > 1:
            # It tells each machine its rank and where the first one is; without, only one runs the command.
            more["distribution"] = {"type": "pytorch", "process_count_per_instance": 1}
        return component, more

    def _registration(self, step: Step, register: Register, node: _Node) -> Document:
        kind = self._kind(register.source)
        source = node.bind("source", kind, register.source, "direct")
        metrics = None
        if register.metrics is not None:
            metrics = node.bind("metrics", "uri_folder", register.metrics, "ro_mount")
            node.metrics[register.metrics] = metrics
        checks = self._checks(step, node)
        model = next(it for it in self.context.all_of(ModelRegistry) if it.name == register.model)
        wanted = Registered(
            manager=MANAGER,
            workspace=workspace_id(self.context),
            model=register.model,
            source=source,
            content_type=register.content_type,
            image=image_of(register.image, self.context),
            approval="approved" if model.approval == "automatic" else "pending",
            step=step.name,
            metrics=metrics,
        )
        maker = self.steps[register.source.step].action
        if not isinstance(maker, Run):
            raise GraphError(f"step {register.source.step} registers, and makes no model")
        return {
            "command": registering(wanted, checks),
            # The image that made the model is there already, and has the Python that made it.
            "environment": {"image": image_of(maker.image, self.context)},
            "is_deterministic": False,
        }

    # --- what it takes and writes ---

    def _inputs(self, run: Run, node: _Node) -> None:
        for name, source in run.inputs.items():
            if isinstance(source, BucketPath):
                path = self._place(source)
                bound = {"type": "uri_folder", "path": path, "mode": "ro_mount"}
                made = node.add(name, {"type": "uri_folder"}, bound)
            else:
                kind = self._kind(source)
                made = node.bind(name, kind, source, "ro_mount")
                node.metrics[source] = made
            node.names[PathOf("inputs", name)] = placeholder("inputs", made)

    def _parameters(self, run: Run, node: _Node) -> None:
        for template in (*run.command, *run.environment.values()):
            for part in template:
                if isinstance(part, ValueOf):
                    self._parameter(part, node)
                elif isinstance(part, UriOf):
                    node.names[part] = f"{container_url(self.context, part.bucket)}/{part.path}"

    def _parameter(self, value: ValueOf, node: _Node) -> str:
        if value not in node.names:
            kind = TYPES[type(self.values[value.parameter])]
            bound = f"${{{{parent.inputs.{value.parameter}}}}}"
            made = node.add(value.parameter, {"type": kind}, bound)
            node.names[value] = placeholder("inputs", made)
        return node.names[value]

    def _checks(self, step: Step, node: _Node) -> list[Check]:
        """Every gate that the step stands behind, the outermost first."""
        checks = []
        for gate in self._gates(step):
            source = StepOutput(step=gate.step, output=gate.output)
            if source not in node.metrics:
                node.metrics[source] = node.bind(
                    f"gate_{node_name(gate.step)}", "uri_folder", source, "ro_mount"
                )
            bound = self._parameter(gate.bound, node) if isinstance(gate.bound, ValueOf) else str(gate.bound)
            check = Check(
                folder=placeholder("inputs", node.metrics[source]),
                metric=gate.metric,
                comparison=gate.comparison,
                bound=bound,
                step=next(it.name for it in self.definition.steps if it.gate is gate),
                fails=gate.otherwise == "fail",
            )
            checks.append(check)
        return checks

    def _outputs(self, step: Step) -> dict[str, Document]:
        action = step.action
        made = action.outputs if isinstance(action, Run) else {}
        found = {name: self._output(step, name, output) for name, output in made.items()}
        if isinstance(action, Run) and action.spot:
            # The same folder whenever the job is begun again, which is what an interruption does.
            found[CHECKPOINTS] = self._kept(step, CHECKPOINTS, "uri_folder")
        if step.name in self.awaited:
            found[DONE] = self._kept(step, DONE, "uri_folder")
        return found

    def _output(self, step: Step, name: str, output: Output) -> Document:
        kind = OUTPUTS[output.kind]
        if output.place is None:
            return self._kept(step, name, kind)
        return {"type": kind, "path": self._place(output.place), "mode": "rw_mount"}

    def _kept(self, step: Step, name: str, kind: str) -> Document:
        """A place apart for each run: Azure ML writes the job's own name into it."""
        path = kept_path(self.intent.name, "${{name}}", step.name, name)
        return {"type": kind, "path": datastore_uri("artifacts", path), "mode": "rw_mount"}

    def _place(self, place: BucketPath) -> str:
        parts = [_literal(self.values[it.parameter]) if isinstance(it, ValueOf) else it for it in place.path]
        return datastore_uri(place.bucket, "".join(str(part) for part in parts))

    def _kind(self, source: StepOutput) -> str:
        action = self.steps[source.step].action
        return OUTPUTS[action.outputs[source.output].kind] if isinstance(action, Run) else "uri_folder"


def _taken(step: Step) -> Mapping[str, StepOutput]:
    """What a step takes of others, by the name of its input."""
    match step.action:
        case Run(inputs=inputs):
            return {name: it for name, it in inputs.items() if isinstance(it, StepOutput)}
        case Register(source=source, metrics=metrics):
            return {"source": source, **({"metrics": metrics} if metrics is not None else {})}
