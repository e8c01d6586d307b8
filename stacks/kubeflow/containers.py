"""Steps of a pipeline as containers that the launcher of Kubeflow Pipelines runs: a command, a record, and a refusal.

Pure. May not know the order of steps, nor gates. Needs ``sh`` in a step's image, and ``base64`` and ``tar`` where the step
has code.
"""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stacks.graph import Value
from stacks.intents import TrainingPipeline
from stacks.kfp import value_of
from stacks.kubeflow.cluster import Cluster, size_of
from stacks.pipelines import (
    METRICS_FILE,
    BucketPath,
    CodeFolder,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    StepOutput,
    Template,
    UriOf,
    ValueOf,
)

__all__ = [
    "AS_TEXT",
    "RECORD",
    "RECORD_FILE",
    "RUN_ID",
    "Containers",
    "imported",
    "importer",
    "packed",
]

AS_TEXT = "-text"
"""Metrics are an artifact, and where a gate reads them a parameter too, by another name: kfp has one list of both."""

RUN_ID = "run-id"
RECORD, RECORD_FILE = "record", "record.json"

IN_CODE = f"""\
code=$1 reports=$2; shift 2
while [ "$1" != -- ]; do mkdir -p "$1" || exit; shift; done
shift
if [ -n "$code" ]; then
  place=`mktemp -d` && printf %s "$code" | base64 -d | tar -xf - -C "$place" && cd "$place" || exit
fi
"$@" || exit
set -- $reports
while [ $# -gt 1 ]; do cp "$1/{METRICS_FILE}" "$2" || exit; shift 2; done
"""
"""Run by ``sh -c``: makes the folders, runs the command among the code, hands metrics to the pipeline."""

KEEPS = f"""\
mkdir -p "$2" "$3" && cp -R "$1/." "$2/" && printf '%s\\n' "$4" > "$3/{RECORD_FILE}" || exit
if [ -n "$5" ]; then cp "$5/{METRICS_FILE}" "$3/{METRICS_FILE}"; fi
"""
"""Run by ``sh -c``: a model's files and what they are, as two artifacts of the run."""

REFUSES = """echo "$0" >&2; exit 1"""


def packed(folder: CodeFolder) -> str:
    """A code folder as a text that travels in a command: the same files, the same text."""
    stream = io.BytesIO()
    # Not compressed: two builds of zlib may make other bytes of the same files.
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(folder.files.items()):
            data = content.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return base64.b64encode(stream.getvalue()).decode()


def imported(place: BucketPath) -> tuple[str, Template]:
    """Part a place into the folder that is the same in every run, and the rest, which is below it."""
    fixed = place.path[0] if place.path and isinstance(place.path[0], str) else ""
    if len(place.path) <= 1 and not any(isinstance(part, ValueOf) for part in place.path):
        return fixed.strip("/"), ()
    folder, _, rest = fixed.rpartition("/")
    return folder.strip("/"), (rest, *place.path[1:])


def importer(place: BucketPath, cluster: Cluster) -> str:
    """The address that is imported for a place."""
    return f"{cluster.buckets[place.bucket]}/{imported(place)[0]}"


def _literal(part: str) -> str:
    """Keep Kubernetes from reading ``$(NAME)`` in a word, of which it makes a variable's value, and one ``$`` of two."""
    return re.sub(r"\$(?=[$(]|\Z)", "$$", part)


