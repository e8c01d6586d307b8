"""The format of Kubeflow Pipelines (schema 2.1.0), as far as every platform that runs it writes it the same.

Pure. May not know a platform, nor what a step's container is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stacks.graph import Value
from stacks.pipelines import (
    Gate,
    OutputKind,
    Parameter,
    PipelineDefinition,
    Run,
    Step,
    StepOutput,
    Template,
    ValueOf,
)

__all__ = [
    "BOUND",
    "COMPARISONS",
    "METRIC",
    "RETRY",
    "SCHEMA",
    "TYPES",
    "Chain",
    "Levels",
    "artifact",
    "artifact_key",
    "definitions",
    "given",
    "parameters_in",
    "typed",
    "value_of",
]

SCHEMA = "2.1.0"
TYPES: Mapping[type, str] = {
    bool: "BOOLEAN",
    int: "NUMBER_INTEGER",
    float: "NUMBER_DOUBLE",
    str: "STRING",
}
ARTIFACTS: Mapping[OutputKind, str] = {
    "folder": "system.Artifact",
    "model": "system.Model",
    "metrics": "system.Metrics",
}
COMPARISONS = {"at_least": ">=", "at_most": "<="}
METRIC, BOUND = "gate-metric", "gate-bound"
"""Parameters of a gate's component; a definition's have no hyphen."""

RETRY: Mapping[str, Value] = {"backoffDuration": "60s", "backoffFactor": 2, "backoffMaxDuration": "3600s"}

Chain = tuple[str, ...]


def value_of(parameter: str) -> str:
    """Write the place of a parameter's value."""
    return f"{{{{$.inputs.parameters['{parameter}']}}}}"


def parameters_in(*templates: Template) -> Iterator[str]:
    """Yield the parameters in texts; one may come twice."""
    for template in templates:
        yield from (part.parameter for part in template if isinstance(part, ValueOf))


def artifact(kind: OutputKind) -> Value:
    """Declare an artifact."""
    return {"artifactType": {"schemaTitle": ARTIFACTS[kind], "schemaVersion": "0.0.1"}}


def artifact_key(source: StepOutput) -> str:
    """Name a step's output where it comes into a gate from outside; neither name has two hyphens in a row."""
    return f"{source.step}--{source.output}"


def typed(parameter: Parameter, *, defaults: bool) -> Value:
    """Declare a parameter."""
    declared: dict[str, Value] = {"parameterType": TYPES[type(parameter.default)]}
    if defaults:
        declared |= {"defaultValue": _number(parameter.default), "isOptional": True}
    return declared


def _number(value: Value) -> Value:
    """A schedule's answer says 2 for 2.0, and the provider compares the texts."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def definitions(
    *, parameters: Mapping[str, Value], artifacts: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """Declare what a component takes; nothing where it takes nothing."""
    found = given(parameters, artifacts or {})
    return {"inputDefinitions": found} if found else {}


def given(parameters: Mapping[str, Value], artifacts: Mapping[str, Value]) -> dict[str, Value]:
    """Write what a task is given, or a component declares; what is empty is left out."""
    both = {"parameters": parameters, "artifacts": artifacts}
    return {name: values for name, values in both.items() if values}


@dataclass(frozen=True, slots=True)
class Levels:
    """A definition in levels: the top, and behind each gate one of its own, into which outputs of others are brought.

    ``as_text`` follows an output's name where its metrics are handed on as a value.
    """

    definition: PipelineDefinition
    chains: Mapping[str, Chain]
    as_text: str = ""

    def inside(self, chain: Chain) -> list[Step]:
        """The steps behind these gates, and behind more."""
        return [step for step in self.definition.steps if self.chains[step.name][: len(chain)] == chain]

    def kind(self, source: StepOutput) -> OutputKind:
        """What an output holds."""
        action = next(step.action for step in self.definition.steps if step.name == source.step)
        return action.outputs[source.output].kind if isinstance(action, Run) else "folder"

    def parameters(self, *, defaults: bool = False) -> dict[str, Value]:
        """Declare the definition's parameters."""
        return {it.name: typed(it, defaults=defaults) for it in self.definition.parameters}

    def from_outside(self, sources: Sequence[StepOutput], chain: Chain) -> dict[str, StepOutput]:
        """The outputs among these that are not written behind these gates, by the name that they come in by."""
        return {
            artifact_key(source): source
            for source in sources
            if self.chains[source.step][: len(chain)] != chain
        }

    def reports(self, inside: Sequence[Step], chain: Chain) -> dict[str, StepOutput]:
        """The metrics that gates further inside compare, and that steps outside wrote."""
        read = [
            StepOutput(step=step.gate.step, output=step.gate.output)
            for step in inside
            if step.gate is not None and self.chains[step.name] != chain
        ]
        return self.from_outside(read, chain)

    def report(self, source: StepOutput, level: Chain) -> dict[str, Value]:
        """A step's metrics as a value: from the step beside, or brought in through the gates around."""
        if self.chains[source.step] == level:
            key = f"{source.output}{self.as_text}"
            return {"taskOutputParameter": {"producerTask": source.step, "outputParameterKey": key}}
        return {"componentInputParameter": artifact_key(source)}

    def artifact(self, source: StepOutput, level: Chain) -> Value:
        """A step's output as an artifact: from the step beside, or brought in through the gates around."""
        if self.chains[source.step] == level:
            return {"taskOutputArtifact": {"producerTask": source.step, "outputArtifactKey": source.output}}
        return {"componentInputArtifact": artifact_key(source)}

    def bound_type(self, gate: Gate) -> dict[str, Value]:
        """Declare the parameter that a gate compares with, if it does."""
        if not isinstance(gate.bound, ValueOf):
            return {}
        bound = gate.bound.parameter
        found = next(it for it in self.definition.parameters if it.name == bound)
        return {BOUND: {"parameterType": TYPES[type(found.default)]}}
