"""``scaffolder synth``: specs in, Terraform's files out.

Thin: for each spec synthesizes, emits and writes one output folder, and keeps nothing of it. May not know a file
format, nor how a folder is replaced.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict, assert_never

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import JsonList, Progress, tell_findings
from scaffolder.errors import Finding, OutputFolderError, ScaffolderError, SpecError, UsageError
from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize
from scaffolder.report.findings import FindingJson, finding_as_json, promoted
from scaffolder.report.preview import SkippedJson, counted_words, not_made, resource_count, skipped_as_json
from stacks.adapter import lowering_of
from stacks.emit.files import MARKER, Written, write_output
from stacks.emit.files import OutputFolderError as FolderRefused
from stacks.graph import LinkedStack
from stacks.record import record
from stacks.schema.load import Schemas

__all__ = ["DOCUMENT", "command"]

Format: TypeAlias = Literal["terraform", "hcl"]
DIFFERS = 1
COLLECT_EVERY = 20  # specs: left to itself, the collector lets garbage grow with what it has seen live
DEFAULT_OUT = "cdktf.out"


class SynthesizedJson(TypedDict):
    """One spec; `written`, `removed` and `unchanged` are paths in `out`, with --check those that would be."""

    spec: str
    platform: str | None
    out: str | None
    environments: list[str]
    stacks: list[str]
    resources: int
    written: list[str]
    removed: list[str]
    unchanged: list[str]
    skipped: list[SkippedJson]
    findings: list[FindingJson]
    error: str | None


class SynthJson(TypedDict):
    """What `synth --json` prints; `check` says that nothing was written."""

    format: Format
    check: bool
    specs: list[SynthesizedJson]


DOCUMENT = SynthJson


@record
class Job:
    """What shall be done with each spec; ``several`` puts each into a folder of its own below ``out``."""

    environments: tuple[str, ...]
    out: Path
    several: bool
    format_: Format
    force: bool
    check: bool
    strict: bool


@record
class Done:
    """What became of one spec: a synthesis in a folder, or findings and perhaps another refusal."""

    spec: Path
    synthesis: Synthesis | None = None
    out: Path | None = None
    changes: Written = Written(written=(), removed=(), unchanged=())
    findings: tuple[Finding, ...] = ()
    error: ScaffolderError | None = None

    @property
    def environments(self) -> tuple[EnvironmentPlatform, ...]:
        return self.synthesis.environments if self.synthesis else ()

    @property
    def stacks(self) -> tuple[LinkedStack, ...]:
        return self.synthesis.stacks if self.synthesis else ()

    @property
    def differs(self) -> bool:
        return bool(self.changes.written or self.changes.removed)

    def exit_code(self, job: Job) -> int:
        if any(finding.severity == "error" for finding in self.findings):
            return SpecError.exit_code
        if self.error:
            return self.error.exit_code
        return DIFFERS if job.check and self.differs else 0


@click.command(name="synth", short_help="Write the Terraform that specs become.")
@options.specs
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help=f"Where to write. [default: $CDKTF_OUTDIR, else {DEFAULT_OUT}]",
)
@options.environments
@click.option(
    "--format",
    "format_",
    type=click.Choice(["terraform", "hcl"]),
    default="terraform",
    show_default=True,
    help="Terraform JSON in the layout of cdktf.out, or HCL for people.",
)
@click.option("--force", is_flag=True, help="Overwrite generated files that were edited.")
@click.option("--check", is_flag=True, help=f"Write nothing; exit with {DIFFERS} if the output would differ.")
@options.findings_style()
@options.strict
@options.as_json
@click.pass_context
def command(  # noqa: PLR0913 - one for each option
    context: click.Context,
    specs: Sequence[Path],
    out: Path | None,
    environments: tuple[str, ...],
    format_: Format,
    style: options.FindingsStyle,
    *,
    force: bool,
    check: bool,
    strict: bool,
    as_json: bool,
) -> None:
    r"""Write the Terraform that specs become: a folder for each stack, ready for cdktf, cdktn and terraform.

    SPEC is platform.yaml when it is left out. Several specs go into DIR/NAME, by their platforms' names; those
    without errors are written even if others have some. The folder is replaced as a whole or not at all; files of
    others in it stay, and a folder that is not ours is refused. With --env, the other environments' stacks are
    removed from DIR, and stay deployed. As the "app" of a cdktf.json it needs no options.

    \b
    Examples:
      scaffolder synth
      scaffolder synth platform.yaml --out build --env prod --format hcl
      scaffolder synth --check
      scaffolder synth teams/*/platform.yaml --out build
    """
    paths = specs or (options.DEFAULT_SPEC,)
    job = Job(
        environments=environments,
        out=out or Path(os.environ.get("CDKTF_OUTDIR") or DEFAULT_OUT),
        several=len(paths) > 1,
        format_=format_,
        force=force,
        check=check,
        strict=strict,
    )
    results = _results(paths, job)
    codes = [*_as_json(results, job)] if as_json else [*_in_words(results, job, style)]
    context.exit(SpecError.exit_code if SpecError.exit_code in codes else max(codes))


def _results(paths: Sequence[Path], job: Job) -> Iterator[Done]:
    """Do one spec after the other, and keep nothing of it but its platform's name."""
    taken: dict[str, Path] = {}
    progress = Progress(len(paths))
    for number, path in enumerate(paths):
        progress.step(number, str(path))
        done = _done(path, job, taken)
        progress.clear()
        yield done
        del done
        if number == 0:
            gc.freeze()  # What stays until the end: later collections need not look at it again.
        elif number % COLLECT_EVERY == 0:
            gc.collect()


def _done(path: Path, job: Job, taken: dict[str, Path]) -> Done:
    try:
        synthesis = synthesize(path, job.environments or None)
    except SpecError as error:
        return Done(spec=path, findings=promoted(error.findings) if job.strict else error.findings)
    except ScaffolderError as error:
        return Done(spec=path, error=error)
    if job.strict and synthesis.warnings:
        return Done(spec=path, findings=promoted(synthesis.warnings))
    done = Done(spec=path, synthesis=synthesis, findings=synthesis.warnings)
    name = synthesis.environments[0].platform.name
    if (other := taken.setdefault(name, path)) is not path:
        refusal = f'its platform is named "{name}" like that of {other}, so it is not written'
        return Done(spec=path, error=UsageError(refusal))
    out = job.out / name if job.several else job.out
    try:
        return replace(done, out=out, changes=_changes(out, _files(synthesis, job.format_), job))
    except ScaffolderError as error:
        return replace(done, synthesis=None, error=error)


def _files(synthesis: Synthesis, format_: Format) -> dict[str, bytes]:
    match format_:
        case "terraform":
            from stacks.emit.terraform_json import files  # noqa: PLC0415 - one of two is needed

            return files(synthesis.stacks)
        case "hcl":
            return _hcl(synthesis)
        case _:
            assert_never(format_)


def _hcl(synthesis: Synthesis) -> dict[str, bytes]:
    from stacks.emit import hcl  # noqa: PLC0415 - one of two is needed

    return hcl.files(synthesis.stacks, hcl.is_block_of(_schemas(synthesis.environments)))


def _schemas(environments: Sequence[EnvironmentPlatform]) -> Schemas:
    """The oldest schemas that the output is held to: what is a block there is one in the newer ones too."""
    versions: dict[str, str] = {}
    for provider in {environment.platform.target.provider for environment in environments}:
        if lowering := lowering_of(provider):
            versions |= {name: known[0] for name, known in lowering.provider_versions().items()}
    return Schemas(versions)


def _changes(out: Path, files: Mapping[str, bytes], job: Job) -> Written:
    """Write the folder, or with ``check`` find what would be written.

    Raises:
        OutputFolderError: the folder is not ours, holds edits, or cannot be written.
    """
    if job.check:
        return _compared(out, files)
    try:
        return write_output(out, files, force=job.force)
    except FolderRefused as error:
        raise OutputFolderError(str(error)) from error


def _compared(out: Path, files: Mapping[str, bytes]) -> Written:
    different = {path for path, content in files.items() if _content(out / path) != content}
    return Written(
        written=tuple(sorted(different)),
        removed=tuple(sorted(_listed(out / MARKER) - files.keys())),
        unchanged=tuple(sorted(files.keys() - different)),
    )


def _listed(marker: Path) -> frozenset[str]:
    """Read which files earlier runs wrote."""
    content = _content(marker)
    try:
        return frozenset(json.loads(content)["files"]) if content else frozenset()
    except (ValueError, KeyError, TypeError) as error:
        raise OutputFolderError(f"{marker} is damaged") from error


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutputFolderError(f"{path} cannot be read: {error.strerror}") from error


def _as_json(results: Iterator[Done], job: Job) -> Iterator[int]:
    """Print the document and yield each spec's exit code."""
    document = JsonList({"format": job.format_, "check": job.check}, "specs")
    for done in results:
        item: SynthesizedJson = {
            "spec": str(done.spec),
            "platform": done.environments[0].platform.name if done.environments else None,
            "out": str(done.out) if done.out else None,
            "environments": [environment.name for environment in done.environments],
            "stacks": [linked.stack.name for linked in done.stacks],
            "resources": resource_count(done.stacks),
            "written": [*done.changes.written],
            "removed": [*done.changes.removed],
            "unchanged": [*done.changes.unchanged],
            "skipped": [each for environment in done.environments for each in skipped_as_json(environment)],
            "findings": [finding_as_json(finding) for finding in done.findings],
            "error": str(done.error) if done.error else None,
        }
        document.add(item)
        yield done.exit_code(job)
    document.close()


def _in_words(results: Iterator[Done], job: Job, style: options.FindingsStyle) -> Iterator[int]:
    """Print what became of each spec and yield its exit code."""
    for done in results:
        tell_findings(done.findings, style, err=True)
        if done.error:
            click.echo(
                f"{done.spec}: error: {done.error}" if job.several else f"error: {done.error}", err=True
            )
        elif done.synthesis:
            click.echo("\n".join(_summary(done, job)))
        yield done.exit_code(job)


def _summary(done: Done, job: Job) -> Iterator[str]:
    name = done.environments[0].platform.name
    made = f"{counted_words(len(done.stacks), 'stack')}, {counted_words(resource_count(done.stacks), 'resource')}"
    yield f"{name}: {made} in {done.out} ({_counted_changes(done, job)})"
    if job.check:
        yield from (f"  differs: {path}" for path in done.changes.written)
        yield from (f"  to be removed: {path}" for path in done.changes.removed)
        return
    yield from not_made(done.environments)
    if not job.several and "CDKTF_OUTDIR" not in os.environ:
        yield from _next_step(done, job)


def _counted_changes(done: Done, job: Job) -> str:
    if not done.differs:
        return "unchanged"
    words = ("would change", "to be removed") if job.check else ("written", "removed")
    counts = (
        (len(done.changes.written), words[0]),
        (len(done.changes.removed), words[1]),
        (len(done.changes.unchanged), "unchanged"),
    )
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _apart(environment: EnvironmentPlatform) -> Iterator[str]:
    """The stack that must be there before the others' backends can be reached: the CLIs reach all at the start."""
    return (linked.stack.name for linked in environment.stacks if linked.stack.concern == "state")


def _next_step(done: Done, job: Job) -> Iterator[str]:
    """Say how to deploy it: with the command line whose project this folder is, else with Terraform."""
    out = done.out or job.out
    if job.format_ == "terraform" and Path("cdktf.json").is_file():
        first = done.environments[0]
        pattern = f"{first.platform.name}-{first.name}-*"
        output = "" if out == Path(DEFAULT_OUT) else f" --output {out}"
        deploy = f"cdktf deploy --skip-synth{output}"
        apart = [f"{deploy} {name}   # once: the others keep their state there" for name in _apart(first)]
        for number, line in enumerate([*apart, f"{deploy} '{pattern}'"]):
            yield f"{'      ' if number else 'Next: '}{line}"
    else:
        chdir = f"terraform -chdir={out / 'stacks' / done.stacks[0].stack.name}"
        yield f"Next: {chdir} init"
        yield f"      {chdir} apply"
        yield "      and so on in the order that `scaffolder preview` shows"
