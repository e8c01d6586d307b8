"""The vocabulary of a pipeline definition: every key, its type, its default and its sentence of documentation.

Written with the kinds of the spec's vocabulary. May not know a cloud, a file or what a spec says.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.spec.fields import (
    Boolean,
    Choice,
    Duration,
    Each,
    Either,
    Instance,
    Integer,
    Number,
    RelativePath,
    Section,
    Str,
    Table,
    key,
)
from scaffolder.spec.model import IMAGE
from scaffolder.spec.model import NAME as SPEC_NAME
from stacks.record import record

__all__ = ["GateSpec", "PipelineSpec", "RegisterSpec", "StepSpec"]

STEP = Str(
    pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", minimum=1, maximum=40, says="lower-case words joined by hyphens"
)
IDENTIFIER = Str(pattern=r"[a-z][a-z0-9_]*", minimum=1, maximum=40, says="a lower-case identifier")
VARIABLE = Str(pattern=r"[A-Za-z_][A-Za-z0-9_]*", minimum=1, maximum=100, says="a variable's name")
WORD = Str(minimum=1, maximum=256, says="a word of a command")
OUTPUT = Str(
    pattern=r"[a-z][a-z0-9-]*\.[a-z][a-z0-9_]*", minimum=3, maximum=81, says="STEP.OUTPUT of an earlier step"
)
SOURCE = Str(
    pattern=r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9_]*|:[A-Za-z0-9._=/{}-]*)",
    minimum=3,
    maximum=400,
    says="STEP.OUTPUT of an earlier step, or BUCKET:PATH",
)
PLACE = Str(pattern=r"[a-z][a-z0-9-]*:[A-Za-z0-9._=/{}-]+", minimum=3, maximum=400, says="BUCKET:PATH")
BOUND = Str(pattern=r"\{params\.[a-z][a-z0-9_]*\}", minimum=10, maximum=60, says="a parameter: {params.NAME}")


@record
class GateSpec:
    """A condition on a number that an earlier step wrote; the step, and all that take from it, wait for it."""

    metric: str = key(
        Str(
            pattern=r"[a-z][a-z0-9-]*\.[a-z][a-z0-9_]*\.[A-Za-z][A-Za-z0-9_-]*",
            minimum=5,
            maximum=150,
            says="STEP.OUTPUT.NAME: a number in that output's metrics.json",
        ),
        "The number: a step, its output of kind metrics, and the name in that output's metrics.json.",
        required=True,
    )
    at_least: float | str | None = key(
        Either(Number(minimum=-1e12, maximum=1e12), BOUND), "Go on from this number up.", default=None
    )
    at_most: float | str | None = key(
        Either(Number(minimum=-1e12, maximum=1e12), BOUND), "Go on up to this number.", default=None
    )
    otherwise: str = key(
        Choice("skip", "fail"),
        "What the run does where it is not met: end without the rest, or fail.",
        default="skip",
    )


@record
class RegisterSpec:
    """A new version of a model in the registry."""

    model: str = key(SPEC_NAME, "The model, one of the spec's models.", required=True)
    artifact: str = key(OUTPUT, "The model's files: an earlier step's output of kind model.", required=True)
    image: str | None = key(IMAGE, "The image that serves it; the pipeline's, when left out.", default=None)
    content_type: str = key(
        Str(pattern=r"[a-z0-9.+-]+/[A-Za-z0-9.+-]+", minimum=3, maximum=100, says="a media type"),
        "What the model reads and writes.",
        default="text/csv",
    )
    metrics: str | None = key(
        OUTPUT, "The quality report: an earlier step's output of kind metrics.", default=None
    )


@record
class StepSpec:
    """A step: it runs a command in a container, or registers a model."""

    kind: str = key(
        Choice("job", "training"),
        "job: any command. training: the cloud's training service, with spot machines; one output, of kind model.",
        default="job",
    )
    image: str | None = key(IMAGE, "The container image; the pipeline's, when left out.", default=None)
    code: str | None = key(
        RelativePath(),
        "The folder that the command runs in; the pipeline's, when left out. drift, where the project has no such folder, "
        "is Scaffolder's own: python -m drift baseline makes what monitors compare with.",
        default=None,
    )
    command: tuple[str, ...] = key(
        Each(WORD, maximum=90),
        "The command's words. {params.NAME} is a parameter's value, {inputs.NAME} and {outputs.NAME} are folders. "
        "Left out beside the step's own image, that image's entry point runs.",
        default=(),
    )
    environment: Mapping[str, str] = key(
        Table(VARIABLE, Str(maximum=256, says="a value")), "Environment variables.", default={}
    )
    inputs: Mapping[str, str] = key(
        Table(IDENTIFIER, SOURCE, maximum=18),
        "Folders to read, by name: an earlier step's output (STEP.OUTPUT), or what is in a bucket (BUCKET:PATH).",
        default={},
    )
    outputs: Mapping[str, str] = key(
        Table(IDENTIFIER, Either(PLACE, Choice("folder", "model", "metrics")), maximum=10),
        "Folders to write, by name, and what they hold: folder, model or metrics, kept apart for each run; or "
        "BUCKET:PATH, a folder at a place of its own that each run overwrites.",
        default={},
    )
    instance: str | None = key(
        Instance(), "The size of the machine; the spec's, when left out.", default=None
    )
    instances: int = key(Integer(minimum=1, maximum=100), "How many machines.", default=1)
    volume_gb: int = key(Integer(minimum=1, maximum=16384), "The disk of each machine.", default=30)
    timeout: str = key(
        Duration(shortest_s=60, longest_s=432000), "Stop the step after so long.", default="4h"
    )
    spot: bool = key(
        Boolean(), "Spare machines that the cloud may take back; with kind training.", default=False
    )
    cache: str | None = key(
        Duration(shortest_s=3600, longest_s=31536000),
        "Take over the result of an equal step that is no older; compute each time, when left out.",
        default=None,
    )
    retries: int = key(Integer(minimum=0, maximum=10), "Try again so often when the cloud fails.", default=0)
    after: tuple[str, ...] = key(
        Each(STEP, maximum=50, unique=True), "Steps to wait for, beyond those it takes from.", default=()
    )
    when: GateSpec | None = key(Section(GateSpec), "A condition to go on.", default=None)
    register: RegisterSpec | None = key(
        Section(RegisterSpec), "Register a model, instead of a command.", default=None
    )


@record
class PipelineSpec:
    """A pipeline: its steps, run in the order of what they take from each other."""

    version: int = key(Integer(minimum=1, maximum=1), "The vocabulary's version.", required=True)
    description: str = key(
        Str(minimum=0, maximum=1000, says="a sentence"), "What it does, for people.", default=""
    )
    image: str | None = key(
        IMAGE,
        "The container image of steps that name none: one of containers.repositories with its tag, or a whole address.",
        default=None,
    )
    code: str | None = key(
        RelativePath(),
        "The folder of text files, relative to the spec, that the commands of steps run in; none, when images hold it.",
        default=None,
    )
    parameters: Mapping[str, str | int | float | bool] = key(
        Table(
            IDENTIFIER,
            Either(
                Boolean(),
                Integer(),
                Number(minimum=-1e15, maximum=1e15),
                Str(minimum=0, maximum=1000, says="a text"),
            ),
            maximum=100,
        ),
        "Values that each run may set, with their defaults, whose types are theirs.",
        default={},
    )
    steps: Mapping[str, StepSpec] = key(
        Table(STEP, Section(StepSpec), minimum=1, maximum=50), "The steps.", required=True
    )
