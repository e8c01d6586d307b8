"""Rules over more than one key of a pipeline definition, and what it names of the spec.

Reports findings at their place in the definition's file. May not repeat what a kind checks, and may not know a cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from scaffolder.pipelines.model import PipelineSpec, StepSpec
from scaffolder.pipelines.words import placeholders
from scaffolder.spec.model import PlatformSpec
from scaffolder.spec.nodes import Path, Report, Tree, mark_of, nearest, quoted
from scaffolder.spec.scalars import own_repository

__all__ = ["RESERVED_INPUTS", "check_against_spec", "check_code", "check_definition", "in_order"]

RESERVED_INPUTS = ("code",)
RUN_KEYS = (
    *("kind", "image", "code", "command", "environment", "inputs", "outputs", "instance", "instances"),
    *("volume_gb", "timeout", "spot", "cache"),
)
PLATFORM_BUCKETS = ("data", "artifacts")
LOGS_BUCKET = "logs"
"""Takes what services write, and is no place for jobs."""
INTERPRETERS = ("bash", "python", "python3", "sh")
SCRIPTS = (".py", ".sh")
TRAINING_OUTPUT = "a training step has exactly one output, of kind model"


@dataclass(frozen=True, slots=True)
class _Checked:
    """A definition, its tree, and where to report."""

    spec: PipelineSpec
    tree: Tree
    report: Report

    def tell(self, path: Path, code: str, message: str, hint: str = "") -> None:
        self.report.add(mark_of(self.tree, path), code, path, f"{_dotted(path)} {message}", hint)

    def has(self, *path: str) -> bool:
        node: object = self.tree
        for part in path:
            if not isinstance(node, Tree) or part not in node.entries:
                return False
            node = node.entries[part].value
        return True


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def check_definition(spec: PipelineSpec, tree: Tree, report: Report) -> None:
    """Report what a definition has that does not fit together."""
    checked = _Checked(spec, tree, report)
    for name, step in spec.steps.items():
        _does_one_thing(checked, name, step)
        _kind_is_kept(checked, name, step)
        _words_are_known(checked, name, step)
        _takes_what_is_there(checked, name, step)
        _gate_is_whole(checked, name, step)
    _defaults_are_used(checked)
    _has_an_order(checked)


def _defaults_are_used(checked: _Checked) -> None:
    steps = checked.spec.steps.values()
    images = [step.register.image if step.register else step.image for step in steps]
    if checked.spec.image is not None and None not in images:
        checked.tell(("image",), "no-effect", "changes nothing: every step names its own", "Remove it.")
    takes_code = any(step.command and step.code is None for step in steps)
    if checked.spec.code is not None and not takes_code:
        checked.tell(("code",), "no-effect", "changes nothing: no step's command runs in it", "Remove it.")


def _does_one_thing(checked: _Checked, name: str, step: StepSpec) -> None:
    path = ("steps", name)
    if step.register is None and not step.command and step.image is None:
        checked.tell(path, "step", "does nothing: it needs a command, an image of its own, or register")
    elif step.register is not None:
        for key in RUN_KEYS:
            if checked.has("steps", name, key):
                checked.tell((*path, key), "no-effect", "changes nothing beside register", "Remove it.")


def _kind_is_kept(checked: _Checked, name: str, step: StepSpec) -> None:
    path = ("steps", name)
    if step.register is not None:
        return
    if step.kind == "training" and list(step.outputs.values()) != ["model"]:
        checked.tell((*path, "outputs"), "training-outputs", f"does not fit: {TRAINING_OUTPUT}")
    if step.kind != "training" and step.spot:
        checked.tell(
            (*path, "spot"),
            "no-effect",
            "changes nothing with kind job",
            "Set kind to training, or remove it.",
        )
    if not step.command and checked.has("steps", name, "code"):
        checked.tell((*path, "code"), "no-effect", "changes nothing without a command", "Remove it.")
    for reserved in RESERVED_INPUTS:
        if reserved in step.inputs:
            checked.tell(
                (*path, "inputs", reserved),
                "reserved-name",
                "is the code folder's own place",
                "Rename the input.",
            )


def _words_are_known(checked: _Checked, name: str, step: StepSpec) -> None:
    texts: dict[Path, str] = {("steps", name, "command", i): word for i, word in enumerate(step.command)}
    texts |= {("steps", name, "environment", key): value for key, value in step.environment.items()}
    known = {
        "params": checked.spec.parameters,
        "inputs": step.inputs,
        "outputs": step.outputs,
    }
    for path, text in texts.items():
        _placeholders_are_known(checked, path, text, known)
    places = {("steps", name, "inputs", key): source for key, source in step.inputs.items()}
    places |= {("steps", name, "outputs", key): place for key, place in step.outputs.items()}
    for path, place in places.items():
        if ":" in place:
            _placeholders_are_known(checked, path, place, {"params": checked.spec.parameters})


def _placeholders_are_known(
    checked: _Checked, path: Path, text: str, known: Mapping[str, Iterable[str]]
) -> None:
    for kind, word in placeholders(text):
        if kind not in known:
            choices = ", ".join(f"{{{name}.…}}" for name in known)
            checked.tell(
                path, "placeholder", f"has {{{kind}.{word}}}; there is {choices}", nearest(kind, known)
            )
        elif word not in known[kind]:
            names = ", ".join(known[kind]) or "none"
            checked.tell(
                path,
                "placeholder",
                f"has {{{kind}.{word}}}, which is not there; {kind} are {names}",
                nearest(word, known[kind]),
            )


def _takes_what_is_there(checked: _Checked, name: str, step: StepSpec) -> None:
    path = ("steps", name)
    for key, source in step.inputs.items():
        if ":" not in source:
            _output_is_there(checked, (*path, "inputs", key), source)
    if step.register is not None:
        _output_is_there(checked, (*path, "register", "artifact"), step.register.artifact, "model")
        if step.register.metrics is not None:
            _output_is_there(checked, (*path, "register", "metrics"), step.register.metrics, "metrics")
    for number, other in enumerate(step.after):
        if other not in checked.spec.steps:
            checked.tell(
                (*path, "after", number),
                "unknown-step",
                f"{quoted(other)} is not one of steps",
                nearest(other, checked.spec.steps),
            )


def _output_is_there(checked: _Checked, path: Path, output: str, kind: str = "") -> None:
    step, _, name = output.partition(".")
    steps = checked.spec.steps
    if step not in steps:
        checked.tell(path, "unknown-step", f"{quoted(step)} is not one of steps", nearest(step, steps))
    elif name not in steps[step].outputs:
        outputs = steps[step].outputs
        has = ", ".join(outputs) or "none"
        checked.tell(
            path,
            "unknown-output",
            f"{quoted(name)} is not an output of step {step}; it has {has}",
            nearest(name, outputs),
        )
    elif kind and steps[step].outputs[name] != kind:
        found = steps[step].outputs[name]
        checked.tell(path, "output-kind", f"{quoted(output)} is of kind {found}, and must be of kind {kind}")


def _gate_is_whole(checked: _Checked, name: str, step: StepSpec) -> None:
    gate = step.when
    if gate is None:
        return
    path = ("steps", name, "when")
    _output_is_there(checked, (*path, "metric"), gate.metric.rpartition(".")[0], "metrics")
    if (gate.at_least is None) == (gate.at_most is None):
        checked.tell(path, "gate", "needs one of at_least and at_most, and not both")
    for key, bound in (("at_least", gate.at_least), ("at_most", gate.at_most)):
        if isinstance(bound, str):
            _placeholders_are_known(checked, (*path, key), bound, {"params": checked.spec.parameters})
            default = checked.spec.parameters.get(bound[len("{params.") : -1])
            if default is not None and (isinstance(default, bool | str)):
                checked.tell((*path, key), "gate", f"{bound} is not a number")


def _needed(step: StepSpec) -> Iterator[str]:
    yield from step.after
    yield from (source.partition(".")[0] for source in step.inputs.values() if ":" not in source)
    if step.when is not None:
        yield step.when.metric.partition(".")[0]
    if step.register is not None:
        yield step.register.artifact.partition(".")[0]
        if step.register.metrics is not None:
            yield step.register.metrics.partition(".")[0]


def in_order(spec: PipelineSpec) -> tuple[str, ...]:
    """Sort the steps so that each comes after what it needs, in the file's order where it is free.

    Steps that wait for each other, and those after them, are left out.
    """
    needs = _needs(spec)
    done: list[str] = []
    while True:
        ready = next((name for name in needs if name not in done and needs[name] <= set(done)), None)
        if ready is None:
            return tuple(done)
        done.append(ready)


def _needs(spec: PipelineSpec) -> dict[str, set[str]]:
    return {
        name: {other for other in _needed(step) if other in spec.steps} for name, step in spec.steps.items()
    }


def _has_an_order(checked: _Checked) -> None:
    try:
        TopologicalSorter(_needs(checked.spec)).prepare()
    except CycleError as error:
        # Each waits for the one before it in the sorter's list; the first is also the last.
        names = [str(name) for name in reversed(error.args[1])]
        start = min(range(len(names) - 1), key=lambda place: [*checked.spec.steps].index(names[place]))
        around = [*names[start:-1], *names[: start + 1]]
        checked.tell(("steps", around[0]), "cycle", f"can never start: {' waits for '.join(around)}")


def check_code(spec: PipelineSpec, tree: Tree, files: Mapping[str, Iterable[str]], report: Report) -> None:
    """Warn of commands that run a script which their code folder does not have; ``files`` are the folders' files."""
    for name, step in spec.steps.items():
        folder = step.code or spec.code or ""
        if folder not in files or len(step.command) < 2 or step.command[0] not in INTERPRETERS:
            continue
        script = step.command[1]
        if script.endswith(SCRIPTS) and not script.startswith("/") and script not in files[folder]:
            path = ("steps", name, "command", 1)
            report.add(
                mark_of(tree, path),
                "missing-script",
                path,
                f"{_dotted(path)} {quoted(script)} is not in {folder}",
                nearest(script, files[folder]),
                warning=True,
            )


