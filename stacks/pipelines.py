"""A pipeline in words that no cloud owns: parameters, and steps that run commands, register models and wait for gates.

Frozen values that each cloud turns into its own pipeline. May not know YAML, a file's place or a cloud.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stacks.record import record

__all__ = [
    "METRICS_FILE",
    "BucketPath",
    "CodeFolder",
    "Gate",
    "Input",
    "Output",
    "OutputKind",
    "Parameter",
    "PathOf",
    "PipelineDefinition",
    "Register",
    "Run",
    "Step",
    "StepOutput",
    "Template",
    "UriOf",
    "ValueOf",
    "chains_of",
    "parted",
    "sources",
]

METRICS_FILE = "metrics.json"
"""The file, a flat JSON object of numbers, that a step writes into its output of kind metrics."""

OutputKind: TypeAlias = Literal["folder", "model", "metrics"]


@dataclass(frozen=True, slots=True)
class ValueOf:
    """The value of a parameter, at the run: ``{params.depth}``."""

    parameter: str


@dataclass(frozen=True, slots=True)
class PathOf:
    """The folder of a step's own input or output, inside its container: ``{inputs.raw}``."""

    side: Literal["inputs", "outputs"]
    name: str


@dataclass(frozen=True, slots=True)
class UriOf:
    """The address of a place in one of the platform's buckets, for a program that reads and writes it by itself."""

    bucket: str
    path: str


Template: TypeAlias = tuple["str | ValueOf | PathOf | UriOf", ...]
"""A text with placeholders; empty is the empty text."""


@record
class Parameter:
    """A value that each run may set; its type is the default's."""

    name: str
    default: str | int | float | bool


@record
class StepOutput:
    """What an earlier step wrote."""

    step: str
    output: str


@record
class BucketPath:
    """What is below a path of one of the platform's buckets; a path has values of parameters only."""

    bucket: str
    path: Template


Input: TypeAlias = StepOutput | BucketPath


@record
class Output:
    """A folder that a step writes; without a ``place`` it is kept apart for each run."""

    kind: OutputKind
    place: BucketPath | None


@record
class CodeFolder:
    """The files that a step's command runs with, by their path below the folder; ``digest`` is theirs together."""

    path: str
    files: Mapping[str, str]
    digest: str


@record
class Gate:
    """A condition on a number that an earlier step wrote to its metrics; the step and all after it wait for it.

    ``bound`` is a number, or a parameter's value. Where it is not met, the rest is left out, or the run fails.
    """

    step: str
    output: str
    metric: str
    comparison: Literal["at_least", "at_most"]
    bound: float | ValueOf
    otherwise: Literal["skip", "fail"]


@record
class Run:
    """A command in a container. ``training`` runs may use spot machines and resume from checkpoints.

    ``instance`` is ``None`` for the pipeline's own; ``cache_s`` is ``None`` when every run computes anew.
    """

    kind: Literal["job", "training"]
    image: str
    command: tuple[Template, ...]
    environment: Mapping[str, Template]
    code: str | None
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    instance: str | None
    instances: int
    volume_gb: int
    timeout_s: int
    cache_s: int | None
    spot: bool


@record
class Register:
    """A new version of a model, from a step's output of kind model."""

    model: str
    source: StepOutput
    image: str
    content_type: str
    metrics: StepOutput | None


@record
class Step:
    """One step; ``after`` are steps to wait for beyond those whose outputs it takes."""

    name: str
    action: Run | Register
    after: tuple[str, ...]
    gate: Gate | None
    retries: int


@record
class PipelineDefinition:
    """A pipeline's steps in an order in which each comes after what it needs; ``code`` are its folders by path."""

    description: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    code: Mapping[str, CodeFolder]


def sources(step: Step) -> Iterator[str]:
    """Yield the names of the steps that a step comes after, by whatever it says; a name may come twice."""
    yield from step.after
    if step.gate is not None:
        yield step.gate.step
    match step.action:
        case Run(inputs=inputs):
            yield from (source.step for source in inputs.values() if isinstance(source, StepOutput))
        case Register(source=source, metrics=metrics):
            yield source.step
            if metrics is not None:
                yield metrics.step


def chains_of(definition: PipelineDefinition) -> Mapping[str, tuple[str, ...]]:
    """The gates that each step stands behind, from the outermost, by the names of their steps; its own is the last."""
    chains: dict[str, tuple[str, ...]] = {}
    for step in definition.steps:
        outer = max((chains[source] for source in sources(step)), key=len, default=())
        chains[step.name] = (*outer, step.name) if step.gate is not None else outer
    return chains


def parted(step: Step, chains: Mapping[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """Two gates that a step waits for and of which neither is inside the other: where gates nest, nothing joins them."""
    waited = [chains[source] for source in sources(step)]
    deepest = max(waited, key=len, default=())
    apart = next((chain for chain in waited if deepest[: len(chain)] != chain), None)
    return None if apart is None else (apart[-1], deepest[-1])
