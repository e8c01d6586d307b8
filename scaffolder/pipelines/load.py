"""From the files that ``pipelines.*.definition`` names to pipelines, with every finding at its place in its file.

What is not there yet (the definition, its code folder, an image) is no finding: the pipeline is planned, and says what
it lacks. Reads below the spec's folder and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path as File

from scaffolder.errors import Finding
from scaffolder.pipelines import Lacking
from scaffolder.pipelines.model import PipelineSpec, RegisterSpec, StepSpec
from scaffolder.pipelines.rules import check_against_spec, check_code, check_definition, in_order
from scaffolder.pipelines.words import template_of
from scaffolder.spec.fields import Section, read
from scaffolder.spec.load import EnvironmentSpec, LoadedSpec
from scaffolder.spec.nodes import Mark, Report, Tree, mark_of, nearest
from scaffolder.spec.rules import TAKE_AWAY, Written
from scaffolder.spec.scalars import seconds_of
from scaffolder.spec.secrets import secret_in
from scaffolder.spec.source import read_source
from stacks.pipelines import (
    BucketPath,
    CodeFolder,
    Gate,
    Input,
    Output,
    OutputKind,
    Parameter,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    ValueOf,
)
from stacks.record import record

__all__ = ["DefinitionFile", "Definitions", "code_folders_of", "digest_of", "load_definitions"]

DRIFT = "drift"
"""The code folder that is Scaffolder's own, where the project has none of the name."""

ROOT = Section(PipelineSpec)
SKIPPED_FOLDERS = ("__pycache__", "node_modules")
SKIPPED_SUFFIXES = (".pyc", ".pyo")
MOST_FILES = 200
MOST_BYTES = 1024 * 1024
"""Code travels as objects that Terraform writes, and is part of its state; more belongs into an image."""


@record
class DefinitionFile:
    """A definition's file as it is written; ``name`` is what findings call it."""

    name: str
    spec: PipelineSpec
    tree: Tree