def check_against_spec(definition: PipelineSpec, tree: Tree, platform: PlatformSpec, report: Report) -> None:
    """Report what a definition names and the spec does not have: buckets, repositories, models."""
    checked = _Checked(definition, tree, report)
    _image_is_there(checked, ("image",), definition.image, platform)
    buckets = {*PLATFORM_BUCKETS, *platform.storage.buckets} - {LOGS_BUCKET}
    for name, step in definition.steps.items():
        _image_is_there(checked, ("steps", name, "image"), step.image, platform)
        for side, places in (("inputs", step.inputs), ("outputs", step.outputs)):
            for key, place in places.items():
                _bucket_is_there(checked, ("steps", name, side, key), place, buckets)
        if step.register is not None:
            path = ("steps", name, "register")
            _image_is_there(checked, (*path, "image"), step.register.image, platform)
            if step.register.model not in platform.models:
                has = ", ".join(platform.models) or "none"
                checked.tell(
                    (*path, "model"),
                    "unknown-model",
                    f"{quoted(step.register.model)} is not one of the spec's models: {has}",
                    nearest(step.register.model, platform.models),
                )


def _bucket_is_there(checked: _Checked, path: Path, place: str, buckets: Iterable[str]) -> None:
    bucket, colon, _ = place.partition(":")
    if colon and bucket not in buckets:
        message = f"{quoted(bucket)} is not a bucket of the spec, which has {', '.join(sorted(buckets))}"
        checked.tell(path, "unknown-bucket", message, nearest(bucket, buckets))


def _image_is_there(checked: _Checked, path: Path, image: str | None, platform: PlatformSpec) -> None:
    repository = own_repository(image or "")
    if repository and repository not in platform.containers.repositories:
        has = ", ".join(platform.containers.repositories) or "none"
        checked.tell(
            path,
            "unknown-repository",
            f"{quoted(repository)} is not one of containers.repositories: {has}",
            nearest(repository, platform.containers.repositories),
        )
