"""One attempt of a step: the folder that it works in, the words of its command, and what its outputs come to.

Knows files; may neither start a process nor decide what runs next.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import Any, assert_never
from uuid import uuid4

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.local.environment import step_variables
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.processes import marks_of
from scaffolder.operations.local.records import Plan, RunFolder, State
from scaffolder.operations.local.trees import (
    BadTreeError,
    digest_of,
    linked_copy,
    remove_tree,
    seal,
    stamp_of,
)
from scaffolder.operations.values import ParameterValue
from stacks.pipelines import (
    METRICS_FILE,
    BucketPath,
    Gate,
    PathOf,
    Register,
    Run,
    StepOutput,
    Template,
    UriOf,
    ValueOf,
)
from stacks.record import record

__all__ = ["Attempt", "Inputs", "StepFailedError", "Steps", "Written", "gate_says", "text_of"]

SERVE = "serve.py"
PYTHONS = frozenset({"python", "python3"})
OUTPUTS = "outputs"
MOST_METRICS_BYTES = 1_000_000


class StepFailedError(Exception):
    """A step cannot begin, or what it wrote cannot be taken."""


@record
class Inputs:
    """What a step reads: where it is, its digests, its name in a bucket, and stamps that tell whether it was touched."""

    paths: Mapping[str, Path] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    uris: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)


@record
class Attempt:
    """A step that can be started: what to call, where and with which variables."""

    folder: Path
    cwd: Path
    command: tuple[str, ...]
    variables: Mapping[str, str]


@record
class Written:
    """What a step wrote: digests by output, and the numbers in outputs of kind metrics."""

    outputs: Mapping[str, str]
    metrics: Mapping[str, Mapping[str, float]]


def text_of(value: ParameterValue) -> str:
    """Write a parameter's value as it stands in a command: as JSON would, texts as they are."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class Steps:
    """The steps of one run, as files."""

    def __init__(self, layout: Layout, folder: RunFolder, plan: Plan) -> None:
        self._layout = layout
        self._folder = folder
        self._plan = plan
        self._values = folder.head().parameters
        self.texts = {name: text_of(value) for name, value in self._values.items()}

    def new_folder(self, step: str) -> Path:
        """Make the folder of a step's next attempt: no attempt sees what another one left."""
        above = self._folder.path / "steps" / step
        above.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(each.name) for each in above.iterdir() if each.name.isdecimal()), default=0)
        folder = above / str(number)
        folder.mkdir()
        return folder

    def output(self, source: StepOutput, state: State) -> Path:
        """Where an earlier step's output is."""
        return self._folder.path / state.steps[source.step].folder / OUTPUTS / source.output

    # --- before ------------------------------------------------------------------------------------------------------

    def inputs(self, run: Run, state: State) -> Inputs:
        """Find what a step reads, and compute the digests of what is in buckets.

        Raises:
            StepFailedError: something is not there, or not what a repeated run has to read.
        """
        paths, digests, uris, stamps = {}, {}, {}, {}
        for name, source in run.inputs.items():
            match source:
                case StepOutput():
                    paths[name] = self.output(source, state)
                    digests[name] = state.steps[source.step].outputs[source.output]
                    stamps[name] = stamp_of(paths[name])
                case BucketPath():
                    uris[name], paths[name] = self._in_bucket(name, source)
                    stamps[name], digests[name] = self._looked_at(name, uris[name], paths[name])
        return Inputs(paths=paths, digests=digests, uris=uris, stamps=stamps)

    def _in_bucket(self, name: str, source: BucketPath) -> tuple[str, Path]:
        text = self._text(source.path)
        uri = f"{source.bucket}:{text}"
        try:
            path = self._layout.bucket_to_read(source.bucket, text)
        except InvalidRequest as refused:
            raise StepFailedError(f"its input {name}: {refused.message}") from refused
        if not path.exists():
            beside = self._layout.folder / source.bucket / text
            raise StepFailedError(f"its input {name}, {uri}, is not there: neither {beside} nor {path}")
        return uri, path

    def _looked_at(self, name: str, uri: str, path: Path) -> tuple[str, str]:
        try:
            stamp, digest = stamp_of(path, follow=True), digest_of(path, follow=True)
        except BadTreeError as bad:
            raise StepFailedError(f"its input {name}, {uri}: {bad}") from bad
        wanted = self._plan.expected.get(uri, digest)
        if digest != wanted:
            raise StepFailedError(
                f"its input {name}, {uri}, is not what {self._plan.repeats} read: {digest}, not {wanted}"
            )
        return stamp, digest

    def prepare(self, step: str, run: Run, inputs: Inputs) -> Attempt:
        """Make the folder of an attempt: a copy of the code, and empty folders for what it writes."""
        folder = self.new_folder(step)
        cwd = folder / "code"
        if run.code is None:
            cwd.mkdir()
        else:
            shutil.copytree(self._folder.path / "code" / run.code, cwd, copy_function=shutil.copyfile)
        for each in ("home", "tmp", OUTPUTS, *(f"{OUTPUTS}/{name}" for name in run.outputs)):
            (folder / each).mkdir()
        paths = {name: self._as_folder(folder, name, path) for name, path in inputs.paths.items()}
        return Attempt(
            folder=folder,
            cwd=cwd,
            command=tuple(self._command(run, folder, paths)),
            variables=self._variables(step, run, folder, paths),
        )

    def _as_folder(self, folder: Path, name: str, path: Path) -> Path:
        """A single file of a bucket is handed over in a folder, as buckets do."""
        if path.is_dir():
            return path
        place = folder / "inputs" / name
        place.mkdir(parents=True)
        (place / path.name).symlink_to(path)
        return place

    def _command(self, run: Run, folder: Path, inputs: Mapping[str, Path]) -> Iterator[str]:
        for number, word in enumerate(run.command):
            text = self._text(word, folder, inputs)
            yield self._plan.interpreter if number == 0 and text in PYTHONS else text

    def _variables(self, step: str, run: Run, folder: Path, inputs: Mapping[str, Path]) -> dict[str, str]:
        import os  # noqa: PLC0415 - the only look at this machine's variables

        return {
            **(os.environ if self._plan.own else self._cleaned(os.environ, folder)),
            **{name: self._text(text, folder, inputs) for name, text in run.environment.items()},
            **marks_of(self._folder.path, step),
        }

    def _cleaned(self, given: Mapping[str, str], folder: Path) -> dict[str, str]:
        own = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
        return {**step_variables(given, self._plan.interpreter), **own}

    def _text(
        self, text: Template, folder: Path | None = None, inputs: Mapping[str, Path] | None = None
    ) -> str:
        """Fill a text in; one of a bucket's path has parameters only."""
        words = []
        for part in text:
            match part:
                case str():
                    words.append(part)
                case ValueOf(parameter):
                    words.append(self.texts[parameter])
                case PathOf("inputs", name):
                    words.append(str((inputs or {})[name]))
                case PathOf(_, name):
                    words.append(str((folder or Path()) / OUTPUTS / name))
                case UriOf(bucket, path):
                    words.append(str(self._layout.bucket_to_read(bucket, path)))
                case _:
                    assert_never(part)
        return "".join(words)

    # --- after -------------------------------------------------------------------------------------------------------

    def written(self, run: Run, folder: Path, inputs: Inputs) -> Written:
        """Take what a step wrote: read-only from now on, with its digests and numbers.

        Raises:
            StepFailedError: it cannot be taken, or the step changed what it reads.
        """
        for name, path in inputs.paths.items():
            if _stamp(path, follow=name in inputs.uris) != inputs.stamps[name]:
                raise StepFailedError(
                    f"it changed its input {name} ({path}), or somebody did meanwhile: inputs are for reading"
                )
        digests, metrics = {}, {}
        for name, output in run.outputs.items():
            path = folder / OUTPUTS / name
            if path.is_symlink() or not path.is_dir():
                raise StepFailedError(f"its output {name} is no folder any more")
            try:
                seal(path)
                digests[name] = digest_of(path)
            except BadTreeError as bad:
                raise StepFailedError(f"its output {name}: {bad}") from bad
            if output.kind == "model" and not any(path.iterdir()):
                raise StepFailedError(f"its output {name} of kind model is empty")
            if output.kind == "metrics":
                metrics[name] = _metrics(path / METRICS_FILE, name)
        return Written(outputs=digests, metrics=metrics)

    def publish(self, run: Run, folder: Path) -> Iterator[str]:
        """Bring outputs with a place of their own there, and yield what a person should know about it."""
        for name, output in run.outputs.items():
            if output.place is None:
                continue
            bucket, text = output.place.bucket, self._text(output.place.path)
            place = self._layout.bucket_to_write(bucket, text)
            half = self._layout.made(self._layout.scratch) / uuid4().hex
            shutil.copytree(folder / OUTPUTS / name, half, symlinks=True)
            for each in half.rglob("*"):
                if each.is_file() and not each.is_symlink():
                    each.chmod(0o644)
            self._layout.made(place.parent)
            self._swap(half, place)
            read = self._layout.bucket_to_read(bucket, text)
            if read != place:
                yield f"output {name} is in {place}, and who reads {bucket}:{text} gets {read}, which is beside the spec"

    def _swap(self, half: Path, place: Path) -> None:
        """Put a folder in another one's place; a reader finds one of the two, or for a moment none."""
        away = self._layout.scratch / uuid4().hex
        while True:
            try:
                half.rename(place)
            except OSError:
                if not place.exists():
                    raise
                place.rename(away)
            else:
                break
        remove_tree(away)

    def make_room(self, folder: Path) -> None:
        """Remove what a step has left in its home and its temporary folder, which may be much."""
        for name in ("home", "tmp"):
            with suppress(FileNotFoundError):
                if any((folder / name).iterdir()):
                    remove_tree(folder / name)

    def tidy(self, state: State) -> None:
        """Remove what attempts worked in, and keep what they wrote. Takes milliseconds each, so nobody waits for it."""
        for step in state.steps.values():
            if step.folder:
                for name in ("code", "home", "tmp", "inputs"):
                    remove_tree(self._folder.path / step.folder / name)

    # --- registering -------------------------------------------------------------------------------------------------

    def artifact(self, register: Register, state: State, folder: Path) -> Path:
        """Bring together what is registered: the model's files, and the code that serves them, where there is some."""
        place = folder / "artifact"
        linked_copy(self.output(register.source, state), place)
        maker = next(step.action for step in self._plan.definition.steps if step.name == register.source.step)
        if isinstance(maker, Run) and maker.code is not None:
            serve = self._folder.path / "code" / maker.code / SERVE
            if serve.is_file() and not (place / SERVE).exists():
                shutil.copyfile(serve, place / SERVE)
        return place