@dataclass(frozen=True, slots=True)
class Containers:
    """Writes the containers of one pipeline; ``compared`` are the outputs that gates read."""

    intent: TrainingPipeline
    definition: PipelineDefinition
    cluster: Cluster
    compared: frozenset[tuple[str, str]]

    def command(self, step: str, run: Run) -> Value:
        """A step's own command in its own image."""
        words = [self._word(word, run) for word in run.command]
        fixed = {name: value for name, value in run.environment.items() if not _varies(value)}
        changing = {name: value for name, value in run.environment.items() if _varies(value)}
        folders = [*self._folders(run)]
        if folders or changing or run.code is not None or _varies(run.command[0]):
            # Neither driver nor launcher fills placeholders in a container's environment, nor in its first word.
            before = [f"{name}={self._word(value, run)}" for name, value in changing.items()]
            code = packed(self.definition.code[run.code]) if run.code is not None else ""
            start = [code, self._reports(step, run), *folders, "--", *(["env", *before] if before else [])]
            command, arguments = ["sh", "-c", IN_CODE, "sh"], [*start, *words]
        else:
            command, arguments = words[:1], words[1:]
        size = size_of(run.instance or self.intent.instance)
        more: dict[str, Value] = {"resources": size.resources} if size is not None else {}
        if fixed:
            more["env"] = [{"name": name, "value": self._word(value, run)} for name, value in fixed.items()]
        return self._container(run.image, command, arguments) | more

    def registration(self, register: Register) -> Value:
        """A step that keeps a model's files and what they are: plain Kubeflow Pipelines has no registry."""
        record = {
            "content_type": register.content_type,
            "image": self.cluster.image(register.image),
            "model": register.model,
            "pipeline": self.intent.name,
            "run": value_of(RUN_ID),
            "step": register.source.step,
        }
        report = "{{$.inputs.artifacts['metrics'].path}}" if register.metrics is not None else ""
        arguments = ["{{$.inputs.artifacts['source'].path}}", "{{$.outputs.artifacts['model'].path}}"]
        arguments += ["{{$.outputs.artifacts['record'].path}}", json.dumps(record), report]
        return self._container(self.image_behind(register.source.step), ["sh", "-c", KEEPS, "sh"], arguments)

    def refusal(self, step: str, message: str) -> Value:
        """A container that fails and says why, in the image of a step before it."""
        return self._container(self.image_behind(step), ["sh", "-c", REFUSES], [message])

    def image_behind(self, step: str) -> str:
        """The image of a step's command."""
        action = next(it.action for it in self.definition.steps if it.name == step)
        return action.image

    def _container(self, image: str, command: Sequence[str], arguments: Sequence[str]) -> dict[str, Value]:
        found: dict[str, Value] = {"image": self.cluster.image(image), "command": [*command]}
        return found | ({"args": [*arguments]} if arguments else {})

    # --- words and places ---

    def _folders(self, run: Run) -> Iterator[str]:
        """Folders to make: an input that has no files is none in the bucket."""
        for name in run.inputs:
            yield self._input(run, name)
        for name in run.outputs:
            yield _output(name)

    def _reports(self, step: str, run: Run) -> str:
        """Pairs of a folder of metrics and where the pipeline reads them as a value, apart by spaces."""
        pairs = (
            f"{_output(name)} {{{{$.outputs.parameters['{name}{AS_TEXT}'].output_file}}}}"
            for name in run.outputs
            if (step, name) in self.compared
        )
        return " ".join(pairs)

    def _word(self, template: Template, run: Run) -> str:
        words: list[str] = []
        for part in template:
            match part:
                case ValueOf():
                    words.append(value_of(part.parameter))
                case PathOf(side="inputs"):
                    words.append(self._input(run, part.name))
                case PathOf():
                    words.append(_output(part.name))
                case UriOf():
                    words.append(f"{self.cluster.buckets[part.bucket]}/{part.path}")
                case str():
                    words.append(_literal(part))
        return "".join(words)

    def _input(self, run: Run, name: str) -> str:
        source = run.inputs[name]
        path = f"{{{{$.inputs.artifacts['{name}'].path}}}}"
        if isinstance(source, StepOutput):
            return path
        rest = imported(source)[1]
        return f"{path}/{self._word(rest, run)}" if rest else path


def _output(name: str) -> str:
    return f"{{{{$.outputs.artifacts['{name}'].path}}}}"


def _varies(template: Template) -> bool:
    """Whether a text has what only a run knows."""
    return any(isinstance(part, ValueOf | PathOf) for part in template)