@record
class Definitions:
    """The pipelines of each environment by name, and what is wrong in their files.

    ``files`` are those whose structure could be read, by the paths that the spec names them by.
    """

    by_environment: Mapping[str, Mapping[str, PipelineDefinition | Lacking]]
    findings: tuple[Finding, ...]
    files: Mapping[str, DefinitionFile]


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A file that was read: ``spec`` is ``None`` when its structure has findings, ``sound`` when nothing has."""

    name: str
    spec: PipelineSpec | None
    tree: Tree | None
    sound: bool


def load_definitions(
    loaded: LoadedSpec, beside: File | None = None, *, images_needed: bool = True
) -> Definitions:
    """Read every definition that the environments name, each file once.

    They are beside the spec's file, or in the folder ``beside``; findings name them as beside the spec. Without
    ``images_needed`` a step that has no image lacks nothing: for those who run its command as it is.
    """
    shown = File(loaded.file).parent
    folder = shown if beside is None else beside
    findings: list[Finding] = []
    parsed: dict[str, _Parsed | Lacking] = {}
    code: dict[str, CodeFolder | Lacking | None] = {}
    by_environment: dict[str, dict[str, PipelineDefinition | Lacking]] = {}
    for environment in loaded.environments:
        found = by_environment.setdefault(environment.name, {})
        for name, pipeline in environment.spec.pipelines.items():
            file = pipeline.definition
            if file not in parsed:
                parsed[file] = _parse(folder, file, shown, findings)
            one = parsed[file]
            if isinstance(one, Lacking):
                found[name] = one
                continue
            if one.spec is None or one.tree is None:
                continue
            report = Report(one.name, "the pipeline")
            check_against_spec(one.spec, one.tree, environment.spec, report)
            for wanted in _code_folders(one.spec):
                if wanted not in code:
                    code[wanted] = _read_code(folder, wanted, one, findings)
            broken = bool(report.findings) or not one.sound
            there = {folder: each.files for folder, each in code.items() if isinstance(each, CodeFolder)}
            check_code(one.spec, one.tree, there, report)
            findings += report.findings
            if Written(environment.spec, environment.tree).has("pipelines", name, "instance"):
                findings += _idle_instance(loaded.file, environment, name, one.spec)
            if not broken and all(code[wanted] for wanted in _code_folders(one.spec)):
                found[name] = _pipeline(one.spec, code, images_needed=images_needed)
    files = {
        file: DefinitionFile(name=one.name, spec=one.spec, tree=one.tree)
        for file, one in parsed.items()
        if isinstance(one, _Parsed) and one.spec is not None and one.tree is not None
    }
    return Definitions(by_environment=by_environment, findings=tuple(dict.fromkeys(findings)), files=files)


def _idle_instance(
    file: str, environment: EnvironmentSpec, name: str, spec: PipelineSpec
) -> Iterator[Finding]:
    """The spec's size for a pipeline's machines means nothing where every step names its own."""
    runs = [step for step in spec.steps.values() if step.register is None]
    if all(step.instance is not None for step in runs):
        path = ("pipelines", name, "instance")
        report = Report(file)
        message = f"{'.'.join(path)} changes nothing: every step of its definition names its own"
        report.add(mark_of(environment.tree, path), "no-effect", path, message, TAKE_AWAY, warning=True)
        yield from report.findings


def code_folders_of(folder: File, file: str) -> tuple[str, ...]:
    """The code folders that a definition names; none where it cannot be read."""
    parsed = _parse(folder, file, folder, [])
    return () if isinstance(parsed, Lacking) or parsed.spec is None else tuple(_code_folders(parsed.spec))


def _parse(folder: File, file: str, shown: File, findings: list[Finding]) -> _Parsed | Lacking:
    path = folder / file
    report = Report(str(shown / file), "the pipeline", "steps:")
    if not path.exists():
        near = _near(path)
        return Lacking(
            lacks=f"its definition {file} is not there",
            remedy=near
            or f"Write {file} beside the spec; `scaffolder schema --pipeline` gives its keys to an editor.",
        )
    if not _is_below(path, folder):
        report.add(
            Mark(1, 1), "file", (), "the file is a link that leaves the spec's folder", "Copy it there."
        )
        findings += report.findings
        return _Parsed(report.file, None, None, sound=False)
    tree = read_source(path, report)
    spec: PipelineSpec | None = None
    if tree is not None:
        value = read(ROOT, tree, (), report)
        if isinstance(value, PipelineSpec):
            check_definition(value, tree, report)
            spec = value
    findings += report.findings
    sound = not any(finding.severity == "error" for finding in report.findings)
    return _Parsed(report.file, spec, tree, sound)


# --- code ------------------------------------------------------------------------------------------------------------


def _code_folders(spec: PipelineSpec) -> Iterator[str]:
    for step in spec.steps.values():
        folder = _code_of(spec, step)
        if folder is not None:
            yield folder


def _code_of(spec: PipelineSpec, step: StepSpec) -> str | None:
    return (step.code or spec.code) if step.command else None


def _read_code(
    folder: File, wanted: str, one: _Parsed, findings: list[Finding]
) -> CodeFolder | Lacking | None:
    """Read a code folder; ``None`` when something in it is reported, at the first key that names it."""
    top = folder / wanted
    if not top.exists() and wanted == DRIFT:
        from scaffolder.pipelines.drift import drift_code  # noqa: PLC0415 - it needs this module's digests

        return drift_code()
    if not top.exists():
        near = _near(top)
        return Lacking(
            lacks=f"its code folder {wanted} is not there",
            remedy=near
            or f"Create {wanted} beside the spec, or build the code into the image and take code away.",
        )
    report = Report(one.name, "the pipeline")
    steps = one.spec.steps if one.spec else {}
    step = next((name for name, each in steps.items() if each.code == wanted), None)
    path = ("steps", step, "code") if step else ("code",)
    mark = mark_of(one.tree, path) if one.tree else Mark(1, 1)
    if not top.is_dir() or not _is_below(top, folder):
        problem = "is not a folder" if not top.is_dir() else "is a link that leaves the spec's folder"
        report.add(mark, "code", path, f"{wanted} {problem}")
        findings += report.findings
        return None
    files: dict[str, str] = {}
    found = list(islice(_files_in(top), MOST_FILES + 1))
    size = sum(file.lstat().st_size for file in found)
    if size > MOST_BYTES or len(found) > MOST_FILES:
        have = f"more than {MOST_FILES} files" if len(found) > MOST_FILES else f"{size} bytes"
        message = f"{wanted} has {have}; at most {MOST_FILES} files of 1 MiB together travel as code"
        report.add(mark, "code-size", path, message, "Build what is large into the image.")
        findings += report.findings
        return None
    for file in found:
        name = file.relative_to(top).as_posix()
        problem, text = _text_of(file)
        if problem:
            report.add(mark, "code-file", path, f"{wanted}/{name} {problem}")
            continue
        files[name] = text
    if report.findings:
        findings += report.findings
        return None
    if not files:
        return Lacking(
            lacks=f"its code folder {wanted} has no files",
            remedy=f"Write the steps' code into {wanted}, or build it into the image and take code away.",
        )
    return CodeFolder(path=wanted, files=files, digest=digest_of(files))


def _near(path: File) -> str:
    """Name what is there under nearly the same name; empty when nothing is."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return ""
    return nearest(path.name, names)


def _is_below(path: File, folder: File) -> bool:
    """Whether a path, links followed, is below a folder."""
    return path.resolve().is_relative_to(folder.resolve())