def gate_says(gate: Gate, state: State, values: Mapping[str, ParameterValue]) -> str:
    """Evaluate a gate: empty where it is met, else what is wrong.

    Raises:
        StepFailedError: there is no such number, or the bound is none.
    """
    where = f"{gate.step}.{gate.output}"
    numbers = state.steps[gate.step].metrics.get(gate.output, {})
    if gate.metric not in numbers:
        has = ", ".join(sorted(numbers)) or "nothing"
        raise StepFailedError(f"its gate reads {gate.metric} of {where}, which has {has}")
    bound = values[gate.bound.parameter] if isinstance(gate.bound, ValueOf) else gate.bound
    if isinstance(bound, str | bool):
        raise StepFailedError(f"its gate compares with {bound!r}, which is no number")
    number = numbers[gate.metric]
    if number >= bound if gate.comparison == "at_least" else number <= bound:
        return ""
    return f"{where}.{gate.metric} is {number:g}, and has to be {gate.comparison.replace('_', ' ')} {bound:g}"


def _stamp(path: Path, *, follow: bool) -> str:
    try:
        return stamp_of(path, follow=follow)
    except (OSError, BadTreeError):
        return ""


def _metrics(file: Path, output: str) -> dict[str, float]:
    """Read a step's numbers.

    Raises:
        StepFailedError: they are not there, or not a flat object of finite numbers.
    """
    if not file.is_file():
        raise StepFailedError(
            f"it wrote no {METRICS_FILE} into its output {output}, which is of kind metrics"
        )
    if file.stat().st_size > MOST_METRICS_BYTES:
        raise StepFailedError(
            f"{METRICS_FILE} of its output {output} is larger than {MOST_METRICS_BYTES} bytes"
        )
    try:
        found: Any = json.loads(file.read_bytes())
    except ValueError as bad:
        raise StepFailedError(f"{METRICS_FILE} of its output {output} is no JSON: {bad}") from bad
    if not isinstance(found, dict):
        raise StepFailedError(f"{METRICS_FILE} of its output {output} is no object of numbers by name")
    return {name: _number(name, value, output) for name, value in found.items()}


def _number(name: str, value: object, output: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            if math.isfinite(value):
                return float(value)
    raise StepFailedError(
        f"{METRICS_FILE} of its output {output}: {name} is {value!r:.50}, and has to be a finite number"
    )