def _files_in(folder: File) -> Iterator[File]:
    """Yield the files below a folder, sorted; hidden ones and what Python compiled are left out."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.name in SKIPPED_FOLDERS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files_in(entry)
        elif entry.suffix not in SKIPPED_SUFFIXES:
            yield entry


def _text_of(file: File) -> tuple[str, str]:
    """What is wrong with a code file, or its text."""
    if file.is_symlink() or not file.is_file():
        return "is not a plain file", ""
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8 text: build it into the image", ""
    if secret_in(text):
        return "holds what looks like a credential, and code is kept in a bucket and in Terraform's state", ""
    return "", text


def digest_of(files: Mapping[str, str]) -> str:
    """A digest of names and contents; the order of the files does not matter."""
    whole = sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name].encode()):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()


# --- the pipeline ----------------------------------------------------------------------------------------------------


def _pipeline(
    spec: PipelineSpec, code: Mapping[str, CodeFolder | Lacking | None], *, images_needed: bool
) -> PipelineDefinition | Lacking:
    lacking = next(_lacking(spec, code, images_needed=images_needed), None)
    if lacking is not None:
        return lacking
    used = sorted(set(_code_folders(spec)))
    return PipelineDefinition(
        description=spec.description,
        parameters=tuple(Parameter(name=name, default=value) for name, value in spec.parameters.items()),
        steps=tuple(_step(name, spec.steps[name], spec) for name in in_order(spec)),
        code={name: folder for name in used if isinstance(folder := code[name], CodeFolder)},
    )


def _lacking(
    spec: PipelineSpec, code: Mapping[str, CodeFolder | Lacking | None], *, images_needed: bool
) -> Iterator[Lacking]:
    for name, step in spec.steps.items() if images_needed else ():
        image = step.register.image if step.register is not None else step.image
        if image is None and spec.image is None:
            where = "register.image" if step.register is not None else "image"
            yield Lacking(
                lacks=f"its step {name} has no image",
                remedy=f"Build and push one, and name it in steps.{name}.{where}, or for all steps in image.",
            )
    yield from (folder for name in _code_folders(spec) if isinstance(folder := code[name], Lacking))


def _step(name: str, step: StepSpec, spec: PipelineSpec) -> Step:
    return Step(
        name=name,
        action=_run(step, spec) if step.register is None else _register(step.register, spec),
        after=step.after,
        gate=_gate(step),
        retries=step.retries,
    )


def _output(text: str) -> StepOutput:
    step, _, output = text.partition(".")
    return StepOutput(step=step, output=output)


def _input(text: str) -> Input:
    bucket, colon, path = text.partition(":")
    return BucketPath(bucket=bucket, path=template_of(path)) if colon else _output(text)


def _run(step: StepSpec, spec: PipelineSpec) -> Run:
    return Run(
        kind="training" if step.kind == "training" else "job",
        image=step.image or spec.image or "",
        command=tuple(template_of(word) for word in step.command),
        environment={name: template_of(value) for name, value in step.environment.items()},
        code=_code_of(spec, step),
        inputs={name: _input(source) for name, source in step.inputs.items()},
        outputs={name: _written(text) for name, text in step.outputs.items()},
        instance=step.instance,
        instances=step.instances,
        volume_gb=step.volume_gb,
        timeout_s=seconds_of(step.timeout),
        cache_s=None if step.cache is None else seconds_of(step.cache),
        spot=step.spot,
    )


def _written(text: str) -> Output:
    bucket, colon, path = text.partition(":")
    if colon:
        return Output(kind="folder", place=BucketPath(bucket=bucket, path=template_of(path)))
    return Output(kind=_kind(text), place=None)


def _kind(kind: str) -> OutputKind:
    match kind:
        case "model" | "metrics":
            return kind
        case _:
            return "folder"


def _register(register: RegisterSpec, spec: PipelineSpec) -> Register:
    return Register(
        model=register.model,
        source=_output(register.artifact),
        image=register.image or spec.image or "",
        content_type=register.content_type,
        metrics=_output(register.metrics) if register.metrics else None,
    )


def _gate(step: StepSpec) -> Gate | None:
    gate = step.when
    if gate is None:
        return None
    where, _, metric = gate.metric.rpartition(".")
    source = _output(where)
    bound = gate.at_least if gate.at_least is not None else gate.at_most
    return Gate(
        step=source.step,
        output=source.output,
        metric=metric,
        comparison="at_least" if gate.at_least is not None else "at_most",
        bound=ValueOf(bound[len("{params.") : -1]) if isinstance(bound, str) else float(bound or 0.0),
        otherwise="fail" if gate.otherwise == "fail" else "skip",
    )
